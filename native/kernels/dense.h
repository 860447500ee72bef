// The arguments of the kernels of dense layers and their training, for one type of number.
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

// Row-major weights with rows `stride` apart, and the bias or null for zeros, to be packed into panels.
template <class T>
struct Pack {
    const T *weights, *bias;
    std::size_t inputs, units, stride;
};

// out = a @ W + b, or its ReLU if `relu`. `panels` holds W and b (see panels.cpp). `out` is written in whole
// vectors as far as it has columns for them: those past the last unit receive any finite numbers.
template <class T>
struct Product {
    View<const T> a;
    const T* panels;
    std::size_t units;
    View<T> out;
    bool relu;
};

// The same for `out.rows` sparse rows.
template <class T>
struct SparseProduct {
    SparseRows<T> a;
    std::size_t inputs;
    const T* panels;
    std::size_t units;
    View<T> out;
    bool relu;
};

// Transposes the inputs `first` (a whole number of vectors) to `last` of the panel at a column, into the
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

// l1 * sum(|w|) + l2 * sum(w * w) is added to the loss.
template <class T>
struct Penalties {
    T l1, l2;

    [[gnu::always_inline]] bool any() const { return l1 != T(0) || l2 != T(0); }
    Penalties operator*(T factor) const { return {l1 * factor, l2 * factor}; }
};

// How training treats one array: what it adds to the loss, and what the learning rate and the weight decay
// are multiplied by for it.
template <class T>
struct Treatment {
    Penalties<T> penalties;
    T rate_factor, decay_factor;
};

// An optimizer's constants, and what changes from step to step. A gain is 1 minus the decay of a running
// mean, subtracted in double: 1 - 0.999f is off by 5e-5 of its value.
template <class T>
struct Optimizer {
    Rule rule;
    bool nesterov, centered, amsgrad;
    T momentum, rho, rho_gain, gain_1, gain_2, epsilon;
    T decay;  // the weight decay times the learning rate
    T rate;   // Adam's includes its bias corrections
    T limit;  // gradients are clipped to [-limit, limit]

    Optimizer scaled(const Treatment<T>& array) const {
        Optimizer own = *this;
        own.rate *= array.rate_factor;
        own.decay *= array.rate_factor * array.decay_factor;
        return own;
    }
};

// What is done with an array's gradient: penalties are added, and the optimizer takes its step.
template <class T>
struct Ending {
    Penalties<T> penalties;
    Optimizer<T> optimizer;
};

constexpr std::size_t most_slots = 3;

// Contiguous parameters, and the optimizer's slots for them.
template <class T>
struct Parameters {
    T* w;
    T* slots[most_slots];  // null if the optimizer has fewer

    [[gnu::always_inline]] Parameters from(std::size_t start) const {
        Parameters here{w + start, {}};
        for (std::size_t i = 0; i < most_slots; ++i) {
            if (slots[i]) here.slots[i] = slots[i] + start;
        }
        return here;
    }
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

// The gradient of the inputs `first` to `last` of one panel of weights (and of its head with the first),
// summed over all rows of the batch: dW = a.T @ dz. It is kept in `gradient`, panels like the weights', with
// the penalties added, unless that is null; then the optimizer takes its step at once. If `sparse` is given,
// it stands for `a`, of which only the number of columns is then read.
template <class T>
struct Update {
    View<const T> a;
    const SparseInputs<T>* sparse;
    View<const T> dz;
    std::size_t column, first, last;
    bool bias;
    Ending<T> of_kernel, of_bias;
    Parameters<T> panels;
    T* gradient;
};

}  // namespace fastdense
