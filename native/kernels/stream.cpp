// The matrix product of a few rows with row-major weights that are used once. It is memory-bound, so the
// weights are read in place and not packed into panels first.
#include "kernels/part.h"

namespace fastdense::FASTDENSE_ISA {
namespace {

// The rows of weights that are added at a time to the outputs, which stay in the nearest cache.
constexpr std::size_t weight_rows = 8;

// Adds the products of `count` inputs from `first` on to a vector of each row's outputs, in the order of the
// inputs: the sums are those of a tile, to the bit.
template <class T, int rows, class Load>
[[gnu::always_inline]] inline void add(const Stream<T>& s, std::size_t row, std::size_t first,
                                       std::size_t count, std::size_t column, Vector<T> (&c)[rows],
                                       Load load_weights) {
    for (std::size_t k = first; k < first + count; ++k) {
        const Vector<T> w = load_weights(s.W.data + k * s.W.stride + column);
        for (int i = 0; i < rows; ++i) c[i] += s.a.data[(row + i) * s.a.stride + k] * w;
    }
}

template <class T, int rows>
void run(const Stream<T>& s, std::size_t row) {
    const std::size_t units = s.W.columns, inputs = s.W.rows;
    T* const out = s.out.data + row * s.out.stride;
    for (std::size_t k = 0; k < inputs || k == 0; k += weight_rows) {
        const std::size_t count = inputs - k < weight_rows ? inputs - k : weight_rows;
        for (std::size_t column = 0; column < units; column += lanes<T>) {
            const std::size_t left = units - column;
            const auto part = [left](const T* from) { return load_part(from, left, T(0)); };
            const bool whole = left >= lanes<T>;
            const auto start = [&](const T* from) { return whole ? load(from) : part(from); };
            Vector<T> c[rows];
            for (int i = 0; i < rows; ++i) {
                c[i] = k > 0    ? start(out + i * s.out.stride + column)
                       : s.bias ? start(s.bias + column)
                                : Vector<T>{};
            }
            if (whole && count == weight_rows) {
                add<T, rows>(s, row, k, weight_rows, column, c, [](const T* from) { return load(from); });
            } else if (whole) {
                add<T, rows>(s, row, k, count, column, c, [](const T* from) { return load(from); });
            } else {
                add<T, rows>(s, row, k, count, column, c, part);
            }
            for (int i = 0; i < rows; ++i) {
                T* to = out + i * s.out.stride + column;
                whole ? store(to, c[i]) : store_part(to, left, c[i]);
            }
        }
    }
}

}  // namespace

template <class T>
void stream(const Stream<T>& s) {
    std::size_t row = 0;
    for (; row + 4 <= s.a.rows; row += 4) run<T, 4>(s, row);
    for (; row < s.a.rows; ++row) run<T, 1>(s, row);
}

template void stream(const Stream<float>& s);
template void stream(const Stream<double>& s);

}  // namespace fastdense::FASTDENSE_ISA
