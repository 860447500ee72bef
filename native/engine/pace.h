// Finds by trying how many threads take the least time for a step of training.
#pragma once

#include <algorithm>
#include <cstddef>

namespace fastdense {

// What a second core is worth depends on how far apart the cores are, on what else runs on them, and on the
// network: of two virtual cores the messages took 0.1 microseconds one hour and 0.5 the next, and a step of
// 256 x 4 at batch 32 took 115 microseconds or 260 on both, 200 on one. No result depends on the choice, so
// both are timed, the better one is kept to, and the other is tried again now and then.
class Pace {
public:
    Pace() = default;

    // How many threads take the next steps, of `most` at most.
    int threads(int most) {
        if (most != most_) *this = Pace(most);
        if (most == 1) return 1;
        if (tried_ < first_tries) return tried_++ % 2 == 0 ? most : 1;
        // The worse it was, the later it is tried again: trying costs a 32nd of the time at most.
        const bool try_other = ++stretches_ * std::min(team_, alone_) > 32 * std::max(team_, alone_);
        if (try_other) stretches_ = 0;
        return (team_ <= alone_) != try_other ? most : 1;
    }

    // How many steps of so many rows to take before asking again; `guess`: the seconds of a row, where none
    // has been timed.
    std::size_t steps(std::size_t rows, double guess) const {
        const double best = alone_ == 0 ? team_ : std::min(team_, alone_);
        return std::size_t(
            std::clamp(stretch_seconds / (double(rows) * (best > 0 ? best : guess)), 1.0, 1e6));
    }

    // Rows took so long each: less is believed, more only by and by, since other programs may have had a
    // turn.
    void took(int threads, double seconds) {
        double& known = threads > 1 ? team_ : alone_;
        known = known == 0 ? seconds : std::min(seconds, drift * known);
    }

private:
    static constexpr double stretch_seconds = 2e-3, drift = 1.1;
    static constexpr int first_tries =
        6;  // in turn: the first of each finds cold caches and sleeping threads

    explicit Pace(int most) : most_(most) {}

    int most_ = 0, tried_ = 0;
    double stretches_ = 0;         // since the worse one was tried
    double team_ = 0, alone_ = 0;  // seconds a row; 0: not tried
};

}  // namespace fastdense
