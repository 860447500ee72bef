// The tail of the normal distribution, and the exponents of both gelus to more digits than one number holds.
#pragma once

#include "kernels/math.h"

namespace fastdense::FASTDENSE_ISA {

// The chance that a standard normal number exceeds t >= 0 is exp(-t^2 / 2) q / (2 q + t (2 q + p)), with
// polynomials p and q in t, the constant first, of least relative error from 0 to `largest`. They were fitted
// to p / q = (1/m - 2) / t - 2, m = exp(t^2 / 2) (1 - Phi(t)), at 160 or 240 points in 110 digits, by least
// squares reweighted until all extremes were equal (Lawson), p / q fixed to sqrt(2 pi) - 2 at infinity; the
// error named is that before rounding.
//
// p / q rises from -0.40 to 0.51, so most of q's rounding errors cancel and little of p's is felt. A plain
// quotient of polynomials lets them all through: it left gelu 5 to 6 ulp off.
template <class T>
struct NormalTail;

template <>
struct NormalTail<float> {
    static constexpr float largest = 14.5F;       // gelu(-14.5) is 0
    static constexpr float largest_tanh = 10.8F;  // gelu_tanh(-10.8) is 0
    static constexpr float p[] = {-0.40422942F, -0.095890583F, 0.042417461F, 0.02662434F,
                                  0.0048804507F};  // 2^-25.8
    static constexpr float q[] = {1.0F, 0.91312304F, 0.39384683F, 0.090575831F, 0.0096331984F};
};

template <>
struct NormalTail<double> {
    static constexpr double largest = 38.7;
    static constexpr double largest_tanh = 21.55;
    static constexpr double p[] = {-0.40423087839426874,   -0.40348561363175495,   -0.15150038814037103,
                                   0.00063349931333953654, 0.026046466436529848,   0.013247648933876964,
                                   0.0037798198078090386,  0.00070764990859543909, 8.8130590914954133e-5,
                                   6.8122616133101635e-6,  2.5578807769743857e-7};  // 2^-58.8
    static constexpr double q[] = {1.0,
                                   1.6741055533784457,
                                   1.3877819613638562,
                                   0.73678208963593994,
                                   0.27494978457999775,
                                   0.0750371398894948,
                                   0.01515018319849344,
                                   0.0022378587204966481,
                                   0.00023240669380444163,
                                   1.5439382875284034e-5,
                                   5.0488314708400374e-7};
};

// The factor times that quotient.
template <class T>
[[gnu::always_inline]] inline Vector<T> tail_ratio(Vector<T> t, Vector<T> factor) {
    const Vector<T> q = polynomial<T>(NormalTail<T>::q, t), p = polynomial<T>(NormalTail<T>::p, t);
    return factor * q / (t * (q + q + p) + (q + q));
}

// The power -t^2 / 2 for 0 <= t <= largest. The square of the head is exact; rounding t^2 itself would cost
// the float32 result up to 100 ulp where it is about to vanish.
template <class T>
[[gnu::always_inline]] inline Power<T> bell(Vector<T> t) {
    const Vector<T> high = head<T>(t);
    const Vector<T> rest = (high - t) * ((t + high) * T(0.5));
    return reduce<T>(high * high * T(-0.5), unfused<T>(rest));
}

// The power -2 u for 0 <= t <= largest_tanh, u = sqrt(2 / pi) (t + 0.044715 t^3).
//
// 2 u = t (c1 + c3 t^2) reaches 107 (float32) and 748, so each rounding in it would cost that many half ulps.
// Heads of constants and of intermediate results make the large products exact, here too without a fused
// multiply-add; what is left over is small and added to the remainder of exp.
template <class T>
[[gnu::always_inline]] inline Power<T> gelu_tanh_power(Vector<T> t) {
    // c1 = 2 sqrt(2 / pi) and c3 = 0.044715 c1, each as 11 bits and the rest.
    constexpr double c1_high = 0x1.988p+0, c1_low = 0.0000659966057307117598;
    constexpr double c3_high = 0x1.244p-4, c3_low = 4.71861635024877634e-6;
    const Vector<T> high = head<T>(t), low = t - high;
    const Vector<T> square = high * high, square_high = head<T>(square);
    const Vector<T> square_low = low * (t + high) + (square - square_high);
    const Vector<T> factor_high = head<T>(square * T(c3_high + c3_low) + T(c1_high + c1_low));
    Vector<T> factor_low = square_high * T(c3_high) + (T(c1_high) - factor_high);
    factor_low += square_low * T(c3_high + c3_low) + (square_high * T(c3_low) + T(c1_low));
    const Vector<T> rest = t * factor_low + unfused<T>(low * factor_high);
    return reduce<T>(-(high * factor_high), -rest);
}

}  // namespace fastdense::FASTDENSE_ISA
