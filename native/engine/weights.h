// What the engine asks of the arrays that a layer trains, in whatever layout suits the layer's kernels.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "kernels/dense.h"

namespace fastdense {

// Something for each array that one layer trains, in the order of its spec.
constexpr std::size_t most_arrays = 5;
template <class V>
using PerArray = std::array<V, most_arrays>;

// What went into a layer and what came back, for every row of a batch. If `sparse` is given, it stands for
// `in`.
template <class T>
struct Passed {
    View<const T> in;
    const SparseInputs<T>* sparse;
    View<const T> d_out;  // as Layer::backward leaves it
};

template <class T>
class Weights {
public:
    virtual ~Weights() = default;

    // Row-major arrays, to and from a slot of the optimizer, or the weights themselves if none is named.
    // Null stands for an array that the layer lacks.
    virtual void load(std::optional<std::size_t> slot, const PerArray<const T*>& from) = 0;
    virtual void store(std::optional<std::size_t> slot, const PerArray<T*>& to) const = 0;
    virtual void store_gradient(const PerArray<T*>& to) const = 0;

    virtual bool penalised() const = 0;
    virtual double penalty() const = 0;

    // Allocate the optimizer's slots; and the gradient, which only clipping by norm and `store_gradient`
    // need.
    virtual void keep_slots(std::size_t count) = 0;
    virtual void keep_gradient() = 0;

    // Parts can be updated independently of one another.
    virtual std::size_t parts() const = 0;
    // Sums the gradient of a part over the batch and takes the optimizer's step; keeps the gradient if the
    // optimizer is null.
    virtual void update(std::size_t part, const Passed<T>& batch, const Optimizer<T>* optimizer,
                        T penalty_factor) = 0;
    // From a part of the kept gradient: the sums of its squares, and the step from it, scaled.
    virtual PerArray<double> squares(std::size_t part) const = 0;
    virtual void step(std::size_t part, const Optimizer<T>& optimizer, const PerArray<double>& scales) = 0;
};

}  // namespace fastdense
