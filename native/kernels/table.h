// One table of kernels an instruction set: the only way from baseline code into code that may use more.
#pragma once

#include <cstddef>
#include <cstdint>

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

// In the order of fastdense.spec.ACTIVATIONS.
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

struct Kernels {
    const char* isa;
    // Run a loop of independent multiply-adds `steps` times and return the operations done.
    double (*fma_loop_f32)(std::size_t steps);
    double (*fma_loop_f64)(std::size_t steps);
    void (*dropout_mask)(const DropoutMask& mask);
    void (*activate_f32)(const Activate<float>& f);
    void (*activate_f64)(const Activate<double>& f);
    void (*activate_backward_f32)(const ActivateBackward<float>& b);
    void (*activate_backward_f64)(const ActivateBackward<double>& b);
};

}  // namespace fastdense
