// Turns an optimizer's constants into those of one step.
#include "engine/recipe.h"

#include <algorithm>
#include <cmath>

namespace fastdense {

bool Recipe::clips_by_norm() const {
    return std::isfinite(clipnorm) || std::isfinite(global_clipnorm);
}

double Recipe::clipping(double of_array, double of_all) const {
    const bool each = std::isfinite(clipnorm);
    const double limit = each ? clipnorm : global_clipnorm;
    const double norm = std::sqrt(each ? of_array : of_all);
    return norm > limit ? limit / norm : 1.0;
}

// Adam's bias corrections are folded into its rate: Kingma and Ba, "Adam", 2015, the end of section 2.
template <class T>
Optimizer<T> Recipe::at(std::size_t step, double rate) const {
    double scaled = rate;
    if (rule == Rule::adam) {
        const double t = double(step) + 1;
        scaled = rate * std::sqrt(1 - std::pow(beta_2, t)) / (1 - std::pow(beta_1, t));
    }
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
            .decay = T(weight_decay * rate),
            .rate = T(scaled),
            .limit = T(clipvalue)};
}

template Optimizer<float> Recipe::at(std::size_t step, double rate) const;
template Optimizer<double> Recipe::at(std::size_t step, double rate) const;

}  // namespace fastdense
