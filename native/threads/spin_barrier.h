// A barrier for threads that must go on within nanoseconds of one another.
#pragma once

#include <atomic>
#include <thread>

namespace fastdense {

// Waits awake. Past some tens of microseconds the awaited thread may well be waiting for a core, perhaps for
// this one: a new thread often starts on its maker's core, and would stay there until the scheduler's next
// tick.
template <class Condition>
void spin_until(Condition condition) {
    for (int spins = 0; !condition();) {
#ifdef __x86_64__
        __builtin_ia32_pause();
#endif
        if (spins < 1000) {
            ++spins;
        } else {
            std::this_thread::yield();
        }
    }
}

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
        spin_until([&] { return phase_.load() != phase || cancelled_.load(); });
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
