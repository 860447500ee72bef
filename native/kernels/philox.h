// Philox4x32-10, a random function: the same key and counter always give the same four words, so any element
// of any mask can be drawn on its own, in any order, on any thread.
//
// J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw: Parallel random numbers: as easy as 1, 2, 3. SC 2011.
#pragma once

#include <cstdint>

namespace fastdense {

// Turns a counter's four words into random words, in place.
//
// `Word` is std::uint64_t or a vector of them, for one counter per lane. Words are 32 bits in the low half;
// the high half holds anything, since only `multiply(word, constant)`, the 64-bit product of low halves,
// would see it. (Packing eight 32-bit words to an AVX2 register instead costs more shuffles than it saves.)
template <class Word, class Multiply>
[[gnu::always_inline]] inline void philox4x32(std::uint64_t key, Word (&words)[4], Multiply multiply) {
    std::uint32_t low = std::uint32_t(key), high = std::uint32_t(key >> 32);
    for (int round = 0; round < 10; ++round) {
        const Word product0 = multiply(words[0], std::uint64_t(0xD2511F53));
        const Word product1 = multiply(words[2], std::uint64_t(0xCD9E8D57));
        words[0] = (product1 >> 32) ^ words[1] ^ std::uint64_t(low);
        words[1] = product1;
        words[2] = (product0 >> 32) ^ words[3] ^ std::uint64_t(high);
        words[3] = product0;
        low += 0x9E3779B9;   // the golden ratio
        high += 0xBB67AE85;  // sqrt(3) - 1
    }
}

}  // namespace fastdense
