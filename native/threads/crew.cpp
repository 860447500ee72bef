// A queue of tasks, and threads that sleep while it is empty.
#include "threads/crew.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <list>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include "threads/flush.h"
#include "threads/pool.h"

#if __has_include(<unistd.h>)
#include <unistd.h>
#endif

namespace fastdense {
namespace {

// Which process this is: a forked child is another one.
long process() {
#if __has_include(<unistd.h>)
    return getpid();
#else
    return 0;
#endif
}

struct Submitted {
    std::unique_ptr<Task> task;
    unsigned mode;  // of the floating-point unit of the thread that submitted it
};

}  // namespace

struct Crew::State {
    explicit State(int most) : most(most) {}

    const int most;
    const long made_by = process();
    std::mutex mutex;
    std::condition_variable work, done;
    std::list<Submitted> waiting, at_work, ended;  // a task moves on without an allocation, which might fail
    std::size_t idle = 0;                          // threads that wait for work
    std::atomic<bool> stopped{false};
    std::vector<std::thread> threads;

    // Starts a thread if all are at work and there may be more.
    void employ() {
        if (waiting.size() <= idle || int(threads.size()) >= most) return;
        try {
            threads.emplace_back([this] { serve(); });
        } catch (const std::exception&) {  // no more threads or no memory: work with those that exist
            if (threads.empty()) throw;
        }
    }

    void serve() {
        limit_this_thread(1);
        const std::function<bool()> go_on = [this] { return !stopped.load(std::memory_order_relaxed); };
        std::unique_lock lock(mutex);
        for (;;) {
            ++idle;
            work.wait(lock, [this] { return stopped || !waiting.empty(); });
            --idle;
            if (stopped) return;
            const auto mine = waiting.begin();
            at_work.splice(at_work.end(), waiting, mine);
            lock.unlock();
            set_floating_mode(mine->mode);
            mine->task->run(go_on);
            lock.lock();
            ended.splice(ended.end(), at_work, mine);
            done.notify_one();
        }
    }
};

Crew::Crew(int threads) : state_(std::make_unique<State>(std::max(1, threads))) {}

Crew::~Crew() {
    if (state_->made_by == process()) {
        stop();
    } else {
        (void)state_.release();  // threads that are not there cannot be joined, and may hold the lock
    }
}

int Crew::threads() const {
    return state_->most;
}

void Crew::submit(std::unique_ptr<Task> task) {
    check_process();
    const std::lock_guard lock(state_->mutex);
    if (state_->stopped) throw std::runtime_error("this crew has been dismissed");
    state_->waiting.push_back({std::move(task), floating_mode()});
    try {
        state_->employ();
    } catch (...) {
        state_->waiting.pop_back();
        throw;
    }
    state_->work.notify_one();
}

std::unique_ptr<Task> Crew::collect(Clock::time_point until, const std::function<bool()>& go_on) {
    constexpr auto patience = std::chrono::milliseconds(50);
    do {
        check_process();
        std::unique_lock lock(state_->mutex);
        const auto settled = [this] {
            return !state_->ended.empty() || (state_->waiting.empty() && state_->at_work.empty());
        };
        if (state_->done.wait_until(lock, std::min(until, Clock::now() + patience), settled)) {
            if (state_->ended.empty()) return nullptr;
            std::unique_ptr<Task> task = std::move(state_->ended.front().task);
            state_->ended.pop_front();
            return task;
        }
        lock.unlock();  // `go_on` may run a signal handler, which may fork
    } while (go_on() && Clock::now() < until);
    return nullptr;
}

void Crew::stop() {
    if (state_->made_by != process()) return;
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopped = true;
    }
    state_->work.notify_all();
    for (std::thread& thread : state_->threads) thread.join();
    state_->threads.clear();
}

void Crew::check_process() const {
    if (state_->made_by != process()) {
        throw std::runtime_error("a crew belongs to the process that made it, and this is a fork of it");
    }
}

}  // namespace fastdense
