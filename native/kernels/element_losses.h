// The losses that are means of one number per output: that number, and its derivative by the output a. The
// formulas are those of fastdense/reference/losses.py. Each has an a and a t at which it is defined, for what
// fills up a vector.
#pragma once

#include "kernels/activations.h"

namespace fastdense::FASTDENSE_ISA {

// Keras' backend.epsilon(): probabilities are kept this far from 0 and 1, and from log(0).
template <class T>
inline constexpr T epsilon = T(1e-7);

template <class T>
[[gnu::always_inline]] inline Vector<T> inside(Vector<T> p) {
    return at_least<T>(at_most<T>(p, T(1) - epsilon<T>), epsilon<T>);
}

// The derivative of log(inside(p)): 0 where p was moved.
template <class T>
[[gnu::always_inline]] inline Vector<T> inverse_inside(Vector<T> p) {
    return absolute<T>(p - T(0.5)) <= T(0.5) - epsilon<T> ? T(1) / inside<T>(p) : Vector<T>{};
}

template <class T>
struct BinaryLogits {
    [[gnu::always_inline]] static Vector<T> value(Vector<T> a, Vector<T> t, T) {
        return (at_least<T>(a, 0) - t * a) + log1p<T>(exp<T>(-absolute<T>(a)));
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> a, Vector<T> t, T) {
        return Sigmoid<T>::forward(a, 0) - t;
    }
};

template <class T>
struct Binary {
    [[gnu::always_inline]] static Vector<T> value(Vector<T> a, Vector<T> t, T) {
        const Vector<T> p = inside<T>(a);
        const Vector<T> no = (T(1) - t) * log<T>(T(1) - p);
        return -(t * log<T>(p) + no);
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> a, Vector<T> t, T) {
        const Vector<T> yes = t * inverse_inside<T>(a);
        return (T(1) - t) * inverse_inside<T>(T(1) - a) - yes;
    }
};

template <class T>
struct Squared {
    [[gnu::always_inline]] static Vector<T> value(Vector<T> a, Vector<T> t, T) { return (a - t) * (a - t); }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> a, Vector<T> t, T) { return (a - t) * T(2); }
};

template <class T>
struct Absolute {
    [[gnu::always_inline]] static Vector<T> value(Vector<T> a, Vector<T> t, T) { return absolute<T>(a - t); }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> a, Vector<T> t, T) {
        const Vector<T> zero{}, one = zero + T(1);
        return a > t ? one : (a < t ? -one : a - t);  // 0, or NaN
    }
};

template <class T>
struct Huber {
    [[gnu::always_inline]] static Vector<T> value(Vector<T> a, Vector<T> t, T delta) {
        const Vector<T> e = absolute<T>(a - t), near = at_most<T>(e, delta);
        return near * (e - near * T(0.5));
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> a, Vector<T> t, T delta) {
        return at_least<T>(at_most<T>(a - t, delta), -delta);
    }
};

// Koenker and Bassett, "Regression Quantiles", 1978.
template <class T>
struct Quantile {
    [[gnu::always_inline]] static Vector<T> value(Vector<T> a, Vector<T> t, T quantile) {
        const Vector<T> e = absolute<T>(a - t);
        return a < t ? e * quantile : e * (T(1) - quantile);
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> a, Vector<T> t, T quantile) {
        const Vector<T> zero{}, over = zero + (T(1) - quantile);
        return a > t ? over : (a < t ? zero - quantile : a - t);  // 0, or NaN
    }
};

template <class T>
struct Poisson {
    [[gnu::always_inline]] static Vector<T> value(Vector<T> a, Vector<T> t, T) {
        return a - t * log<T>(a + epsilon<T>);
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> a, Vector<T> t, T) {
        return T(1) - t / (a + epsilon<T>);
    }
};

// The output is exp(a): a log link.
template <class T>
struct PoissonLogits {
    [[gnu::always_inline]] static Vector<T> value(Vector<T> a, Vector<T> t, T) {
        return exp_of_any<T>(a) - t * a;
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> a, Vector<T> t, T) {
        return exp_of_any<T>(a) - t;
    }
};

}  // namespace fastdense::FASTDENSE_ISA
