// Takes subnormal numbers for zero on this thread, as long as it lives.
#pragma once

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace fastdense {

// In training the running means of gradients that have become 0 shrink until they are subnormal and stay so,
// step after step; many processors take a hundred cycles for each. In prediction nothing repeats, and nothing
// is flushed.
class FlushSubnormals {
#ifdef __x86_64__
public:
    FlushSubnormals() : mode_(_mm_getcsr()) { _mm_setcsr(mode_ | 0x8040); }  // results, and operands
    ~FlushSubnormals() { _mm_setcsr(mode_); }
    FlushSubnormals(const FlushSubnormals&) = delete;
    FlushSubnormals& operator=(const FlushSubnormals&) = delete;

private:
    const unsigned mode_;
#else
public:
    FlushSubnormals() {}
#endif
};

}  // namespace fastdense
