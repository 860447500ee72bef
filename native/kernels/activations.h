// The activations of a register of numbers and their derivatives, for the kernels to inline.
//
// `forward(z, alpha)` is g(z); `slope(z, a, alpha)` is g'(z), given a = g(z) too. It reads the one of them
// that activations.inc names; the other may be anything. Everything holds at infinities, and NaN passes
// through; at a kink the slope is that of the side below. alpha is at least 0.
#pragma once

#include "kernels/normal.h"

namespace fastdense::FASTDENSE_ISA {

// g(z) and g'(z).
template <class T>
struct Sloped {
    Vector<T> a, slope;
};

// z / (1 + exp(-x)) for z and x of one sign, given the power -|x|: below 0, z exp(x) / (1 + exp(x)).
template <class T>
[[gnu::always_inline]] inline Vector<T> gated(Vector<T> z, Power<T> power) {
    return (z < T(0) ? times_exp<T>(z, power) : z) / (exp<T>(power) + T(1));
}

// Of the same z / (1 + exp(-x)): the derivative, given exp(-|x|), and x' as a factor of z.
template <class T>
[[gnu::always_inline]] inline Vector<T> gated_slope(Vector<T> z, Vector<T> decay,
                                                    Vector<T> z_argument_slope) {
    const Vector<T> inverse = T(1) / (decay + T(1));
    return (z < T(0) ? decay * inverse : inverse) + z_argument_slope * (decay * inverse * inverse);
}

// The side below is that of a <= 0; NaN is on neither side.
template <class T>
[[gnu::always_inline]] inline Vector<T> by_side(Vector<T> a, Vector<T> below, T above) {
    return a > T(0) ? Vector<T>{} + above : (a <= T(0) ? below : a);
}

template <class T>
struct Linear {
    [[gnu::always_inline]] static Vector<T> forward(Vector<T> z, T) { return z; }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T>, Vector<T>, T) { return Vector<T>{} + T(1); }
};

template <class T>
struct Sigmoid {
    [[gnu::always_inline]] static Vector<T> forward(Vector<T> z, T) {
        const Vector<T> decay = exp<T>(-absolute<T>(z));
        return (z < T(0) ? decay : Vector<T>{} + T(1)) / (decay + T(1));
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T>, Vector<T> a, T) { return a * (T(1) - a); }
};

template <class T>
struct Tanh {
    // tanh(t) = -m / (2 + m) with m = exp(-2 t) - 1.
    [[gnu::always_inline]] static Vector<T> forward(Vector<T> z, T) {
        const Vector<T> m = expm1<T>(absolute<T>(z) * T(-2));
        return copy_sign<T>(absolute<T>(m) / (m + T(2)), z);
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T>, Vector<T> a, T) { return T(1) - a * a; }
};

template <class T>
struct Relu {
    [[gnu::always_inline]] static Vector<T> forward(Vector<T> z, T) { return at_least<T>(z, 0); }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T>, Vector<T> a, T) {
        return by_side<T>(a, Vector<T>{}, 1);
    }
};

template <class T>
struct LeakyRelu {
    [[gnu::always_inline]] static Vector<T> forward(Vector<T> z, T alpha) {
        if (alpha == T(0)) return at_least<T>(z, 0);  // not -infinity * 0
        return z > T(0) ? z : z * alpha;
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T>, Vector<T> a, T alpha) {
        return by_side<T>(a, Vector<T>{} + alpha, 1);
    }
};

template <class T>
struct Elu {
    [[gnu::always_inline]] static Vector<T> forward(Vector<T> z, T alpha) {
        return z > T(0) ? z : expm1<T>(at_most<T>(z, 0)) * alpha;
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T>, Vector<T> a, T alpha) {
        return by_side<T>(a, a + alpha, 1);
    }
};

// Barron, "Continuously Differentiable Exponential Linear Units", 2017. alpha is above 0.
template <class T>
struct Celu {
    [[gnu::always_inline]] static Vector<T> forward(Vector<T> z, T alpha) {
        return z > T(0) ? z : expm1<T>(at_most<T>(z, 0) / alpha) * alpha;
    }
    // exp(z / alpha) = a / alpha + 1
    [[gnu::always_inline]] static Vector<T> slope(Vector<T>, Vector<T> a, T alpha) {
        return by_side<T>(a, a / alpha + T(1), 1);
    }
};

// Klambauer et al., "Self-Normalizing Neural Networks", 2017: the fixed point of mean 0 and variance 1.
template <class T>
struct Selu {
    static constexpr double scale = 1.0507009873554805, below = scale * 1.6732632423543772;
    [[gnu::always_inline]] static Vector<T> forward(Vector<T> z, T) {
        return z > T(0) ? z * T(scale) : expm1<T>(at_most<T>(z, 0)) * T(below);
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T>, Vector<T> a, T) {
        return by_side<T>(a, a + T(below), T(scale));
    }
};

// z (1 - Q(z)), Q the tail of the normal distribution: max(z, 0) - |z| Q(|z|) on both sides.
template <class T>
struct Gelu {
    static constexpr T largest = NormalTail<T>::largest;
    [[gnu::always_inline]] static Vector<T> forward(Vector<T> z, T) {
        const Vector<T> t = at_most<T>(absolute<T>(z), largest);
        return at_least<T>(z, 0) - times_exp<T>(tail_ratio<T>(t, t), bell<T>(t));
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> z, Vector<T>, T) {
        const Vector<T> t = at_most<T>(absolute<T>(z), largest);
        const Vector<T> decay = exp<T>(bell<T>(t));
        const Vector<T> tail = tail_ratio<T>(t, decay);
        const Vector<T> density = decay * T(0.3989422804014327);  // 1 / sqrt(2 pi)
        return (z > T(0) ? T(1) - tail : tail) + copy_sign<T>(t, z) * density;
    }
};

// z (1 + tanh(u)) / 2 = z / (1 + exp(-2 u)), u = sqrt(2 / pi) (z + 0.044715 z^3). Hendrycks and Gimpel,
// "Gaussian Error Linear Units", 2016.
template <class T>
struct GeluTanh {
    static constexpr T largest = NormalTail<T>::largest_tanh;
    [[gnu::always_inline]] static Vector<T> forward(Vector<T> z, T) {
        return gated<T>(at_least<T>(z, -largest), gelu_tanh_power<T>(at_most<T>(absolute<T>(z), largest)));
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> z, Vector<T>, T) {
        const Vector<T> t = at_most<T>(absolute<T>(z), largest);
        const Vector<T> argument_slope = t * t * T(0.21406444881780073) + T(1.5957691216057308);  // (2 u)'
        return gated_slope<T>(z, exp<T>(gelu_tanh_power<T>(t)), copy_sign<T>(t, z) * argument_slope);
    }
};

template <class T>
struct Silu {
    static constexpr T largest = -Constants<T>::lowest;
    [[gnu::always_inline]] static Vector<T> forward(Vector<T> z, T) {
        const Vector<T> bounded = at_least<T>(z, -largest);
        return gated<T>(bounded, reduce<T>(-absolute<T>(bounded)));
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> z, Vector<T>, T) {
        const Vector<T> t = at_most<T>(absolute<T>(z), largest);
        return gated_slope<T>(z, exp<T>(-t), copy_sign<T>(t, z));
    }
};

// z tanh(log(1 + exp(z))); Misra, "Mish: A Self Regularized Activation Function", 2019. With e = exp(-|z|)
// the tanh is n / (n + rest): n = 2 e + e^2 and rest = 2 below 0, n = 1 + 2 e and rest = 2 e^2 above.
template <class T>
struct Mish {
    static constexpr T largest = -Constants<T>::lowest;
    // The tanh is 1 - u above 0 and e (1 - u) below, with small errors where u is small.
    [[gnu::always_inline]] static Vector<T> forward(Vector<T> z, T) {
        const Vector<T> bounded = at_least<T>(z, -largest);
        const Power<T> power = reduce<T>(-absolute<T>(bounded));
        const Vector<T> e = exp<T>(power), whole = z < T(0) ? times_exp<T>(bounded, power) : bounded;
        const Vector<T> u = (z < T(0) ? e * e + e : rest(z, e)) / (numerator(z, e) + rest(z, e));
        return whole * (T(1) - u);
    }
    // t + z (1 - t^2) sigmoid(z) with the tanh t = n / d: 1 - t^2 = rest (n + d) / d^2.
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> z, Vector<T>, T) {
        const Vector<T> size = at_most<T>(absolute<T>(z), largest), e = exp<T>(-size);
        const Vector<T> n = numerator(z, e), d = n + rest(z, e), inverse = T(1) / d;
        const Vector<T> sigmoid = (z < T(0) ? e : Vector<T>{} + T(1)) / (e + T(1));
        const Vector<T> bend = rest(z, e) * ((n + d) * inverse) * sigmoid;
        return (n + copy_sign<T>(size, z) * bend) * inverse;
    }
    // The same from one exponential and one quotient, 1 / (d (1 + e)): a third of the time of both.
    [[gnu::always_inline]] static Sloped<T> sloped(Vector<T> z, T) {
        const Vector<T> bounded = at_least<T>(z, -largest), size = at_most<T>(absolute<T>(z), largest);
        const Power<T> power = reduce<T>(-size);
        const Vector<T> e = exp<T>(power), one = e + T(1);
        const Vector<T> n = numerator(z, e), d = n + rest(z, e), joint = T(1) / (d * one);
        const Vector<T> inverse = joint * one, sigmoid = (z < T(0) ? e : Vector<T>{} + T(1)) * (joint * d);
        const Vector<T> whole = z < T(0) ? times_exp<T>(bounded, power) : bounded;
        const Vector<T> u = (z < T(0) ? e * one : rest(z, e)) * inverse;
        const Vector<T> bend = rest(z, e) * ((n + d) * inverse) * sigmoid;
        return {whole * (T(1) - u), (n + copy_sign<T>(size, z) * bend) * inverse};
    }

private:
    [[gnu::always_inline]] static Vector<T> numerator(Vector<T> z, Vector<T> e) {
        return z < T(0) ? e * e + (e + e) : e + e + T(1);
    }
    [[gnu::always_inline]] static Vector<T> rest(Vector<T> z, Vector<T> e) {
        return z < T(0) ? Vector<T>{} + T(2) : e * e * T(2);
    }
};

template <class T>
struct Softplus {
    [[gnu::always_inline]] static Vector<T> forward(Vector<T> z, T) {
        return at_least<T>(z, 0) + log1p<T>(exp<T>(-absolute<T>(z)));
    }
    // sigmoid(z) = 1 - exp(-a)
    [[gnu::always_inline]] static Vector<T> slope(Vector<T>, Vector<T> a, T) { return -expm1<T>(-a); }
};

template <class T>
struct Exponential {
    [[gnu::always_inline]] static Vector<T> forward(Vector<T> z, T) { return exp_of_any<T>(z); }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T>, Vector<T> a, T) { return a; }
};

// Straight pieces: 0 up to `low`, `bend` up to and with `high`, then `above`; NaN is on none of them.
template <class T>
[[gnu::always_inline]] inline Vector<T> by_piece(Vector<T> z, T low, T high, Vector<T> bend, T above) {
    const Vector<T> below = z > low ? bend : (z <= low ? Vector<T>{} : z);
    return z > high ? Vector<T>{} + above : below;
}

template <class T>
struct Relu6 {
    // a is 6 on both sides of its upper kink
    [[gnu::always_inline]] static Vector<T> forward(Vector<T> z, T) {
        return at_most<T>(at_least<T>(z, 0), 6);
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> z, Vector<T>, T) {
        return by_piece<T>(z, 0, 6, Vector<T>{} + T(1), 0);
    }
};

// z / 6 + 1 / 2 as (z + 3) / 6, which has all its digits near 0.
template <class T>
struct HardSigmoid {
    [[gnu::always_inline]] static Vector<T> forward(Vector<T> z, T) {
        return Relu6<T>::forward(z + T(3), 0) / T(6);
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> z, Vector<T>, T) {
        return by_piece<T>(z, -3, 3, Vector<T>{} + T(1) / T(6), 0);
    }
};

// z hard_sigmoid(z); Howard et al., "Searching for MobileNetV3", 2019.
template <class T>
struct HardSilu {
    [[gnu::always_inline]] static Vector<T> forward(Vector<T> z, T) {
        return at_least<T>(z, -3) * HardSigmoid<T>::forward(z, 0);
    }
    [[gnu::always_inline]] static Vector<T> slope(Vector<T> z, Vector<T>, T) {
        return by_piece<T>(z, -3, 3, (z + z + T(3)) / T(6), 1);
    }
};

template <class T>
struct Softsign {
    static constexpr T settled = T(1e30);  // z / (1 + |z|) is 1 there; at infinity it would be NaN
    [[gnu::always_inline]] static Vector<T> forward(Vector<T> z, T) {
        const Vector<T> bounded = at_most<T>(at_least<T>(z, -settled), settled);
        return bounded / (absolute<T>(bounded) + T(1));
    }
    // 1 / (1 + |z|)^2 = (1 - |a|)^2
    [[gnu::always_inline]] static Vector<T> slope(Vector<T>, Vector<T> a, T) {
        const Vector<T> inverse = T(1) - absolute<T>(a);
        return inverse * inverse;
    }
};

}  // namespace fastdense::FASTDENSE_ISA
