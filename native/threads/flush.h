// How a thread treats subnormal numbers, as results and as operands.
#pragma once

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace fastdense {

// The mode of this thread's floating-point unit, for another to take over.
inline unsigned floating_mode() {
#ifdef __x86_64__
    return _mm_getcsr();
#else
    return 0;
#endif
}

inline void set_floating_mode([[maybe_unused]] unsigned mode) {
#ifdef __x86_64__
    _mm_setcsr(mode);
#endif
}

// Takes subnormal numbers for zero on this thread, as long as it lives. In training the running means of
// gradients that have become 0 shrink until they are subnormal and stay so, step after step; many processors
// take a hundred cycles for each. In prediction nothing repeats, and nothing is flushed.
class FlushSubnormals {
public:
    FlushSubnormals() : mode_(floating_mode()) {
        set_floating_mode(mode_ | 0x8040);
    }  // results, and operands
    ~FlushSubnormals() { set_floating_mode(mode_); }
    FlushSubnormals(const FlushSubnormals&) = delete;
    FlushSubnormals& operator=(const FlushSubnormals&) = delete;

private:
    const unsigned mode_;
};

}  // namespace fastdense
