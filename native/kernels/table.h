// One table of kernels an instruction set: the only way from baseline code into code that may use more.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/dense.h"
#include "kernels/loss.h"

namespace fastdense {

// The mask of one layer's units at one training step: a Philox4x32-10 word an element.
struct DropoutMask {
    std::uint64_t seed;
    std::uint32_t step;
    std::uint32_t layer;
    std::uint32_t threshold;  // a unit is kept when its word is at least this
    std::size_t first_row;    // the mask's first row, counted within the batch
    std::size_t rows;
    std::size_t columns;
    bool* kept;  // (rows, columns), row by row
};

// In the order of fastdense.core.spec.ACTIVATIONS.
enum class Activation : std::uint8_t {
    linear,
    sigmoid,
    tanh,
    relu,
    leaky_relu,
    elu,
    selu,
    gelu,
    gelu_tanh,
    silu,
    mish,
    softplus,
    exponential,
    relu6,
    hard_sigmoid,
    hard_silu,
    softsign,
    softmax
};

// a = g(z) for each number, or for each row with softmax. a may be z; otherwise they don't overlap.
template <class T>
struct Activate {
    Activation activation;
    T alpha;  // of leaky_relu and elu
    std::size_t rows;
    std::size_t columns;
    const T* z;  // (rows, columns), row by row, as the others
    T* a;
};

// dz = da * g'(z), or softmax's mixture of a row. dz may be any of the others.
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

// The kernels for one type of number.
template <class T>
struct KernelsOf {
    std::size_t lanes;          // rows of activations are rounded up to a multiple of these
    std::size_t panel_columns;  // units of a full panel
    // Run a loop of independent multiply-adds `steps` times and return the operations done.
    double (*fma_loop)(std::size_t steps);
    // Read `count` numbers, aligned as vectors are and rounded down to whole blocks of a few, `passes` times
    // and return the bytes read.
    double (*read_loop)(const T* data, std::size_t count, std::size_t passes);
    void (*activate)(const Activate<T>& f);
    void (*activate_backward)(const ActivateBackward<T>& b);
    // Elements of the panels; from row-major weights and bias to panels, and back (null: not wanted).
    std::size_t (*panels_size)(std::size_t inputs, std::size_t units);
    void (*pack)(const Pack<T>& from, T* panels);
    void (*unpack)(const T* panels, std::size_t inputs, std::size_t units, T* weights, T* bias);
    void (*transpose)(const Transpose<T>& part);
    void (*product)(const Product<T>& product);
    void (*sparse_product)(const SparseProduct<T>& product);
    void (*stream)(const Stream<T>& stream);
    void (*update)(const Update<T>& update);
    void (*step)(const Optimizer<T>& optimizer, const Parameters<T>& parameters, const T* gradient, T scale,
                 std::size_t count);
    void (*losses)(const LossRows<T>& rows);
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
