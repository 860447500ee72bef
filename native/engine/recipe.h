// An optimizer's constants for a whole run, and what the kernels take of them for one step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "kernels/dense.h"

namespace fastdense {

constexpr double unlimited = std::numeric_limits<double>::infinity();

// As fastdense.core.spec.OptimizerSpec has it; a limit is infinite if nothing is clipped.
struct Recipe {
    Rule rule = Rule::sgd;
    bool nesterov = false, centered = false, amsgrad = false;
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

}  // namespace fastdense
