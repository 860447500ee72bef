// What a program is given to train on, or to compute the losses of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "engine/matrix.h"
#include "engine/weights.h"

namespace fastdense {

// The targets of rows: a matrix, or class numbers if `labels` is not null.
template <class T>
struct Targets {
    Rows<T> values;
    const std::int64_t* labels;
};

// Rows whose losses are computed: those that `order` lists, or all if it is null.
template <class T>
struct Sample {
    Rows<T> X;
    Targets<T> y;
    const std::int64_t* order;
    std::size_t count;
};

// The rows to train on; each batch is the next `batch_rows` of `order`.
template <class T>
struct Batches {
    Rows<T> X;
    Targets<T> y;
    const T* weights;  // one per row of X, or null
    const std::int64_t* order;
    std::size_t count, batch_rows;
};

// Training steps: one per rate, numbered from `first` on. `outputs`, unless null, receives the outputs of
// every row in the order of the batches.
template <class T>
struct Run {
    Batches<T> batches;
    const double* rates;
    const double* penalty_scale;  // a factor per step for the penalties, or null for ones
    const double* weight_decay;   // one per step, or null for the optimizer's own
    const double* dropout;        // `dropouts` rates per step, one per dropout layer, or null for their own
    std::size_t dropouts, steps, first;
    double* losses;
    T* outputs;

    double penalty_factor(std::size_t step) const { return penalty_scale ? penalty_scale[step] : 1.0; }
    const double* dropout_rates(std::size_t step) const {
        return dropout ? dropout + step * dropouts : nullptr;
    }
};

// Asked before each stretch of steps, which takes some milliseconds: false ends training there.
using GoOn = std::function<bool()>;

// Arrays of what one layer trains, as Weights::load and Weights::store take them.
template <class T>
struct LayerArrays {
    std::size_t layer;
    PerArray<T*> arrays;
};

// An epoch of a job: its steps, and where to write what the watched rows come to after them.
template <class T>
struct Epoch {
    Run<T> run;
    double *losses = nullptr, *penalty = nullptr;
    T* outputs = nullptr;
    std::vector<LayerArrays<T>> parameters = {};  // to be filled with the weights
};

// Epochs that run one after another, with no decision between them.
template <class T>
struct Job {
    std::optional<Sample<T>> watched;
    std::vector<Epoch<T>> epochs;
};

// How far a job came: the whole epochs, and the losses that the last one begun has.
struct Trained {
    std::size_t epochs = 0, losses = 0;
};

}  // namespace fastdense
