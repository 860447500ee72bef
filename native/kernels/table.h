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
    std::size_t rows;
    std::size_t columns;
    bool* kept;  // (rows, columns), row by row
};

struct Kernels {
    const char* isa;
    // Run a loop of independent multiply-adds `steps` times and return the operations done.
    double (*fma_loop_f32)(std::size_t steps);
    double (*fma_loop_f64)(std::size_t steps);
    void (*dropout_mask)(const DropoutMask& mask);
};

}  // namespace fastdense
