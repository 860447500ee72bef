// The matrix product with weights in panels: a dense layer forward, and the gradient of its input.
#include "kernels/tile.h"

namespace fastdense::FASTDENSE_ISA {
namespace {

// Tiles of one width and ending, by height.
template <class T, int vectors, bool relu>
struct Tiles {
    template <int rows>
    struct Of {
        // The panel's head, the bias, starts the sums.
        static void run(const Product<T>& product, std::size_t row, const T* panel, T* out) {
            Vector<T> c[rows][vectors];
            for (int i = 0; i < rows; ++i) {
                for (int v = 0; v < vectors; ++v) c[i][v] = load(panel + v * lanes<T>);
            }
            const View<const T>& a = product.a;
            constexpr std::size_t width = vectors * lanes<T>;
            accumulate(a.columns, a.data + row * a.stride, a.stride, 1, panel + width, width, c);
            for (int i = 0; i < rows; ++i) {
                for (int v = 0; v < vectors; ++v) {
                    // NaN is not below 0 and stays.
                    if constexpr (relu) c[i][v] = c[i][v] < T(0) ? Vector<T>{} : c[i][v];
                    store(out + i * product.out.stride + v * lanes<T>, c[i][v]);
                }
            }
        }
    };
};

// All rows against one panel, which stays in the nearest cache while the rows pass.
template <class T, int vectors, bool relu>
void pass(const Product<T>& product, const T* panel, std::size_t column) {
    static constexpr ByHeight<Tiles<T, vectors, relu>::template Of> tiles;
    const Heights heights(product.a.rows);
    std::size_t row = 0;
    for (std::size_t i = 0; i < heights.tiles; ++i) {
        tiles[heights.of(i)](product, row, panel, product.out.data + row * product.out.stride + column);
        row += heights.of(i);
    }
}

}  // namespace

template <class T>
void product(const Product<T>& product) {
    for (std::size_t column = 0; column < product.units; column += panel_columns<T>) {
        const T* panel = product.panels + panel_start<T>(product.a.columns, column);
        if (vectors_at<T>(product.units, column) == 1) {
            product.relu ? pass<T, 1, true>(product, panel, column)
                         : pass<T, 1, false>(product, panel, column);
        } else {
            product.relu ? pass<T, 2, true>(product, panel, column)
                         : pass<T, 2, false>(product, panel, column);
        }
    }
}

template void product(const Product<float>& product);
template void product(const Product<double>& product);

}  // namespace fastdense::FASTDENSE_ISA
