// Weights that are one number per column of a layer: a few vectors, with the optimizer's slots beside them.
#pragma once

#include "engine/buffer.h"
#include "engine/weights.h"
#include "kernels/table.h"

namespace fastdense {

// Each vector's gradient sums what came back to the layer over the rows of a batch, each number times a
// factor of the layer's.
template <class T>
class VectorWeights : public Weights<T> {
public:
    VectorWeights(const KernelsOf<T>& kernels, std::size_t columns, std::size_t count,
                  const PerArray<Treatment<T>>& treatments)
        : VectorWeights(kernels, columns, count, treatments, most_columns) {}

    const T* vector(std::size_t i) const { return values_.data() + i * stride_; }
    // The factors of a vector's gradient, for the rows of a batch; ones if they are never given.
    void set_factors(std::size_t i, View<const T> factors) { factors_[i] = factors; }

    void load(std::optional<std::size_t> slot, const PerArray<const T*>& from) override;
    void store(std::optional<std::size_t> slot, const PerArray<T*>& to) const override;
    void store_gradient(const PerArray<T*>& to) const override;
    bool penalised() const override;
    double penalty() const override;
    void keep_slots(std::size_t count) override;
    void keep_gradient() override {}  // it is always kept: it is as small as the weights
    std::size_t parts() const override { return (columns_ + chunk_ - 1) / chunk_; }
    void update(std::size_t part, const Passed<T>& batch, const Optimizer<T>* optimizer,
                T penalty_factor) override;
    PerArray<double> squares(std::size_t part) const override;
    void step(std::size_t part, const Optimizer<T>& optimizer, const PerArray<double>& scales) override;

protected:
    // `chunk` is the number of columns per part, of every vector: whole vectors of the processor's.
    VectorWeights(const KernelsOf<T>& kernels, std::size_t columns, std::size_t count,
                  const PerArray<Treatment<T>>& treatments, std::size_t chunk);
    struct Part {
        std::size_t first, count;
    };
    // Sums the gradient of a part of a vector over a batch, without that of the penalties.
    virtual void sum_gradient(std::size_t vector, const Part& part, const Passed<T>& batch, T* gradient);

private:
    static constexpr std::size_t most_columns = 512;  // per part: their sums fit the nearest cache
    Part at(std::size_t part) const;
    const Buffer<T>& buffer(std::optional<std::size_t> slot) const { return slot ? slots_[*slot] : values_; }
    void step(std::size_t vector, const Part& part, const Optimizer<T>& optimizer, double scale);

    const KernelsOf<T>& kernels_;
    const std::size_t columns_, stride_, count_, chunk_;
    const PerArray<Treatment<T>> treatments_;
    PerArray<View<const T>> factors_{};
    Buffer<T> values_, gradient_, slots_[most_slots];
    Parameters<T> parameters_;  // in these buffers
};

}  // namespace fastdense
