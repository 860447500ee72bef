// What layers with a number per column do: blend with an activation, multiply, and sum over rows.
#include "kernels/activations.h"
#include "kernels/softmax.h"
#include "kernels/whole_vectors.h"

namespace fastdense::FASTDENSE_ISA {
namespace {

// g(z) and g'(z), in one go if the activation has a form that shares what the two have in common.
template <class G, class T>
[[gnu::always_inline]] inline Sloped<T> sloped(Vector<T> z, T alpha) {
    if constexpr (requires { G::sloped(z, alpha); }) {
        return G::sloped(z, alpha);
    } else {
        const Vector<T> a = G::forward(z, alpha);
        return {a, G::slope(z, a, alpha)};
    }
}

// The product, and 0 for a factor of 0 even of an infinite number. Which of two products that are added is
// fused is left to no compiler: the first is rounded.
template <class T>
[[gnu::always_inline]] inline Vector<T> blended(Vector<T> z, Vector<T> a, Vector<T> share) {
    const Vector<T> rest = T(1) - share;
    return (share == T(0) ? Vector<T>{} : a) * share + unfused<T>((rest == T(0) ? Vector<T>{} : z) * rest);
}

template <class T, class G>
void blend(G, const Blend<T>& b) {
    const auto predicted = [alpha = b.alpha](const T* const(&in)[2], T* const(&out)[1],
                                             std::size_t count) __attribute__((noinline)) {
        for (std::size_t i = 0; i < count; i += lanes<T>) {
            const Vector<T> z = load(in[0] + i);
            store(out[0] + i, blended<T>(z, sloped<G>(z, alpha).a, load(in[1] + i)));
        }
    };
    const auto trained = [alpha = b.alpha](const T* const(&in)[2], T* const(&out)[3], std::size_t count)
                             __attribute__((noinline)) {
                                 for (std::size_t i = 0; i < count; i += lanes<T>) {
                                     const Vector<T> z = load(in[0] + i), share = load(in[1] + i);
                                     const auto [a, slope] = sloped<G>(z, alpha);
                                     store(out[0] + i, blended<T>(z, a, share));
                                     store(out[1] + i, share * slope + (T(1) - share));
                                     store(out[2] + i, a - z);
                                 }
                             };
    for (std::size_t row = 0; row < b.out.rows; ++row) {
        const T* z = b.z.data + row * b.z.stride;
        T* out = b.out.data + row * b.out.stride;
        if (b.slope.data) {
            T* slope = b.slope.data + row * b.slope.stride;
            T* difference = b.difference.data + row * b.difference.stride;
            in_whole_vectors<T, 2, 3>({z, b.shares}, {out, slope, difference}, b.out.columns, trained);
        } else {
            in_whole_vectors<T, 2, 1>({z, b.shares}, {out}, b.out.columns, predicted);
        }
    }
}

// A softmax is not a function of one number, so no layer blends with it.
template <class T>
void blend(Softmax<T>, const Blend<T>&) {}

// One column's number in each lane, or a vector of columns: what is summed of it. A product of two floats is
// exact in double; one of doubles is rounded before it is added.
[[gnu::always_inline]] inline Vector<double> term(Vector<double> d, Vector<double> factor) {
    return unfused<double>(d * factor);
}

// The sums of `vectors` vectors of columns, over all rows.
template <std::size_t vectors, bool weighted, class T>
[[gnu::always_inline]] inline void sum_vectors(const ColumnSums<T>& s, std::size_t column) {
    constexpr std::size_t wide = lanes<double>, count = vectors * lanes<T> / wide;
    Vector<double> sums[count] = {};
    for (std::size_t row = 0; row < s.d.rows; ++row) {
        const T* d = s.d.data + row * s.d.stride + column;
        const T* f = weighted ? s.factors.data + row * s.factors.stride + column : nullptr;
#pragma GCC unroll 8
        for (std::size_t k = 0; k < count; ++k) {
            const Vector<double> each = widened(d + k * wide);
            if constexpr (weighted) {
                sums[k] += term(each, widened(f + k * wide));
            } else {
                sums[k] += each;
            }
        }
    }
    double of[count * wide];
    for (std::size_t k = 0; k < count; ++k) store(of + k * wide, sums[k]);
    for (std::size_t k = 0; k < count * wide; ++k) s.sums[column + k] = T(of[k]);
}

template <bool weighted, class T>
void sum_columns(const ColumnSums<T>& s) {
    std::size_t column = 0;
    for (; column + 2 * lanes<T> <= s.d.columns; column += 2 * lanes<T>) sum_vectors<2, weighted>(s, column);
    for (; column + lanes<T> <= s.d.columns; column += lanes<T>) sum_vectors<1, weighted>(s, column);
    for (; column < s.d.columns; ++column) {
        Vector<double> sum = {};  // the same in all lanes
        for (std::size_t row = 0; row < s.d.rows; ++row) {
            const double d = s.d.data[row * s.d.stride + column];
            const double f = weighted ? double(s.factors.data[row * s.factors.stride + column]) : 1;
            sum += term(Vector<double>{} + d, Vector<double>{} + f);
        }
        double of[lanes<double>];
        store(of, sum);
        s.sums[column] = T(of[0]);
    }
}

}  // namespace

template <class T>
void blend(const Blend<T>& b) {
    switch (b.activation) {
#define ACTIVATION(name, Definition, ...) \
    case Activation::name:                \
        return blend(Definition<T>{}, b);
#include "kernels/activations.inc"
    }
}

template <class T>
void multiply(const Multiply<T>& m) {
    const auto blocks = [](const T* const(&in)[2], T* const(&out)[1], std::size_t count)
                            __attribute__((noinline)) {
                                for (std::size_t i = 0; i < count; i += lanes<T>) {
                                    const Vector<T> a = load(in[0] + i), factor = load(in[1] + i);
                                    const Vector<T> product = a * factor, zero = {};
                                    store(out[0] + i, factor == T(0) ? (a == a ? zero : a) : product);
                                }
                            };
    for (std::size_t row = 0; row < m.out.rows; ++row) {
        in_whole_vectors<T, 2, 1>({m.a.data + row * m.a.stride, m.factors.data + row * m.factors.stride},
                                  {m.out.data + row * m.out.stride}, m.out.columns, blocks);
    }
}

template <class T>
void column_sums(const ColumnSums<T>& s) {
    s.factors.data ? sum_columns<true>(s) : sum_columns<false>(s);
}

template void blend(const Blend<float>& b);
template void blend(const Blend<double>& b);
template void multiply(const Multiply<float>& m);
template void multiply(const Multiply<double>& m);
template void column_sums(const ColumnSums<float>& s);
template void column_sums(const ColumnSums<double>& s);

}  // namespace fastdense::FASTDENSE_ISA
