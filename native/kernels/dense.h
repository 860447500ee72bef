// The kernels of dense layers and their training, for one type of number: what they are given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/sparse.h"

namespace fastdense {

// A matrix in memory, row by row; the stride is in elements.
template <class T>
struct View {
    T* data;
    std::size_t rows, columns, stride;

    operator View<const T>() const
        requires(!std::is_const_v<T>)
    {
        return {data, rows, columns, stride};
    }
};

// Weights row by row, `stride` apart, and the bias, or null for zeros: to be put into panels.
template <class T>
struct Pack {
    const T *weights, *bias;
    std::size_t inputs, units, stride;
};

// out = a @ W + b, below 0 cut off where `relu`. `panels` holds W and b (see panels.cpp). `out` is written in
// whole vectors as far as it has columns for them: those past the last unit get anything finite.
template <class T>
struct Product {
    View<const T> a;
    const T* panels;
    std::size_t units;
    View<T> out;
    bool relu;
};

// The same for rows that are mostly zeros; `out` says how many.
template <class T>
struct SparseProduct {
    SparseRows<T> a;
    std::size_t inputs;
    const T* panels;
    std::size_t units;
    View<T> out;
    bool relu;
};

// The inputs `first` (a whole number of vectors) to `last` of the panel at a column, turned over into the
// panels of the transposed weights, which hold the inputs as units and have zeros for heads.
template <class T>
struct Transpose {
    const T* panels;
    std::size_t inputs, units, column, first, last;
    T* transposed;
};

// out = a @ W + bias, for a few rows and weights that are used once.
template <class T>
struct Stream {
    View<const T> a, W;
    const T* bias;  // or null
    View<T> out;
};

enum class Rule : std::uint8_t {
#define OPTIMIZER(name) name,
#include "kernels/optimizers.inc"
};

// An optimizer's constants, and what changes from step to step. A gain is 1 - the memory of a running mean,
// taken in double: 1 - 0.999f is off by 5e-5 of its value.
template <class T>
struct Optimizer {
    Rule rule;
    bool nesterov, centered, amsgrad;
    T momentum, rho, rho_gain, gain_1, gain_2, epsilon;
    T decay;  // the weight decay times the learning rate
    T rate;   // Adam's includes its bias corrections
    T limit;  // gradients are cut off at this, either way; infinity: not
};

// l1 * sum(|w|) + l2 * sum(w * w) is added to the loss.
template <class T>
struct Penalties {
    T l1, l2;

    [[gnu::always_inline]] bool any() const { return l1 != T(0) || l2 != T(0); }
    Penalties operator*(T factor) const { return {l1 * factor, l2 * factor}; }
};

constexpr std::size_t most_slots = 3;

// Parameters side by side, with the optimizer's arrays for them.
template <class T>
struct Parameters {
    T* w;
    T* slots[most_slots];
};

// One step of the optimizer for `count` parameters, whole vectors, from `scale` times their gradient.
template <class T>
struct Step {
    const Optimizer<T>& optimizer;
    Parameters<T> parameters;
    const T* gradient;
    T scale;
    std::size_t count;
};

// The gradient of one panel of weights, rows `first` to `last` of its inputs (the head with the first),
// summed over all rows of the batch: dW = a.T @ dz. It goes into `gradient`, panels like the weights', where
// given; otherwise the optimizer takes its step at once. Where `sparse` is given it stands for `a`, of which
// only the columns are then read.
template <class T>
struct Update {
    View<const T> a;
    const SparseInputs<T>* sparse;
    View<const T> dz;
    std::size_t column, first, last;
    bool bias;
    Penalties<T> kernel_penalties, bias_penalties;
    Parameters<T> panels;
    T* gradient;
    const Optimizer<T>* optimizer;
};

}  // namespace fastdense
