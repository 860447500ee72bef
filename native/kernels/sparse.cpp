// A dense layer forward over sparse rows: sums the panel's rows that they name, in the order of the inputs as
// in product.cpp, so that the result has the same bits.
#include "kernels/part.h"

namespace fastdense::FASTDENSE_ISA {
namespace {

template <class T, int vectors, bool relu>
void pass(const SparseProduct<T>& product, std::size_t column) {
    constexpr std::size_t width = vectors * lanes<T>;
    const T* panel = product.panels + panel_start<T>(product.inputs, column);
    const SparseRows<T>& a = product.a;
    for (std::size_t i = 0; i < product.out.rows; ++i) {
        Vector<T> c[vectors];
        for (int v = 0; v < vectors; ++v) c[v] = load(panel + v * lanes<T>);
        const std::size_t row = a.number(i);
        for (std::int64_t k = a.starts[row]; k < a.starts[row + 1]; ++k) {
            const T x = a.values[k];
            const T* w = panel + (std::size_t(a.columns[k]) + 1) * width;
            for (int v = 0; v < vectors; ++v) c[v] += x * load(w + v * lanes<T>);
        }
        T* out = product.out.data + i * product.out.stride + column;
        const std::size_t room = product.out.columns - column;
        for (int v = 0; v < vectors && v * lanes<T> < room; ++v) {
            if constexpr (relu) c[v] = c[v] < T(0) ? Vector<T>{} : c[v];
            const std::size_t left = room - v * lanes<T>;
            left >= lanes<T> ? store(out + v * lanes<T>, c[v]) : store_part(out + v * lanes<T>, left, c[v]);
        }
    }
}

template <class T, bool relu>
void run(const SparseProduct<T>& product) {
    for (std::size_t column = 0; column < product.units; column += panel_columns<T>) {
        vectors_at<T>(product.units, column) == 1 ? pass<T, 1, relu>(product, column)
                                                  : pass<T, panel_vectors, relu>(product, column);
    }
}

}  // namespace

template <class T>
void sparse_product(const SparseProduct<T>& product) {
    product.relu ? run<T, true>(product) : run<T, false>(product);
}

template void sparse_product(const SparseProduct<float>& product);
template void sparse_product(const SparseProduct<double>& product);

}  // namespace fastdense::FASTDENSE_ISA
