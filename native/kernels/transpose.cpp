// Transposes panels of weights into panels, which give the gradient of a layer's inputs.
#include "kernels/tile.h"

namespace fastdense::FASTDENSE_ISA {
namespace {

constexpr int as_int(std::size_t n) {
    return int(n);
}

// The numbers 0, 1, ... as arguments of a template.
template <int...>
struct Numbers {};
#if defined(__clang__)
template <class, int... i>
using NumbersOf = Numbers<i...>;
template <int n>
using Below = __make_integer_seq<NumbersOf, int, n>;
#else
template <int n>
using Below = Numbers<__integer_pack(n)...>;
#endif

// The lanes of b whose number lacks the bit `half` change places with those of a that have it.
template <class T, int half, int... lane>
[[gnu::always_inline]] inline void exchange(Vector<T>& a, Vector<T>& b, Numbers<lane...>) {
#if !defined(FASTDENSE_SCALAR)
    constexpr int n = sizeof...(lane);
    const Vector<T> upper = __builtin_shufflevector(a, b, (lane & half ? n + lane - half : lane)...);
    b = __builtin_shufflevector(a, b, (lane & half ? n + lane : lane + half)...);
    a = upper;
#endif
}

// Transposes a square in registers: swaps the two quarters off its diagonal, then transposes each quarter,
// all of one size at once.
template <class T, int half, int... row>
[[gnu::always_inline]] inline void turn(Vector<T> (&square)[lanes<T>], Numbers<row...> rows) {
    if constexpr (half > 0) {
        (...,
         ((row & half) ? void() : exchange<T, half>(square[row], square[(row + half) % lanes<T>], rows)));
        turn<T, half / 2>(square, rows);
    }
}

}  // namespace

template <class T>
void transpose(const Transpose<T>& part) {
    const std::size_t width = vectors_at<T>(part.units, part.column) * lanes<T>;
    const T* from = part.panels + panel_start<T>(part.inputs, part.column) + (part.first + 1) * width;
    for (std::size_t input = part.first; input < part.last; input += lanes<T>, from += lanes<T> * width) {
        const std::size_t rows = part.last - input < lanes<T> ? part.last - input : lanes<T>;
        const std::size_t panel = input - input % panel_columns<T>;
        const std::size_t across = vectors_at<T>(part.inputs, panel) * lanes<T>;
        T* to = part.transposed + panel_start<T>(part.units, panel) + across + (input - panel);
        for (std::size_t unit = part.column; unit < part.column + width; unit += lanes<T>) {
            Vector<T> square[lanes<T>];
            const T* corner = from + (unit - part.column);
#pragma GCC unroll 16
            for (std::size_t i = 0; i < lanes<T>; ++i) {
                square[i] = i < rows ? load(corner + i * width) : Vector<T>{};
            }
            turn<T, as_int(lanes<T> / 2)>(square, Below<as_int(lanes<T>)>{});
#pragma GCC unroll 16
            for (std::size_t i = 0; i < lanes<T>; ++i) {
                if (unit + i < part.units) store(to + (unit + i) * across, square[i]);
            }
        }
    }
}

template void transpose(const Transpose<float>& part);
template void transpose(const Transpose<double>& part);

}  // namespace fastdense::FASTDENSE_ISA
