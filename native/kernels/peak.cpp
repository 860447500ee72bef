// Times the multiply-add and the reading loop on several threads at once, and messages between two of them.
#include "kernels/peak.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <thread>
#include <vector>

#include "threads/spin_barrier.h"

namespace fastdense {
namespace {

using Clock = std::chrono::steady_clock;
using Job = std::function<double(int thread, std::size_t steps)>;  // returns the operations done in `steps`

// Short enough to fit between two interruptions (a timer tick comes every 1 to 10 ms), long enough that the
// clock's and the barrier's tenths of a microsecond don't matter.
constexpr std::chrono::duration<double> run_time = std::chrono::milliseconds(2);
constexpr int repeats = 15;  // the first few also bring the cores to their full clock

struct Run {
    Clock::time_point start, end;
    double operations;
};

Run timed(const Job& job, int thread, std::size_t steps) {
    const auto start = Clock::now();
    const double operations = job(thread, steps);
    return {start, Clock::now(), operations};
}

std::size_t steps_that_fill_a_run(const Job& job) {
    std::size_t steps = 1;
    for (;; steps *= 2) {
        const Run run = timed(job, 0, steps);
        if (run.end - run.start >= run_time) return steps;
    }
}

// The operations of all threads over the time from the first start to the last end.
double rate(const std::vector<std::vector<Run>>& runs, int repeat) {
    Run all = runs[0][repeat];
    for (std::size_t thread = 1; thread < runs.size(); ++thread) {
        const Run& run = runs[thread][repeat];
        all.start = std::min(all.start, run.start);
        all.end = std::max(all.end, run.end);
        all.operations += run.operations;
    }
    return all.operations / std::chrono::duration<double>(all.end - all.start).count();
}

// Joins its threads whatever happens; those of an incomplete team are cancelled first.
class Team {
public:
    explicit Team(SpinBarrier& barrier) : barrier_(barrier) {}
    ~Team() {
        if (!complete) barrier_.cancel();
        for (auto& thread : threads) thread.join();
    }
    std::vector<std::thread> threads;
    bool complete = false;

private:
    SpinBarrier& barrier_;
};

// The best of several short runs on threads that are started together.
double best_rate(const Job& job, int threads) {
    const std::size_t steps = steps_that_fill_a_run(job);
    std::vector<std::vector<Run>> runs(threads, std::vector<Run>(repeats));
    SpinBarrier barrier(threads);
    const auto work = [&](int thread) {
        for (int repeat = 0; repeat < repeats && barrier.wait(); ++repeat) {
            runs[thread][repeat] = timed(job, thread, steps);
        }
    };
    {
        Team team(barrier);
        for (int thread = 1; thread < threads; ++thread) team.threads.emplace_back(work, thread);
        team.complete = true;
        work(0);
    }
    double best = 0;
    for (int repeat = 0; repeat < repeats; ++repeat) best = std::max(best, rate(runs, repeat));
    return best;
}

// Numbers aligned for vectors.
struct Numbers {
    explicit Numbers(std::size_t count) : room(count + alignment / sizeof(float), 1.0f) {
        const auto address = reinterpret_cast<std::uintptr_t>(room.data());
        first = room.data() + (alignment - address % alignment) % alignment / sizeof(float);
    }
    static constexpr std::size_t alignment = 64;
    std::vector<float> room;
    const float* first;
};

}  // namespace

double measure_peak(double (*loop)(std::size_t steps), int threads) {
    return best_rate([loop](int, std::size_t steps) { return loop(steps); }, threads);
}

double measure_bandwidth(double (*loop)(const float* data, std::size_t count, std::size_t passes),
                         std::size_t bytes, int threads) {
    const std::size_t count = bytes / sizeof(float);
    std::vector<Numbers> own;
    own.reserve(threads);
    for (int thread = 0; thread < threads; ++thread) own.emplace_back(count);
    return best_rate([&](int thread, std::size_t steps) { return loop(own[thread].first, count, steps); },
                     threads);
}

double measure_round_trip() {
    constexpr int trips = 2000, tries = 5;
    std::atomic<int> ball{0};  // even: thrown by the second thread, odd: by the first
    std::thread second([&ball] {
        for (int i = 1; i <= 2 * trips * tries; i += 2) {
            spin_until([&] { return ball.load() == i; });
            ball.store(i + 1);
        }
    });
    double best = std::numeric_limits<double>::infinity();
    for (int i = 0; i < tries; ++i) {
        const auto start = Clock::now();
        for (int trip = 0; trip < trips; ++trip) {
            const int back = ball.load() + 2;
            ball.store(back - 1);
            spin_until([&] { return ball.load() == back; });
        }
        best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count() / trips);
    }
    second.join();
    return best;
}

}  // namespace fastdense
