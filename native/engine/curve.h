// An activation over the rows of our own blocks.
#pragma once

#include "kernels/table.h"

namespace fastdense {

template <class T>
struct Curve {
    Activation kind = Activation::linear;
    T alpha = 0;

    // Whether its slope is found from z and not from g(z).
    bool needs_z() const {
        return kind == Activation::gelu || kind == Activation::gelu_tanh || kind == Activation::silu ||
               kind == Activation::mish;
    }

    // a = g(z); a may be z. Most run over whole rows at once, over what is past the last column too.
    void forward(const KernelsOf<T>& kernels, View<const T> z, View<T> a) const {
        if (kind == Activation::linear && z.data == a.data) return;
        over(z, [&](std::size_t row, std::size_t rows, std::size_t columns) {
            kernels.activate({kind, alpha, rows, columns, z.data + row * z.stride, a.data + row * a.stride});
        });
    }

    // d becomes d * g'(z), given a = g(z); z is read only where needs_z().
    void backward(const KernelsOf<T>& kernels, const T* z, View<const T> a, View<T> d) const {
        if (kind == Activation::linear) return;
        over(a, [&](std::size_t row, std::size_t rows, std::size_t columns) {
            const std::size_t at = row * a.stride;
            const T* d_here = d.data + at;
            kernels.activate_backward(
                {kind, alpha, rows, columns, (z ? z : a.data) + at, a.data + at, d_here, d.data + at});
        });
    }

private:
    // Row by row go softmax, as its rows end before the stride does, and the exponential, which would make
    // infinities of what lies between them and was not written since it last went over it.
    template <class Run>
    void over(const View<const T>& rows, Run run) const {
        const bool gaps = rows.stride != rows.columns;
        const bool by_row = kind == Activation::softmax || (kind == Activation::exponential && gaps);
        if (!by_row) return run(0, rows.rows, rows.stride);
        for (std::size_t row = 0; row < rows.rows; ++row) run(row, 1, rows.columns);
    }
};

}  // namespace fastdense
