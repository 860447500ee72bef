// Finds by trial how many threads take the least time for a training step.
#pragma once

#include <algorithm>
#include <cstddef>

namespace fastdense {

// The gain from a second core depends on the distance between the cores, on their other load, and on the
// network: a message between two virtual cores took 0.1 microseconds one hour and 0.5 the next, and a step of
// 256 x 4 at batch 32 took 115 or 260 microseconds on both, 200 on one. No result depends on the choice, so
// both are timed, the faster is used, and the other is tried again now and then.
class Pace {
public:
    Pace() = default;

    // Returns the number of threads for the next steps, at most `most`.
    int threads(int most) {
        if (most != most_) *this = Pace(most);
        if (most == 1) return 1;
        if (tried_ < first_tries) return tried_++ % 2 == 0 ? most : 1;
        // The slower it was, the later it is tried again: trials cost at most a 32nd of the time.
        const bool try_other = ++stretches_ * std::min(team_, alone_) > 32 * std::max(team_, alone_);
        if (try_other) stretches_ = 0;
        return (team_ <= alone_) != try_other ? most : 1;
    }

    // Returns the number of steps of `rows` rows to take before asking again. `guess` is the seconds per row
    // until one has been timed.
    std::size_t steps(std::size_t rows, double guess) const {
        const double best = alone_ == 0 ? team_ : std::min(team_, alone_);
        return std::size_t(
            std::clamp(stretch_seconds / (double(rows) * (best > 0 ? best : guess)), 1.0, 1e6));
    }

    // Records the seconds per row. A lower figure is believed at once and a higher one by and by, since other
    // programs may have had the core.
    void took(int threads, double seconds) {
        double& known = threads > 1 ? team_ : alone_;
        known = known == 0 ? seconds : std::min(seconds, drift * known);
    }

private:
    static constexpr double stretch_seconds = 2e-3, drift = 1.1;
    // Both in turn: the first try of each finds cold caches and sleeping threads.
    static constexpr int first_tries = 6;

    explicit Pace(int most) : most_(most) {}

    int most_ = 0, tried_ = 0;
    double stretches_ = 0;         // since the slower one was tried
    double team_ = 0, alone_ = 0;  // seconds per row; 0: not tried
};

}  // namespace fastdense
