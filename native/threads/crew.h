// Threads that each do a task from start to end. They wait for one another nowhere, and share no work: the
// pool's do, for regions of microseconds.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace fastdense {

class Task {
public:
    virtual ~Task() = default;
    // Does the task; calls `go_on` every few milliseconds and ends early once that returns false.
    virtual void run(const std::function<bool()>& go_on) noexcept = 0;
};

// All but `stop` must be called by one thread at a time. Tasks are destroyed by the threads that call, never
// by those that work.
class Crew {
public:
    using Clock = std::chrono::steady_clock;

    explicit Crew(int threads);
    // A forked child has none of the threads: there the destructor leaves everything as it is.
    ~Crew();
    Crew(const Crew&) = delete;

    int threads() const;
    // Tasks are begun in the order that they are submitted in, in the caller's floating-point mode. Throws
    // std::runtime_error in a forked child and after `stop`.
    void submit(std::unique_ptr<Task> task);
    // Returns a task that has ended, the one that ended first. Null if none has at a time, none is left, or
    // `go_on`, which is called 20 times per second, returns false.
    std::unique_ptr<Task> collect(Clock::time_point until, const std::function<bool()>& go_on);
    // Ends the threads, and what they are at within milliseconds.
    void stop();

private:
    struct State;
    void check_process() const;
    std::unique_ptr<State> state_;
};

}  // namespace fastdense
