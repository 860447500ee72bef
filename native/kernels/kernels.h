// What the kernel files of one instruction set share. Compiled once for each, with FASTDENSE_ISA as its name.
//
// These files include no library header with inline functions, and define nothing outside the namespace below
// but what is always inlined: the linker keeps one copy of any other inline function, and it might keep the
// one compiled for instructions that the processor lacks.
#pragma once

#include <cstddef>

#include "kernels/table.h"

namespace fastdense::FASTDENSE_ISA {

#if defined(__AVX512F__)
inline constexpr std::size_t vector_bytes = 64;
inline constexpr std::size_t vector_registers = 32;
#elif defined(__AVX2__)
inline constexpr std::size_t vector_bytes = 32;
inline constexpr std::size_t vector_registers = 16;
#elif defined(__aarch64__)
inline constexpr std::size_t vector_bytes = 16;
inline constexpr std::size_t vector_registers = 32;
#else
inline constexpr std::size_t vector_bytes = 16;
inline constexpr std::size_t vector_registers = 16;
#endif

// A register of numbers. The scalar build takes plain ones: GCC keeps vectors of a single lane in memory.
#if defined(FASTDENSE_SCALAR)
template <class T>
using Vector = T;
template <class T>
inline constexpr std::size_t lanes = 1;
#else
template <class T>
struct VectorOf {
    typedef T Type __attribute__((vector_size(vector_bytes)));
};
template <class T>
using Vector = typename VectorOf<T>::Type;
template <class T>
inline constexpr std::size_t lanes = vector_bytes / sizeof(T);
#endif

void dropout_mask(const DropoutMask& mask);
#define KERNEL(name, result, arguments) \
    template <class T>                  \
    result name arguments;
#include "kernels/kernels.inc"

}  // namespace fastdense::FASTDENSE_ISA
