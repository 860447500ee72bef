// The weights of one dense layer of several programs, a vector for each weight, with the optimizer's slots.
#pragma once

#include <vector>

#include "engine/buffer.h"
#include "engine/dense_weights.h"
#include "kernels/table.h"

namespace fastdense {

template <class T>
class LaneWeights {
public:
    // Takes copies of the weights and slots of these, one for each lane from the first on.
    LaneWeights(const KernelsOf<T>& kernels, const std::vector<DenseWeights<T>*>& of_lanes);

    // The steps between them are those of a row-major matrix of vectors.
    LaneMatrix<const T> kernel() const { return {values_.data(), units_ * lanes_, lanes_}; }
    LaneMatrix<const T> bias() const { return {has_bias_ ? bias_of(values_) : nullptr, 0, lanes_}; }

    // Hands a lane's weights and slots back to whom they came from.
    void keep(std::size_t lane) const;

    // Adds each lane's penalties to `totals`.
    void add_penalties(PerLane<double>& totals) const;

    // Adds a block of rows to the gradient, which `step` resets.
    void add_gradient(std::size_t rows, LaneMatrix<const T> in, bool shared, const T* d_out);
    // Adds the penalties, times a factor for each lane, to the gradient.
    void penalise(const PerLane<double>& factors);
    // Adds the squares of the gradient to `totals`, and keeps their sums for each array.
    void square(PerLane<double>& totals);
    const PerDenseArray<PerLane<double>>& squares() const { return squares_; }

    // What does not change from step to step.
    void set_optimizer(const Optimizer<PerLane<T>>& optimizer);
    // Takes the optimizer's step, from the gradient of each array times `scales`.
    void step(const PerLane<T>& rates, const PerLane<T>& decays, const PerDenseArray<PerLane<T>>& scales);

private:
    using Part = typename DenseWeights<T>::Part;
    std::size_t kernel_size() const { return inputs_ * units_ * lanes_; }
    T* bias_of(const Buffer<T>& buffer) const { return buffer.data() + kernel_size(); }
    PerLane<double> sum(const T* array, const Part& part, bool head,
                        const Penalties<PerLane<double>>* penalties) const;

    const KernelsOf<T>& kernels_;
    const std::vector<DenseWeights<T>*> of_lanes_;
    const DenseWeights<T>& plan_;  // whose order of sums the others have
    const std::size_t inputs_, units_, lanes_, slots_;
    const bool has_bias_;
    bool penalised_ = false;
    bool is_fresh_ = true;  // no rows have been added to the gradient since the last step
    // Of each array and lane: its penalties, also in double, and its factors of the rate and the decay.
    PerDenseArray<Penalties<PerLane<T>>> penalties_{};
    PerDenseArray<Penalties<PerLane<double>>> charges_{};
    PerDenseArray<PerLane<T>> rate_factors_{}, decay_factors_{};
    PerDenseArray<Optimizer<PerLane<T>>> optimizers_{};
    PerDenseArray<PerLane<double>> squares_{};
    Buffer<T> values_, gradient_, kept_[most_slots];  // the kernel, then the bias
};

}  // namespace fastdense
