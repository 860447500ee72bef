// Runs over arrays in whole vectors, whatever their length.
#pragma once

#include "kernels/tile.h"

namespace fastdense::FASTDENSE_ISA {

// Runs `blocks(in, out, n)` for n a multiple of the lanes: over the whole vectors, then over a padded copy of
// what is left. One function does both, so an element's result can't depend on where it lies.
template <class T, std::size_t inputs, std::size_t outputs, class Blocks>
[[gnu::always_inline]] inline void in_whole_vectors(const T* const (&in)[inputs], T* const (&out)[outputs],
                                                    std::size_t n, Blocks blocks) {
    const std::size_t tail = n % lanes<T>, whole = n - tail;
    blocks(in, out, whole);
    if (tail == 0) return;
    T part[inputs][lanes<T>] = {}, result[outputs][lanes<T>];
    const T* parts[inputs];
    T* results[outputs];
    for (std::size_t k = 0; k < inputs; ++k) {
        for (std::size_t i = 0; i < tail; ++i) part[k][i] = in[k][whole + i];
        parts[k] = part[k];
    }
    for (std::size_t k = 0; k < outputs; ++k) results[k] = result[k];
    blocks(parts, results, lanes<T>);
    for (std::size_t k = 0; k < outputs; ++k) {
        for (std::size_t i = 0; i < tail; ++i) out[k][whole + i] = result[k][i];
    }
}

}  // namespace fastdense::FASTDENSE_ISA
