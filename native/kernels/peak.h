// The multiply-add rate that this machine really reaches.
#pragma once

#include <cstddef>

namespace fastdense {

// The best of several short runs of `loop` (one of a table's fma_loop_*) on `threads` threads started
// together, in operations a second; a multiply-add is two operations.
double measure_peak(double (*loop)(std::size_t steps), int threads);

}  // namespace fastdense
