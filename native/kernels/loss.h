// The arguments of the loss kernels: the rows of a batch and their targets.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/dense.h"

namespace fastdense {

enum class Loss : std::uint8_t {
#define LOSS(name, ...) name,
#include "kernels/losses.inc"
};

struct LossOptions {
    Loss loss;
    bool from_logits;
    double label_smoothing;
    double parameter;  // huber's delta, or the quantile
};

// Rows of outputs (logits, for a loss from logits) and of targets; class numbers are in `labels` instead of
// `targets`. If `scale` is given, one number per row, `gradient` becomes the gradient of scale times the
// loss.
template <class T>
struct LossRows {
    LossOptions options;
    View<const T> outputs, targets;
    const std::int64_t* labels;
    double* losses;
    const T* scale;
    View<T> gradient;
};

}  // namespace fastdense
