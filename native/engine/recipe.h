// An optimizer's constants for a whole run, and what the kernels take of them for one step.
#pragma once

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

    bool clips_by_norm() const;
    // The factor that clips a gradient by norm, from the sum of the squares of its array and of all arrays.
    double clipping(double of_array, double of_all) const;
    template <class T>
    Optimizer<T> at(std::size_t step, double rate) const;
};

// The constants by the names that fastdense.core.spec gives them.
inline constexpr std::pair<std::string_view, double Recipe::*> constants[] = {
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
