// Draws a dropout mask: word (column % 4) of counter (step, layer, row, column / 4), compared with a
// threshold.
#include "kernels/kernels.h"
#include "kernels/philox.h"

#ifdef __x86_64__
#include <immintrin.h>  // its functions are always inlined
#endif

namespace fastdense::FASTDENSE_ISA {
namespace {

using Words = Vector<std::uint64_t>;  // one word of as many counters as there are lanes
constexpr std::size_t counters = lanes<std::uint64_t>;
constexpr std::size_t elements = 4 * counters;  // drawn together

constexpr std::uint64_t low_half = 0xFFFFFFFF;

// The products of the low halves of each lane. GCC doesn't find the instruction by itself.
inline Words multiply(Words words, std::uint64_t constant) {
#if defined(FASTDENSE_SCALAR) || !defined(__x86_64__)
    return (words & low_half) * constant;
#elif defined(__AVX512F__)
    // The unmasked form makes GCC 12 warn of an uninitialised value of its own (its bug 105593).
    return (Words)_mm512_maskz_mul_epu32(0xFF, (__m512i)words, _mm512_set1_epi64((long long)constant));
#elif defined(__AVX2__)
    return (Words)_mm256_mul_epu32((__m256i)words, _mm256_set1_epi64x((long long)constant));
#else
    return (Words)_mm_mul_epu32((__m128i)words, _mm_set1_epi64x((long long)constant));
#endif
}

constexpr std::uint64_t lane_numbers[] = {0, 1, 2, 3, 4, 5, 6, 7};
static_assert(counters <= sizeof lane_numbers / sizeof *lane_numbers);

// Draws four columns per lane, from column 4 * counter on: a 0 or 1 in each of the lane's four lowest bytes.
inline Words draw(const DropoutMask& mask, std::size_t row, std::size_t counter) {
    constexpr bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    Words numbers;
    __builtin_memcpy(&numbers, lane_numbers, sizeof numbers);
    Words words[4] = {Words{} + mask.step, Words{} + mask.layer, Words{} + (mask.first_row + row),
                      numbers + counter};
    philox4x32(mask.seed, words, multiply);
    Words bytes{};
    for (int word = 0; word < 4; ++word) {
        // word >= threshold exactly when threshold - 1 - word is negative.
        const Words kept = (std::uint64_t(mask.threshold) - 1 - (words[word] & low_half)) >> 63;
        bytes |= kept << (little ? 8 * word : 24 - 8 * word);
    }
    return bytes;
}

// Stores the low halves of the lanes side by side: straight to their place, as 4-byte stores read back as one
// larger block would stall.
inline void store(Words bytes, bool* kept) {
    std::uint64_t lane[counters];
    __builtin_memcpy(lane, &bytes, sizeof lane);
    for (std::size_t i = 0; i < counters; ++i) {
        const auto four = std::uint32_t(lane[i]);
        __builtin_memcpy(kept + 4 * i, &four, 4);
    }
}

}  // namespace

void dropout_mask(const DropoutMask& mask) {
    const std::size_t tail = mask.columns % elements, whole = mask.columns - tail;
    for (std::size_t row = 0; row < mask.rows; ++row) {
        bool* kept = mask.kept + row * mask.columns;
        for (std::size_t column = 0; column < whole; column += elements) {
            store(draw(mask, row, column / 4), kept + column);
        }
        if (tail == 0) continue;
        bool block[elements];
        store(draw(mask, row, whole / 4), block);
        for (std::size_t i = 0; i < tail; ++i) kept[whole + i] = block[i];
    }
}

}  // namespace fastdense::FASTDENSE_ISA
