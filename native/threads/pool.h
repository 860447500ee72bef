// The engine's threads: one pool per process, for regions that last microseconds.
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
    // Returns true if the i-th of many equal things is this thread's.
    bool takes(std::size_t i) const { return int(i % std::size_t(threads)) == thread; }
};

using Work = std::function<void(const Team&)>;

// The most threads for this process's work: what was set, or the default, or the number of usable cores. 0
// unsets.
int threads_of_process();
void set_max_threads(int threads);
void set_default_threads(int threads);

// The most threads for the calling thread's work: its own limit counts too, unless that is 0. Setting the
// limit returns the previous one.
int max_threads();
int limit_this_thread(int threads);

// The number of threads for an amount of work, one per `each` multiply-adds: from 1 to max_threads().
int threads_for(std::size_t multiply_adds, std::size_t each);

// Both run `work` on the caller's thread and on up to `threads` in all, and return when all have returned.
// The caller works alone if another thread of the process holds the pool, or inside such work. `work` must
// not throw.
//
// A team's threads start together and may wait for one another; a thread that is late is not in the team. A
// crowd's threads start as they come and take from a common heap of work; the caller does not wait for a
// thread that comes after it has finished. A thread that sleeps takes about 50 microseconds to come.
void run_team(int threads, const Work& work);
void run_crowd(int threads, const std::function<void(int thread)>& work);

}  // namespace fastdense
