// The arguments of the kernels that train several networks of one shape at once, one in each lane of a
// vector.
//
// Every number of a network is a vector here, of that number in each of the networks: what is computed for
// one of them is computed for all, and no lane sees another.
#pragma once

#include <cstddef>

#include "kernels/dense.h"

namespace fastdense {

// The lanes of the longest vector of the smallest type.
constexpr std::size_t most_lanes = 16;

// A number for each lane; those that a vector lacks are not read.
template <class T>
struct alignas(64) PerLane {
    T of[most_lanes];
};

// A matrix in memory whose elements are vectors, or single numbers that all lanes share. The steps from row
// to row and from column to column are in numbers.
template <class T>
struct LaneMatrix {
    T* data;  // null: zeros, for one that is read
    std::size_t row, column;
};

// out = start + a @ b, or its ReLU if `relu`, for `rows` x `count` and `count` x `columns` matrices: each sum
// in the order of `count`, as in tile.h. `out` may be `start`; the elements of `a` are single numbers if
// `shared`.
template <class T>
struct LaneProduct {
    std::size_t rows, columns, count;
    LaneMatrix<const T> a, b, start;
    LaneMatrix<T> out;
    bool shared, relu;
};

// Adds to the gradient of `count` numbers, whole vectors, that of their penalties.
template <class T>
struct LanePenalties {
    const Penalties<PerLane<T>>& penalties;
    const T* w;
    T* gradient;
    std::size_t count;
};

// As Step. All lanes have the same rule, flags and slots; of their constants, and of the scale of the
// gradient, each has its own.
template <class T>
struct LaneStep {
    const Optimizer<PerLane<T>>& optimizer;
    Parameters<T> parameters;
    const T* gradient;
    const PerLane<T>& scale;
    std::size_t count;
};

// Adds to sums[i % 8] of each lane, in double, for `rows` x `columns` vectors of which element (row, column)
// is number i = row * width + column: l1 |w| + l2 w w, or w w if `penalties` is null.
template <class T>
struct LaneSums {
    LaneMatrix<const T> w;
    std::size_t rows, columns, width;
    const Penalties<PerLane<double>>* penalties;
    PerLane<double>* sums;
};

}  // namespace fastdense
