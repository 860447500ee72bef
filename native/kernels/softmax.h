// Softmax by rows, its gradient, and the sums that it divides by.
//
// Sums run lane by lane, then over the lanes in halves, so a row's result depends on its numbers only, not on
// its address or its neighbours. The last vector is padded with what adds nothing.
#pragma once

#include "kernels/math.h"
#include "kernels/part.h"

namespace fastdense::FASTDENSE_ISA {

// Calls step(i, count) for the `count` elements from i on: whole vectors, then what is left.
template <class T, class Step>
[[gnu::always_inline]] inline void over_row(std::size_t columns, Step&& step) {
    std::size_t i = 0;
    for (; i + lanes<T> <= columns; i += lanes<T>) step(i, lanes<T>);
    if (i < columns) step(i, columns - i);
}

// Halves of the lanes, one with the other, until one number is left.
template <class T, class Pair>
[[gnu::always_inline]] inline T over_lanes(Vector<T> x, Pair&& pair) {
    T lane[lanes<T>];
    store(lane, x);
#pragma GCC unroll 4
    for (std::size_t half = lanes<T> / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
        for (std::size_t i = 0; i < half; ++i) lane[i] = pair(lane[i], lane[i + half]);
    }
    return lane[0];
}

template <class T>
[[gnu::always_inline]] inline T sum_of_lanes(Vector<T> x) {
    return over_lanes<T>(x, [](T a, T b) { return a + b; });
}

// The start of a row's last vector, which may be incomplete; columns > 0.
template <class T>
[[gnu::always_inline]] inline std::size_t last_of(std::size_t columns) {
    return (columns - 1) / lanes<T> * lanes<T>;
}

template <class T>
inline constexpr T infinity = T(__builtin_inf());

// NaN may be skipped: the sum of exponentials is NaN then.
template <class T>
[[gnu::always_inline]] inline T row_max(const T* z, std::size_t columns) {
    const std::size_t last = last_of<T>(columns);
    Vector<T> largest = load_part(z + last, columns - last, -infinity<T>);
    for (std::size_t i = 0; i < last; i += lanes<T>) {
        const Vector<T> x = load(z + i);
        largest = x > largest ? x : largest;
    }
    return over_lanes<T>(largest, [](T a, T b) { return a > b ? a : b; });
}

// exp(z - largest) of a row, stored in `a` unless that is null (a may be z), and their sum. The caller stores
// the last vector, which may be incomplete: a short row is not read back right after it is written.
template <class T>
struct Exponentials {
    [[gnu::always_inline]] Exponentials(const T* z, T largest, T* a, std::size_t columns) {
        const std::size_t at = last_of<T>(columns);
        last = exp<T>(load_part(z + at, columns - at, -infinity<T>) - largest);
        Vector<T> sums = last;
        for (std::size_t i = 0; i < at; i += lanes<T>) {
            const Vector<T> e = exp<T>(load(z + i) - largest);
            sums += e;
            if (a) store<T>(a + i, e);
        }
        sum = sum_of_lanes<T>(sums);
    }
    Vector<T> last;
    T sum;
};

template <class T>
struct Softmax {
    // a = exp(z - max z) / sum of these; a may be z.
    [[gnu::always_inline]] static void forward(const T* z, T* a, std::size_t columns) {
        const std::size_t last = last_of<T>(columns);
        const Exponentials<T> e(z, row_max(z, columns), a, columns);
        const Vector<T> sum = Vector<T>{} + e.sum;
        for (std::size_t i = 0; i < last; i += lanes<T>) store<T>(a + i, load(a + i) / sum);
        store_part<T>(a + last, columns - last, e.last / sum);
    }

    // dz = a (da - sum of da a); dz may be a or da.
    [[gnu::always_inline]] static void backward(const T* a, const T* da, T* dz, std::size_t columns) {
        const std::size_t last = last_of<T>(columns), rest = columns - last;
        const Vector<T> last_a = load_part(a + last, rest, T(0)), last_da = load_part(da + last, rest, T(0));
        Vector<T> sums{};
        for (std::size_t i = 0; i < last; i += lanes<T>) sums += load(da + i) * load(a + i);
        const T mean = sum_of_lanes<T>(last_da * last_a + sums);
        for (std::size_t i = 0; i < last; i += lanes<T>)
            store<T>(dz + i, load(a + i) * (load(da + i) - mean));
        store_part<T>(dz + last, rest, last_a * (last_da - mean));
    }
};

}  // namespace fastdense::FASTDENSE_ISA
