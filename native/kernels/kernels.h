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

// What each does is said in table.h. Each is instantiated for float and double in a file of its name.
void dropout_mask(const DropoutMask& mask);
template <class T>
double fma_loop(std::size_t steps);
template <class T>
double read_loop(const T* data, std::size_t count, std::size_t passes);
template <class T>
void activate(const Activate<T>& f);
template <class T>
void activate_backward(const ActivateBackward<T>& b);
template <class T>
std::size_t panels_size(std::size_t inputs, std::size_t units);
template <class T>
void pack(const Pack<T>& from, T* panels);
template <class T>
void unpack(const T* panels, std::size_t inputs, std::size_t units, T* weights, T* bias);
template <class T>
void transpose(const Transpose<T>& part);
template <class T>
void product(const Product<T>& product);
template <class T>
void sparse_product(const SparseProduct<T>& product);
template <class T>
void stream(const Stream<T>& stream);
template <class T>
void update(const Update<T>& update);
template <class T>
void step(const Optimizer<T>& optimizer, const Parameters<T>& parameters, const T* gradient, T scale,
          std::size_t count);
template <class T>
void losses(const LossRows<T>& rows);

}  // namespace fastdense::FASTDENSE_ISA
