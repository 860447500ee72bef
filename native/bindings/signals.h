// Ctrl-C, looked for while compiled code works.
#pragma once

#include <chrono>

#include "bindings/gil.h"

namespace fastdense::bindings {

// Called now and then by a thread that is Unlocked; returns false if Ctrl-C was pressed. Python is asked 20
// times per second.
class Signals {
public:
    bool operator()() {
        const auto now = Clock::now();
        if (now - asked_ < std::chrono::milliseconds(50)) return true;
        asked_ = now;
        const Locked locked;
        interrupted = PyErr_CheckSignals() != 0;
        return !interrupted;
    }
    bool interrupted = false;

private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point asked_ = Clock::now();
};

}  // namespace fastdense::bindings
