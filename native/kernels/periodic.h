// The arguments of the kernels that embed columns by cosines, for one type of number.
#pragma once

#include <cstddef>

#include "kernels/dense.h"

namespace fastdense {

// The first `columns` columns of a row become `width` numbers each, the last of which is the column itself
// and the others are sums over cosines of `frequencies` frequencies.
//
// The parameters of as many columns as a vector has lanes are a group: a vector for each number that one
// column has, in the order of the arrays. A kernel thus works on a group of columns of one row at a time, and
// a row's result does not depend on how many rows there are.
struct PeriodicSizes {
    std::size_t columns, frequencies, width;

    [[gnu::always_inline]] std::size_t sums() const { return width - 1; }
    // The arrays that one column has, and the number that each starts at.
    static constexpr std::size_t arrays = 5;
    enum Array : std::size_t { frequency, phase, kernel, bias, missing };
    [[gnu::always_inline]] std::size_t count(std::size_t array) const {
        const std::size_t counts[arrays] = {frequencies, frequencies, frequencies * sums(), sums(), width};
        return counts[array];
    }
    [[gnu::always_inline]] std::size_t start(std::size_t array) const {
        std::size_t total = 0;
        for (std::size_t before = 0; before < array; ++before) total += count(before);
        return total;
    }
    [[gnu::always_inline]] std::size_t per_column() const { return start(arrays); }
};

// The embedded columns of rows; the other columns are neither read nor written.
template <class T>
struct Periodic {
    PeriodicSizes sizes;
    const T* parameters;
    View<const T> in;
    View<T> out;
};

// The gradient of the embedded columns of rows.
template <class T>
struct PeriodicInputs {
    PeriodicSizes sizes;
    const T* parameters;
    View<const T> in, d_out;
    View<T> d_in;
};

// The rows that a gradient is summed over at a time.
constexpr std::size_t periodic_rows = 32;

// The gradient of a group's parameters, summed over the rows in their order. `room` has `width` times
// `periodic_rows` vectors, which are 0 at first and kept from call to call.
template <class T>
struct PeriodicGradient {
    PeriodicSizes sizes;
    const T* parameters;
    View<const T> in, d_out;
    std::size_t group;
    T *gradient, *room;
};

}  // namespace fastdense
