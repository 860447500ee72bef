// A barrier for threads that must go on within nanoseconds of one another.
#pragma once

#include <atomic>
#include <thread>

namespace fastdense {

class SpinBarrier {
public:
    explicit SpinBarrier(int threads) : threads_(threads) {}

    // Waits for all threads. False once the barrier is cancelled: the team will never be complete.
    bool wait() {
        const int phase = phase_.load();
        if (arrived_.fetch_add(1) + 1 == threads_) {
            arrived_.store(0);
            phase_.fetch_add(1);
        }
        for (int spins = 0; phase_.load() == phase && !cancelled_.load(); ++spins) {
            // Past a few hundred microseconds somebody is waiting for a core: perhaps for this one.
            if (spins > 1 << 16) std::this_thread::yield();
        }
        return !cancelled_.load();
    }

    void cancel() { cancelled_.store(true); }

private:
    const int threads_;
    std::atomic<int> arrived_{0};
    std::atomic<int> phase_{0};
    std::atomic<bool> cancelled_{false};
};

}  // namespace fastdense
