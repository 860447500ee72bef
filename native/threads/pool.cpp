// A few threads that wait for work, awake for some tens of microseconds and then asleep.
#include "threads/pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <thread>
#include <utility>

#include "threads/cores.h"
#include "threads/flush.h"

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

void pause() {
#ifdef __x86_64__
    _mm_pause();
#endif
}

// Moves this thread off a processor, to another that it may use, if there is one. A woken thread often starts
// on its waker's, and the scheduler would let the two share it for milliseconds. Afterwards the scheduler may
// move the thread as before.
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

// The state of a round of work in one word, so that a late thread cannot mistake it for another: its number,
// how many threads may still join, and how many have.
struct Round {
    std::uint32_t number;
    std::uint16_t places, joined;

    static Round of(std::uint64_t word) {
        return {std::uint32_t(word >> 32), std::uint16_t(word >> 16), std::uint16_t(word)};
    }
    std::uint64_t word() const {
        return std::uint64_t(number) << 32 | std::uint64_t(places) << 16 | std::uint64_t(joined);
    }
};

class Pool {
public:
    // Never destroyed: its threads stop with the process.
    static Pool& get() {
        Pool* pool = instance.load();
        if (pool) return *pool;
        Pool* made = new Pool;
        if (instance.compare_exchange_strong(pool, made)) return *made;
        delete made;
        return *pool;
    }
    // A forked child has none of the threads, and locks in any state: it needs a new pool.
    static void forget() { instance.store(nullptr); }

    // Returns false if this thread or another one holds the pool.
    bool run(int threads, bool together, const Work& work) {
        if (busy_.test_and_set()) return false;
        Round round = Round::of(round_.load());
        round = {round.number + 1, std::uint16_t(employ(threads - 1)), 0};
        work_ = &work;
        caller_ = processor();
        mode_ = floating_mode();
        finished_.store(0);
        if (!together) start(round.number, 1 + round.places);
        round_.store(round.word());
        round_.notify_all();
        if (together) {
            const auto opened = Clock::now();
            while (Round::of(round_.load()).places > 0 && Clock::now() - opened < patience) pause();
            start(round.number, 1 + close());
        }
        work({0, threads_, *barrier_});
        const int joined = close();
        spin_until([&] { return finished_.load() == joined; });
        busy_.clear();
        return true;
    }

private:
    using Clock = std::chrono::steady_clock;
    // `awake` is longer than the gap between two calls in a loop, and short enough that nothing else misses
    // the core. `patience`, for threads that are to start together, is longer than it takes to wake one.
    static constexpr auto awake = std::chrono::microseconds(50), patience = std::chrono::microseconds(200);

    // Starts threads until `wanted` exist, and returns how many of them there are for the work.
    int employ(int wanted) {
        try {
            while (employed_ < wanted) {
                std::thread([this, seen = Round::of(round_.load()).number] { serve(seen); }).detach();
                ++employed_;
            }
        } catch (const std::exception&) {  // no more threads or no memory: work with those that exist
        }
        return std::min(employed_, wanted);
    }

    void start(std::uint32_t number, int threads) {
        threads_ = threads;
        barrier_.emplace(threads);
        started_.store(number);
    }

    // Ends joining, and returns how many threads have joined.
    int close() { return Round::of(round_.fetch_and(~(std::uint64_t(0xFFFF) << 16))).joined; }

    // Joins a round that has a place left; returns which thread of its team this is, or 0.
    int join(std::uint64_t word) {
        for (Round round = Round::of(word); round.places > 0; round = Round::of(word)) {
            const Round joined{round.number, std::uint16_t(round.places - 1),
                               std::uint16_t(round.joined + 1)};
            if (round_.compare_exchange_weak(word, joined.word())) return joined.joined;
            if (Round::of(word).number != round.number) return 0;
        }
        return 0;
    }

    void serve(std::uint32_t seen) {
        for (;;) {
            const auto idle = Clock::now();
            std::uint64_t word = round_.load();
            while (Round::of(word).number == seen && Clock::now() - idle < awake) {
                pause();
                word = round_.load();
            }
            if (Round::of(word).number == seen) {
                round_.wait(word);
                continue;
            }
            const std::uint32_t number = Round::of(word).number;
            if (const int thread = join(word)) {
                leave(caller_);
                set_floating_mode(mode_);
                spin_until([&] { return started_.load() == number; });
                (*work_)({thread, threads_, *barrier_});
                finished_.fetch_add(1);
            }
            seen = number;
        }
    }

    static inline std::atomic<Pool*> instance;
    std::atomic_flag busy_;
    int employed_ = 0;
    // For the current round, written before it starts.
    const Work* work_ = nullptr;
    std::optional<SpinBarrier> barrier_;
    int threads_ = 0, caller_ = -1;  // the processor that the caller runs on
    unsigned mode_ = 0;              // of the caller's floating-point unit: all threads compute alike
    std::atomic<std::uint64_t> round_{0};
    std::atomic<std::uint32_t> started_{0};
    std::atomic<int> finished_{0};
};

std::atomic<int> chosen{0}, fallback{0};
std::atomic<int> callers{0};

// A call in progress. Calls from several threads share the pool's threads: two fits side by side on two cores
// take one each, from the second one's arrival on, once the current stretch of milliseconds ends.
class Caller {
public:
    Caller() { callers.fetch_add(1, std::memory_order_relaxed); }
    ~Caller() { callers.fetch_sub(1, std::memory_order_relaxed); }
    int share_of(int threads) const {
        const int all = std::max(1, callers.load(std::memory_order_relaxed));
        return std::min(threads, std::max(1, threads_of_process() / all));
    }
};

// A forked child has one thread only.
void forget_all() {
    callers.store(0);
    Pool::forget();
}

bool run(int threads, bool together, const Work& work) {
#ifdef __unix__
    static const int registered = pthread_atfork(nullptr, nullptr, forget_all);
    (void)registered;
#endif
    return threads > 1 && Pool::get().run(threads, together, work);
}

thread_local int limit_here = 0;

}  // namespace

int threads_of_process() {
    for (const auto* set : {&chosen, &fallback}) {
        if (const int threads = set->load()) return threads;
    }
    static const int found = usable_cores();
    return found;
}

int max_threads() {
    const int all = threads_of_process();
    return limit_here ? std::min(limit_here, all) : all;
}

int limit_this_thread(int threads) {
    return std::exchange(limit_here, threads);
}

void set_max_threads(int threads) {
    chosen.store(threads);
}

void set_default_threads(int threads) {
    fallback.store(threads);
}

int threads_for(std::size_t multiply_adds, std::size_t each) {
    return int(std::clamp<std::size_t>(multiply_adds / each, 1, std::size_t(max_threads())));
}

void run_team(int threads, const Work& work) {
    const Caller caller;
    if (run(caller.share_of(threads), true, work)) return;
    SpinBarrier alone(1);
    work({0, 1, alone});
}

void run_crowd(int threads, const std::function<void(int thread)>& work) {
    if (threads == 1) return work(0);  // too short to be counted
    const Caller caller;
    const Work of_team = [&](const Team& team) { work(team.thread); };
    if (!run(caller.share_of(threads), false, of_team)) work(0);
}

}  // namespace fastdense

// By this symbol threadpoolctl recognises the library.
extern "C" [[gnu::visibility("default")]] int fastdense_max_threads() {
    return fastdense::max_threads();
}
