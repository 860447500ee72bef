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
        const bool team_leads = team_ <= alone_;  // at first both are 0: not tried
        const bool other = alone_ == 0 ? team_ != 0 : ++stretches_ % retry == 0;
        return team_leads != other ? most : 1;
    }

    // How many steps to take before asking again; `guess`: the seconds of one, where none has been timed.
    std::size_t steps(double guess) const {
        const double best = alone_ == 0 ? team_ : std::min(team_, alone_);
        return std::size_t(std::clamp(stretch_seconds / (best > 0 ? best : guess), 1.0, 1e6));
    }

    // Steps took so long each: less is believed, more only by and by, since other programs may have had a
    // turn.
    void took(int threads, double seconds) {
        double& known = threads > 1 ? team_ : alone_;
        known = known == 0 ? seconds : std::min(seconds, drift * known);
    }

private:
    static constexpr double stretch_seconds = 2e-3, drift = 1.1;
    static constexpr unsigned retry = 32;

    explicit Pace(int most) : most_(most) {}

    int most_ = 0;
    unsigned stretches_ = 0;
    double team_ = 0, alone_ = 0;  // seconds a step
};

}  // namespace fastdense
