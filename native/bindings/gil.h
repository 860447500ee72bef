// Releases the interpreter's lock and takes it back. The interpreter may end meanwhile.
#pragma once

#include <nanobind/nanobind.h>

#include <chrono>
#include <thread>

namespace fastdense::bindings {

// Runs `take`, which asks for the lock. A daemon thread that asks for it after the interpreter's end never
// gets it: Python before 3.14 unwinds the thread's stack, and a destructor on the way would end the process.
// The thread sleeps here until the process ends.
template <class Take>
void take_or_sleep(Take take) noexcept {
    try {
        take();
    } catch (...) {
        for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    }
}

// Lets other Python threads run for as long as it lives.
class Unlocked {
public:
    Unlocked() : state_(PyEval_SaveThread()) {}
    ~Unlocked() {
        take_or_sleep([this] { PyEval_RestoreThread(state_); });
    }
    Unlocked(const Unlocked&) = delete;

private:
    PyThreadState* const state_;
};

// Lets a thread that was Unlocked use Python for as long as it lives.
class Locked {
public:
    Locked() {
        take_or_sleep([this] { state_ = PyGILState_Ensure(); });
    }
    ~Locked() { PyGILState_Release(state_); }
    Locked(const Locked&) = delete;

private:
    PyGILState_STATE state_;
};

}  // namespace fastdense::bindings
