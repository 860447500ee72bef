// Sums over numbers, in double and in an order that no neighbour changes.
#pragma once

#include <cmath>
#include <cstddef>

#include "kernels/dense.h"

namespace fastdense {

// The sum of term(i) for i below `count`, in eight sums side by side, which the compiler makes vectors of.
template <class Term>
double sum(std::size_t count, Term term) {
    double sums[8] = {};
    const std::size_t whole = count - count % 8;
    for (std::size_t i = 0; i < whole; i += 8) {
        for (std::size_t j = 0; j < 8; ++j) sums[j] += term(i + j);
    }
    for (std::size_t i = whole; i < count; ++i) sums[i - whole] += term(i);
    double total = 0;
    for (const double each : sums) total += each;
    return total;
}

// What penalties add to the loss for some numbers.
template <class T>
double charge(const Penalties<T>& penalties, const T* from, std::size_t count) {
    if (!penalties.any()) return 0;
    const double l1 = penalties.l1, l2 = penalties.l2;
    return sum(count, [=](std::size_t i) {
        const double w = from[i];
        return l1 * std::abs(w) + l2 * w * w;
    });
}

template <class T>
double sum_of_squares(const T* from, std::size_t count) {
    return sum(count, [=](std::size_t i) { return double(from[i]) * double(from[i]); });
}

}  // namespace fastdense
