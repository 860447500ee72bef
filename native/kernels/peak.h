// What this machine really reaches: its multiply-add rate, how fast it reads, how soon one core hears from
// another.
#pragma once

#include <cstddef>

namespace fastdense {

// The best of several short runs of `loop` (one of a table's fma_loop_*) on `threads` threads started
// together, in operations per second; a multiply-add is two operations.
double measure_peak(double (*loop)(std::size_t steps), int threads);

// The same for reading: `loop` (one of a table's read_loop) on each thread's own `bytes` of memory, in bytes
// per second.
double measure_bandwidth(double (*loop)(const float* data, std::size_t count, std::size_t passes),
                         std::size_t bytes, int threads);

// The best time of a message from one thread to another and back, in seconds: what sharing work costs at
// least.
double measure_round_trip();

}  // namespace fastdense
