// The engine's threads: one pool a process, for regions that last microseconds.
#pragma once

#include <functional>

#include "threads/spin_barrier.h"

namespace fastdense {

// One thread's place in a team that runs the same work side by side.
struct Team {
    int thread, threads;
    SpinBarrier& barrier;

    void wait() const {
        if (threads > 1) barrier.wait();
    }
    // Whether the i-th of many equal things is this thread's.
    bool takes(std::size_t i) const { return int(i % std::size_t(threads)) == thread; }
};

// How many threads a region may have: what was set, else FASTDENSE_NUM_THREADS, else the usable cores.
int max_threads();
// 0 goes back to the default.
void set_max_threads(int threads);

// How many threads work of so many multiply-adds is worth. A region costs a microsecond or two where all
// threads are awake on cores of their own, and some tens where one must be woken: 2 million take one core
// about 16.
int threads_for(std::size_t multiply_adds);

// Runs `work` on so many threads, the caller's included, and returns when all have. The team has only the
// caller where another thread of the process holds the pool, or inside a region. `work` must not throw.
void run_team(int threads, const std::function<void(const Team&)>& work);

}  // namespace fastdense
