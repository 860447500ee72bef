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

using Work = std::function<void(const Team&)>;

// How many threads work of this process may have: what was set, or the default, or as many as there are
// usable cores. 0 unsets.
int threads_of_process();
void set_max_threads(int threads);
void set_default_threads(int threads);

// How many the calling thread's work may have: no more than its own limit either, 0 for none. Setting that
// returns what it was before.
int max_threads();
int limit_this_thread(int threads);

// How many threads so many multiply-adds are worth, `each` a thread; at least one, at most max_threads().
int threads_for(std::size_t multiply_adds, std::size_t each);

// Both run `work` on the caller's thread and up to so many in all, and return when all have returned; alone
// where another thread of the process holds the pool, or inside such work. `work` must not throw.
//
// A team's threads start together and may wait for one another; who isn't there in time is not of the team.
// Of a crowd each thread starts as it comes, and who comes after the caller is through isn't waited for: the
// threads take from a common heap of work. A thread that sleeps takes some 50 microseconds to come.
void run_team(int threads, const Work& work);
void run_crowd(int threads, const std::function<void(int thread)>& work);

}  // namespace fastdense
