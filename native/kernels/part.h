// Reads and writes the first few lanes of a vector, touching nothing beyond them in memory.
#pragma once

#include "kernels/tile.h"

#if defined(__AVX2__)
#include <immintrin.h>  // its functions are always inlined
#endif

namespace fastdense::FASTDENSE_ISA {

// Through memory and back: a load that finds its bytes in several smaller stores waits for them, some 15
// cycles. Instructions with masks don't; with them the softmax of 10 numbers takes a third of the time.
#if !defined(__AVX2__)

template <class T>
[[gnu::always_inline]] inline Vector<T> load_lanes(const T* from, std::size_t count, Vector<T> fill) {
    T part[lanes<T>];
    store(part, fill);
    for (std::size_t i = 0; i < count; ++i) part[i] = from[i];
    return load(part);
}

template <class T>
[[gnu::always_inline]] inline void store_lanes(T* to, std::size_t count, Vector<T> value) {
    T part[lanes<T>];
    store(part, value);
    for (std::size_t i = 0; i < count; ++i) to[i] = part[i];
}

#elif !defined(__AVX512F__)

constexpr std::int64_t lane_numbers_64[] = {0, 1, 2, 3};
constexpr std::int32_t lane_numbers_32[] = {0, 1, 2, 3, 4, 5, 6, 7};

[[gnu::always_inline]] inline __m256i first_lanes(std::size_t count, const float*) {
    return (__m256i)(load(lane_numbers_32) < std::int32_t(count));
}
[[gnu::always_inline]] inline __m256i first_lanes(std::size_t count, const double*) {
    return (__m256i)(load(lane_numbers_64) < std::int64_t(count));
}

[[gnu::always_inline]] inline __m256 load_lanes(const float* from, std::size_t count, __m256 fill) {
    const __m256i first = first_lanes(count, from);
    return _mm256_blendv_ps(fill, _mm256_maskload_ps(from, first), (__m256)first);
}
[[gnu::always_inline]] inline __m256d load_lanes(const double* from, std::size_t count, __m256d fill) {
    const __m256i first = first_lanes(count, from);
    return _mm256_blendv_pd(fill, _mm256_maskload_pd(from, first), (__m256d)first);
}
[[gnu::always_inline]] inline void store_lanes(float* to, std::size_t count, __m256 value) {
    _mm256_maskstore_ps(to, first_lanes(count, to), value);
}
[[gnu::always_inline]] inline void store_lanes(double* to, std::size_t count, __m256d value) {
    _mm256_maskstore_pd(to, first_lanes(count, to), value);
}

#else

[[gnu::always_inline]] inline __m512 load_lanes(const float* from, std::size_t count, __m512 fill) {
    return _mm512_mask_loadu_ps(fill, __mmask16((1U << count) - 1), from);
}
[[gnu::always_inline]] inline __m512d load_lanes(const double* from, std::size_t count, __m512d fill) {
    return _mm512_mask_loadu_pd(fill, __mmask8((1U << count) - 1), from);
}
[[gnu::always_inline]] inline void store_lanes(float* to, std::size_t count, __m512 value) {
    _mm512_mask_storeu_ps(to, __mmask16((1U << count) - 1), value);
}
[[gnu::always_inline]] inline void store_lanes(double* to, std::size_t count, __m512d value) {
    _mm512_mask_storeu_pd(to, __mmask8((1U << count) - 1), value);
}

#endif

// The first `count` lanes from memory, at most all of them; the others are `fill`.
template <class T>
[[gnu::always_inline]] inline Vector<T> load_part(const T* from, std::size_t count, T fill) {
    return load_lanes(from, count, Vector<T>{} + fill);
}

template <class T>
[[gnu::always_inline]] inline void store_part(T* to, std::size_t count, Vector<T> value) {
    store_lanes(to, count, value);
}

}  // namespace fastdense::FASTDENSE_ISA
