// One table of kernels per instruction set: the only way from baseline code into code that may use more.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/dense.h"
#include "kernels/lanes.h"
#include "kernels/loss.h"
#include "kernels/periodic.h"

namespace fastdense {

// The mask of one layer's units at one training step: a Philox4x32-10 word per element.
struct DropoutMask {
    std::uint64_t seed;
    std::uint32_t step;
    std::uint32_t layer;
    std::uint32_t threshold;  // a unit is kept if its word is at least this
    std::size_t first_row;    // the mask's first row, counted within the batch
    std::size_t rows;
    std::size_t columns;
    bool* kept;  // (rows, columns), row by row
};

enum class Activation : std::uint8_t {
#define ACTIVATION(name, ...) name,
#include "kernels/activations.inc"
};

// a = g(z) for each number, or for each row with softmax. a may be z; otherwise they don't overlap.
template <class T>
struct Activate {
    Activation activation;
    T alpha;  // the slope of leaky_relu below 0, the scale of elu
    std::size_t rows;
    std::size_t columns;
    const T* z;  // (rows, columns), row by row, as the others
    T* a;
};

// dz = da * g'(z), or the row's mixture of them for softmax. dz may be any of the others.
template <class T>
struct ActivateBackward {
    Activation activation;
    T alpha;
    std::size_t rows;
    std::size_t columns;
    const T* z;
    const T* a;
    const T* da;
    T* dz;
};

// out = (1 - share) z + share g(z), with a share per column; a factor of 0 makes 0 of any number but NaN.
// In training also the derivative, and the difference g(z) - z; their data are null if they are not wanted.
template <class T>
struct Blend {
    Activation activation;
    T alpha;  // the activation's
    View<const T> z;
    const T* shares;
    View<T> out, slope = {}, difference = {};
};

// out = a * factors; a factor of 0 makes 0 of any number but NaN. With a stride of 0 there is a factor per
// column. out may be a.
template <class T>
struct Multiply {
    View<const T> a, factors;
    View<T> out;
};

// The sums over rows of d * factors, or of d if the factors' data are null, in double and in the order of the
// rows, then rounded.
template <class T>
struct ColumnSums {
    View<const T> d, factors;
    T* sums;  // one per column
};

// The kernels for one type of number.
template <class T>
struct KernelsOf {
    std::size_t lanes;          // rows of activations are padded to a multiple of this
    std::size_t panel_columns;  // units of a full panel
#define KERNEL(name, result, arguments) result(*name) arguments;
#include "kernels/kernels.inc"
};

struct Kernels {
    const char* isa;
    void (*dropout_mask)(const DropoutMask& mask);
    KernelsOf<float> f32;
    KernelsOf<double> f64;

    template <class T>
    const KernelsOf<T>& of() const {
        if constexpr (sizeof(T) == sizeof(float)) {
            return f32;
        } else {
            return f64;
        }
    }
};

}  // namespace fastdense
