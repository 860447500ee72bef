// Exponentials and logarithms of a register of numbers, each within 1.5 ulp with or without a fused
// multiply-add.
//
// Coefficients are minimax fits for the least relative error, found by Remez exchange in 60 digits and
// rounded; the error named is that before rounding.
#pragma once

#include "kernels/kernels.h"

namespace fastdense::FASTDENSE_ISA {

template <class T>
struct Constants;

template <>
struct Constants<float> {
    using Bits = std::int32_t;
    using UnsignedBits = std::uint32_t;
    static constexpr int mantissa = 23;  // bits stored
    static constexpr Bits sign = Bits(1) << 31;
    static constexpr Bits head = ~0xFFF;
    static constexpr float smallest = 0x1p-126F;  // of the normal numbers
    static constexpr float lowest = -109;         // x exp(x) is below half of the smallest subnormal number
    static constexpr float highest = 89;          // exp(x) is above the largest number
    static constexpr float one = -18;             // 1 + exp(x) is 1
    static constexpr int spare = 32;              // 2^(n + spare) is a normal number for every n in reduce()
    static constexpr int bias = 127;
    // n * ln2_high is exact for |n| < 2^14.
    static constexpr float ln2_high = 0.693359375F, ln2_low = -2.12194440e-4F;
    // (expm1(r) - r) / r^2 for |r| <= ln(2) / 2; 2^-26.2 of expm1(r).
    static constexpr float expm1[] = {0.49999998F, 0.16666543F, 0.041667205F, 0.0083665798F, 0.0013882340F};
    // (2 atanh(s) - 2 s) / s^3 in s^2 for |s| <= 1/3; 2^-27.7 of 2 s.
    static constexpr float log1p[] = {0.66666413F, 0.40021694F, 0.27999184F, 0.28024386F};
};

template <>
struct Constants<double> {
    using Bits = std::int64_t;
    using UnsignedBits = std::uint64_t;
    static constexpr int mantissa = 52;
    static constexpr Bits sign = Bits(1) << 63;
    static constexpr Bits head = ~0x7FFFFFF;
    static constexpr double smallest = 0x1p-1022;
    static constexpr double lowest = -752;
    static constexpr double highest = 710;
    static constexpr double one = -38;
    static constexpr int spare = 64;
    static constexpr int bias = 1023;
    // n * ln2_high is exact for |n| < 2^21.
    static constexpr double ln2_high = 0x1.62e42fee00000p-1, ln2_low = 0x1.a39ef35793c76p-33;
    // 2^-55.6 of expm1(r)
    static constexpr double expm1[] = {0.50000000000000052,   0.16666666666666589,   0.041666666666576109,
                                       0.0083333333333899618, 0.0013888888931794944, 1.9841269718334205e-4,
                                       2.4801504978878158e-5, 2.7557407872121977e-6, 2.7626161440265010e-7,
                                       2.5053774292813268e-8};
    // 2^-59.4 of 2 s
    static constexpr double log1p[] = {0.66666666666666304, 0.40000000000157242, 0.28571428547853954,
                                       0.22222223969728806, 0.18181743924954189, 0.15386559923300764,
                                       0.13300973575200669, 0.12106086384460256, 0.083401007993788640,
                                       0.17018576818122498};
};

template <class T>
using Integers = Vector<typename Constants<T>::Bits>;
template <class T>
using Unsigned = Vector<typename Constants<T>::UnsignedBits>;

template <class T>
[[gnu::always_inline]] inline Integers<T> bits(Vector<T> x) {
    return __builtin_bit_cast(Integers<T>, x);
}

template <class T>
[[gnu::always_inline]] inline Vector<T> from_bits(Integers<T> x) {
    return __builtin_bit_cast(Vector<T>, x);
}

// 0, 1, 2...
template <class T>
[[gnu::always_inline]] inline Integers<T> lane_numbers() {
    typename Constants<T>::Bits numbers[lanes<T>];
    for (std::size_t i = 0; i < lanes<T>; ++i) numbers[i] = typename Constants<T>::Bits(i);
    Integers<T> result;
    __builtin_memcpy(&result, numbers, sizeof result);
    return result;
}

// NaN passes through each of these.
template <class T>
[[gnu::always_inline]] inline Vector<T> absolute(Vector<T> x) {
    return from_bits<T>(bits<T>(x) & ~Constants<T>::sign);
}

// x >= 0 with the sign of y.
template <class T>
[[gnu::always_inline]] inline Vector<T> copy_sign(Vector<T> x, Vector<T> y) {
    return from_bits<T>(bits<T>(x) | (bits<T>(y) & Constants<T>::sign));
}

template <class T>
[[gnu::always_inline]] inline Vector<T> at_least(Vector<T> x, T bound) {
    return x < bound ? Vector<T>{} + bound : x;
}

template <class T>
[[gnu::always_inline]] inline Vector<T> at_most(Vector<T> x, T bound) {
    return x > bound ? Vector<T>{} + bound : x;
}

// The upper half of each number's digits: the product of two such halves is exact.
template <class T>
[[gnu::always_inline]] inline Vector<T> head(Vector<T> x) {
    return from_bits<T>(bits<T>(x) & Constants<T>::head);
}

// The value at x of the polynomial with these coefficients, the constant first.
template <class T, std::size_t terms>
[[gnu::always_inline]] inline Vector<T> polynomial(const T (&coefficients)[terms], Vector<T> x) {
    Vector<T> sum = Vector<T>{} + coefficients[terms - 1];
#pragma GCC unroll 16
    for (std::size_t i = terms - 1; i > 0; --i) sum = sum * x + coefficients[i - 1];
    return sum;
}

// Returns x, and keeps the compiler from fusing the product that it is with the sum that it goes into: where
// two products meet, it could choose either, and an element's last bit would depend on where the code is
// inlined.
template <class T>
[[gnu::always_inline]] inline Vector<T> unfused(Vector<T> x) {
#if defined(__x86_64__)
    asm("" : "+v"(x));
#elif defined(__aarch64__)
    asm("" : "+w"(x));
#endif
    return x;
}

// e^x = 2^n e^r with |r| <= ln(2) / 2.
template <class T>
struct Power {
    Vector<T> scale;  // 2^(n + spare)
    Vector<T> r;
};

// 2^-spare
template <class T>
inline constexpr T unscale =
    T(1) / (T(1LL << (Constants<T>::spare / 2)) * T(1LL << (Constants<T>::spare / 2)));

// Adding it to a number leaves the nearest integer in the low bits, as it holds 1.5 * 2^mantissa; and as it
// also holds the bias of the exponent, a shift of the bits then makes a power of two.
template <class T>
inline constexpr T rounding =
    T(3LL << (Constants<T>::mantissa - 1)) + T(Constants<T>::bias + Constants<T>::spare);

// The power x + rest, x <= 0, for an x known to more digits; the rest is not a product, or else `unfused`.
template <class T>
[[gnu::always_inline]] inline Power<T> reduce(Vector<T> x, Vector<T> rest) {
    using C = Constants<T>;
    const Vector<T> bounded = at_least<T>(x, C::lowest);
    const Vector<T> rounded = (bounded + rest) * T(1.4426950408889634) + rounding<T>;
    const Vector<T> n = rounded - rounding<T>;
    return {from_bits<T>(bits<T>(rounded) << C::mantissa),
            bounded - n * C::ln2_high - (n * C::ln2_low - rest)};
}

// The power x <= 0.
template <class T>
[[gnu::always_inline]] inline Power<T> reduce(Vector<T> x) {
    using C = Constants<T>;
    const Vector<T> bounded = at_least<T>(x, C::lowest);
    const Vector<T> rounded = bounded * T(1.4426950408889634) + rounding<T>;
    const Vector<T> n = rounded - rounding<T>;
    return {from_bits<T>(bits<T>(rounded) << C::mantissa), bounded - n * C::ln2_high - n * C::ln2_low};
}

template <class T>
[[gnu::always_inline]] inline Vector<T> expm1_of_remainder(Vector<T> r) {
    return r * r * polynomial<T>(Constants<T>::expm1, r) + r;
}

template <class T>
[[gnu::always_inline]] inline Vector<T> exp(Power<T> power) {
    return (expm1_of_remainder<T>(power.r) + T(1)) * power.scale * unscale<T>;
}

// factor e^x, rounded less often than the product and with all its digits even where e^x alone is subnormal.
template <class T>
[[gnu::always_inline]] inline Vector<T> times_exp(Vector<T> factor, Power<T> power) {
    return (factor * expm1_of_remainder<T>(power.r) + factor) * power.scale * unscale<T>;
}

// For x <= 0.
template <class T>
[[gnu::always_inline]] inline Vector<T> exp(Vector<T> x) {
    return exp<T>(reduce<T>(x));
}

// For any x. Above 0, where 2^(n + spare) may be too large, the spare powers are taken away and not added.
template <class T>
[[gnu::always_inline]] inline Vector<T> exp_of_any(Vector<T> x) {
    using C = Constants<T>;
    const auto above = x > T(0);
    const Vector<T> shift = above ? Vector<T>{} + (rounding<T> - T(2 * C::spare)) : Vector<T>{} + rounding<T>;
    const Vector<T> back = above ? Vector<T>{} + T(1) / unscale<T> : Vector<T>{} + unscale<T>;
    const Vector<T> bounded = at_most<T>(at_least<T>(x, C::lowest), C::highest);
    const Vector<T> rounded = bounded * T(1.4426950408889634) + shift;
    const Vector<T> n = rounded - shift, scale = from_bits<T>(bits<T>(rounded) << C::mantissa);
    const Vector<T> r = bounded - n * C::ln2_high - n * C::ln2_low;
    return (expm1_of_remainder<T>(r) + T(1)) * scale * back;
}

// exp(x) - 1 for x <= 0, without cancellation.
template <class T>
[[gnu::always_inline]] inline Vector<T> expm1(Vector<T> x) {
    const Power<T> power = reduce<T>(at_least<T>(x, Constants<T>::one));
    const Vector<T> scale = power.scale * unscale<T>;
    return scale * expm1_of_remainder<T>(power.r) + (scale - T(1));
}

// log(1 + u) for -1/2 <= u <= 1: with s = u / (2 + u) it is 2 atanh(s), and 2 s = u - s u, where u is exact.
template <class T>
[[gnu::always_inline]] inline Vector<T> log1p(Vector<T> u) {
    const Vector<T> s = u / (u + T(2));
    const Vector<T> squared = s * s;
    return u - s * (u - squared * polynomial<T>(Constants<T>::log1p, squared));
}

// log(x), x = 2^n (1 + u) with 3/4 <= 1 + u < 3/2. Of subnormal numbers and 0 it is -infinity, of negative
// ones NaN.
template <class T>
[[gnu::always_inline]] inline Vector<T> log(Vector<T> x) {
    using C = Constants<T>;
    using Bits = typename C::Bits;
    constexpr T infinity = T(__builtin_inf()), shift = T(1LL << C::mantissa);
    // In bits, what takes 3/4 to 1: then the exponent is n.
    constexpr Bits up = __builtin_bit_cast(Bits, T(1)) - __builtin_bit_cast(Bits, T(0.75));
    // Of negative numbers and NaN the bits run over: unsigned ones may.
    const Unsigned<T> all = Unsigned<T>(bits<T>(x));
    const Integers<T> exponent = Integers<T>(all + typename C::UnsignedBits(up)) >> C::mantissa;
    const Unsigned<T> scale = Unsigned<T>(exponent - C::bias) << C::mantissa;
    const Vector<T> digits = from_bits<T>(Integers<T>(all - scale));
    // An integer or-ed into the low bits of 2^mantissa is added to it.
    const Vector<T> n = from_bits<T>(exponent | __builtin_bit_cast(Bits, shift)) - (shift + T(C::bias));
    const Vector<T> value = n * C::ln2_high + (n * C::ln2_low + log1p<T>(digits - T(1)));
    const Vector<T> special = x < T(0) ? Vector<T>{} + T(__builtin_nan("")) : Vector<T>{} - infinity;
    return x < C::smallest ? special : (x < infinity ? value : x);
}

}  // namespace fastdense::FASTDENSE_ISA
