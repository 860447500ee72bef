// An activation over blocks of rows with a program in each lane.
#pragma once

#include <cstddef>

#include "engine/buffer.h"
#include "engine/curve.h"

namespace fastdense {

// Turns the `rows` matrices `a` x `b` that follow one another into their transposes.
template <class T>
void transpose_each(const T* from, std::size_t rows, std::size_t a, std::size_t b, T* to) {
    for (std::size_t row = 0; row < rows; ++row, from += a * b, to += a * b) {
        for (std::size_t i = 0; i < a; ++i) {
            for (std::size_t j = 0; j < b; ++j) to[j * a + i] = from[i * b + j];
        }
    }
}

// By the same kernels as a single program's: elementwise ones over all numbers, and those over whole rows
// over the rows of each lane.
template <class T>
class LaneCurve {
public:
    LaneCurve(const KernelsOf<T>& kernels, Curve curve, std::size_t units)
        : kernels_(kernels), curve_(std::move(curve)), units_(units), lanes_(kernels.lanes) {}

    const Curve& curve() const { return curve_; }

    void prepare(std::size_t rows) {
        if (!curve_.mixes_columns()) return;
        a_ = Buffer<T>(rows * units_ * lanes_);
        d_ = Buffer<T>(rows * units_ * lanes_);
    }

    // a may be z.
    void forward(const T* z, T* a, std::size_t rows) const {
        if (!curve_.mixes_columns()) return curve_.forward<T>(kernels_, flat(z, rows), flat(a, rows));
        transpose_each(z, rows, units_, lanes_, a_.data());
        curve_.forward<T>(kernels_, each(a_.data(), rows), each(a_.data(), rows));
        transpose_each<T>(a_.data(), rows, lanes_, units_, a);
    }

    // As Curve::backward.
    void backward(const T* z, const T* a, T* d, std::size_t rows) const {
        if (!curve_.mixes_columns()) return curve_.backward<T>(kernels_, z, flat(a, rows), flat(d, rows));
        transpose_each(a, rows, units_, lanes_, a_.data());
        transpose_each<T>(d, rows, units_, lanes_, d_.data());
        curve_.backward<T>(kernels_, nullptr, each(a_.data(), rows), each(d_.data(), rows));
        transpose_each<T>(d_.data(), rows, lanes_, units_, d);
    }

private:
    template <class E>
    View<E> flat(E* data, std::size_t rows) const {
        return {data, rows, units_ * lanes_, units_ * lanes_};
    }
    // A row for each row and lane.
    View<T> each(T* data, std::size_t rows) const { return {data, rows * lanes_, units_, units_}; }

    const KernelsOf<T>& kernels_;
    const Curve curve_;
    const std::size_t units_, lanes_;
    Buffer<T> a_, d_;  // of a block, transposed
};

}  // namespace fastdense
