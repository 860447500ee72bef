// An optimizer's constants for a whole run, and what the kernels take of them for one step.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include "kernels/dense.h"

namespace fastdense {

constexpr double unlimited = std::numeric_limits<double>::infinity();

// Flags are 0 or 1; a limit is infinite if nothing is clipped.
struct Recipe {
    Rule rule = Rule::sgd;
    double nesterov = 0, centered = 0, amsgrad = 0;
    double momentum = 0, rho = 0, beta_1 = 0, beta_2 = 0, epsilon = 0, weight_decay = 0;
    double clipvalue = unlimited, clipnorm = unlimited, global_clipnorm = unlimited;
    std::size_t slots = 0;
    std::uint64_t seed = 0;

    bool clips_by_norm() const { return std::isfinite(clipnorm) || std::isfinite(global_clipnorm); }
    // The factor that clips a gradient by norm, from the sum of the squares of its array and of all arrays.
    double clipping(double of_array, double of_all) const {
        const bool each = std::isfinite(clipnorm);
        const double limit = each ? clipnorm : global_clipnorm;
        const double norm = std::sqrt(each ? of_array : of_all);
        return norm > limit ? limit / norm : 1.0;
    }

    // Adam's bias corrections are folded into its rate: Kingma and Ba, "Adam", 2015, the end of section 2.
    struct Correction {
        double factor = 1, divisor = 1;
        double operator()(double rate) const { return rate * factor / divisor; }
    };
    Correction correction(std::size_t step) const {
        if (rule != Rule::adam) return {};
        const double t = double(step) + 1;
        return {std::sqrt(1 - std::pow(beta_2, t)), 1 - std::pow(beta_1, t)};
    }

    template <class T>
    Optimizer<T> at(std::size_t step, double rate, double decay) const {
        return {.rule = rule,
                .nesterov = nesterov != 0,
                .centered = centered != 0,
                .amsgrad = amsgrad != 0,
                .momentum = T(momentum),
                .rho = T(rho),
                .rho_gain = T(1 - rho),
                .gain_1 = T(1 - beta_1),
                .gain_2 = T(1 - beta_2),
                .epsilon = std::max(T(epsilon), std::numeric_limits<T>::min()),  // 0 / (0 + epsilon) is 0
                .decay = T(decay * rate),
                .rate = T(correction(step)(rate)),
                .limit = T(clipvalue)};
    }
};

// The constants by the names that fastdense.core.spec gives them.
using Constant = std::pair<std::string_view, double Recipe::*>;
inline constexpr Constant constants[] = {
    {"nesterov", &Recipe::nesterov},
    {"centered", &Recipe::centered},
    {"amsgrad", &Recipe::amsgrad},
    {"momentum", &Recipe::momentum},
    {"rho", &Recipe::rho},
    {"beta_1", &Recipe::beta_1},
    {"beta_2", &Recipe::beta_2},
    {"epsilon", &Recipe::epsilon},
    {"weight_decay", &Recipe::weight_decay},
    {"clipvalue", &Recipe::clipvalue},
    {"clipnorm", &Recipe::clipnorm},
    {"global_clipnorm", &Recipe::global_clipnorm},
};

}  // namespace fastdense
