// A few threads that wait for work: awake for some tens of microseconds after the last, then asleep.
#include "threads/pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#include "threads/cores.h"

#ifdef __linux__
#include <sched.h>
#endif
#ifdef __unix__
#include <pthread.h>
#endif
#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace fastdense {
namespace {

// Longer than the gap between two calls in a loop, shorter than what a waiting core is missed for.
constexpr auto awake = std::chrono::microseconds(50);

void pause() {
#ifdef __x86_64__
    _mm_pause();
#endif
}

// Leaves a processor for another that this thread may use, where there is one. A woken thread often starts on
// its waker's, and the scheduler would let the two share it for milliseconds; afterwards it may move this one
// as ever.
#ifdef __linux__
int processor() {
    return sched_getcpu();
}

void leave(int occupied) {
    cpu_set_t mine, others;
    if (sched_getcpu() != occupied || sched_getaffinity(0, sizeof mine, &mine) != 0) return;
    others = mine;
    CPU_CLR(occupied, &others);
    if (CPU_COUNT(&others) == 0) return;
    sched_setaffinity(0, sizeof others, &others);
    sched_setaffinity(0, sizeof mine, &mine);
}
#else
int processor() {
    return -1;
}

void leave(int) {}
#endif

class Pool {
public:
    // Never ends: at the process's exit its threads just stop.
    static Pool& get() {
        Pool* pool = instance.load();
        if (pool) return *pool;
        static std::mutex making;
        const std::lock_guard lock(making);
        if (!instance.load()) instance.store(new Pool);
        return *instance.load();
    }
    // In a forked child the threads are gone, and the locks as they happened to be: it starts anew.
    static void forget() { instance.store(nullptr); }

    bool run(int threads, const std::function<void(const Team&)>& work) {
        const std::unique_lock lock(busy_, std::try_to_lock);
        if (!lock.owns_lock()) return false;
        while (int(workers_.size()) < threads - 1) {
            const int thread = int(workers_.size()) + 1;
            workers_.emplace_back([this, thread, seen = round_.load()] { serve(thread, seen); });
            workers_.back().detach();
        }
        SpinBarrier barrier(threads);
        work_ = &work;
        barrier_ = &barrier;
        caller_ = processor();
        left_.store(threads - 1);
        round_.store((round_.load() / most + 1) * most + std::uint64_t(threads));
        round_.notify_all();
        call(0, threads);
        spin_until([this] { return left_.load() == 0; });
        return true;
    }

private:
    void call(int thread, int threads) { (*work_)({thread, threads, *barrier_}); }

    // A thread that is not of a round's team may be late to see it, and must not take it for the next one: so
    // the number of threads is read together with the round's.
    void serve(int thread, std::uint64_t seen) {
        for (;;) {
            const auto start = std::chrono::steady_clock::now();
            while (round_.load() == seen && std::chrono::steady_clock::now() - start < awake) pause();
            round_.wait(seen);
            seen = round_.load();
            const int threads = int(seen % most);
            if (thread >= threads) continue;
            leave(caller_);
            call(thread, threads);
            left_.fetch_sub(1);
        }
    }

    static inline std::atomic<Pool*> instance;
    std::mutex busy_;
    std::vector<std::thread> workers_;
    const std::function<void(const Team&)>* work_ = nullptr;
    SpinBarrier* barrier_ = nullptr;
    int caller_ = -1;                               // the processor that the caller of this round runs on
    static constexpr std::uint64_t most = 1 << 16;  // more threads than any machine has
    std::atomic<std::uint64_t> round_{0};           // its number times `most`, and how many threads take part
    std::atomic<int> left_{0};
};

std::atomic<int> chosen{0};

int default_threads() {
    const char* text = std::getenv("FASTDENSE_NUM_THREADS");
    const int wanted = text ? std::atoi(text) : 0;
    return wanted > 0 ? wanted : usable_cores();
}

}  // namespace

int max_threads() {
    const int threads = chosen.load();
    if (threads > 0) return threads;
    static const int found = default_threads();
    return found;
}

void set_max_threads(int threads) {
    chosen.store(threads);
}

int threads_for(std::size_t multiply_adds) {
    constexpr std::size_t alone = 2 << 20, each = 1 << 20;
    if (multiply_adds < alone) return 1;
    return int(std::min<std::size_t>(std::size_t(max_threads()), 2 + (multiply_adds - alone) / each));
}

void run_team(int threads, const std::function<void(const Team&)>& work) {
#ifdef __unix__
    static const int registered = pthread_atfork(nullptr, nullptr, Pool::forget);
    (void)registered;
#endif
    if (threads > 1 && Pool::get().run(threads, work)) return;
    SpinBarrier alone(1);
    work({0, 1, alone});
}

}  // namespace fastdense
