// The matrix product with weights in panels: a dense layer forward, and the gradient of its input.
#include "kernels/part.h"

namespace fastdense::FASTDENSE_ISA {
namespace {

// The sums of a tile are one chain of multiply-adds each, and two units of four cycles each want eight
// chains: a tile of few rows takes several panels at once. One row through 256-256-256-256-10 takes half the
// time.
constexpr int panels_for(int rows) {
    return rows == 1 ? 4 : rows <= 3 ? 2 : 1;
}

// Writes a vector of a tile's row, or the part of it that `room` columns take.
template <class T>
[[gnu::always_inline]] inline void write(T* out, std::size_t room, Vector<T> value) {
    room >= lanes<T> ? store(out, value) : store_part(out, room, value);
}

// Tiles of `panels` panels of one width, by height.
template <class T, int panels, int vectors, bool relu>
struct Tiles {
    template <int rows>
    struct Of {
        // The panel's head, the bias, starts the sums.
        static void run(const Product<T>& product, std::size_t row, std::size_t column) {
            const View<const T>& a = product.a;
            constexpr std::size_t width = vectors * lanes<T>;
            const T* panel = product.panels + panel_start<T>(a.columns, column);
            const std::size_t next = (a.columns + 1) * width;
            Vector<T> c[rows][panels * vectors];
            for (int i = 0; i < rows; ++i) {
                for (int v = 0; v < panels * vectors; ++v) {
                    c[i][v] = load(panel + v / vectors * next + v % vectors * lanes<T>);
                }
            }
            accumulate<T, rows, panels, vectors>(a.columns, a.data + row * a.stride, a.stride, 1,
                                                 panel + width, width, next, c);
            T* out = product.out.data + row * product.out.stride + column;
            const std::size_t room = product.out.columns - column;
            for (int i = 0; i < rows; ++i, out += product.out.stride) {
                for (int v = 0; v < panels * vectors; ++v) {
                    // NaN is not below 0 and stays.
                    if constexpr (relu) c[i][v] = c[i][v] < T(0) ? Vector<T>{} : c[i][v];
                    write(out + v * lanes<T>, room - v * lanes<T>, c[i][v]);
                }
            }
        }
    };
};

// All rows against one panel, which stays in the nearest cache while the rows pass.
template <class T, int vectors, bool relu>
void pass(const Product<T>& product, std::size_t column) {
    static constexpr ByHeight<Tiles<T, 1, vectors, relu>::template Of> tiles;
    const Heights heights(product.a.rows);
    std::size_t row = 0;
    for (std::size_t i = 0; i < heights.tiles; ++i) {
        tiles[heights.of(i)](product, row, column);
        row += heights.of(i);
    }
}

// Few rows against several panels at a time, from a column on. Returns the column where it ends.
template <class T, int rows, bool relu>
std::size_t pass_wide(const Product<T>& product, std::size_t column) {
    constexpr int panels = panels_for(rows);
    constexpr std::size_t width = panels * panel_columns<T>;
    for (; product.units - column > width - lanes<T> && column < product.units; column += width) {
        Tiles<T, panels, panel_vectors, relu>::template Of<rows>::run(product, 0, column);
    }
    return column;
}

template <class T, bool relu>
void run(const Product<T>& product) {
    std::size_t column = 0;
    if (product.a.rows == 1) column = pass_wide<T, 1, relu>(product, column);
    if (product.a.rows == 2) column = pass_wide<T, 2, relu>(product, column);
    if (product.a.rows == 3) column = pass_wide<T, 3, relu>(product, column);
    for (; column < product.units; column += panel_columns<T>) {
        vectors_at<T>(product.units, column) == 1 ? pass<T, 1, relu>(product, column)
                                                  : pass<T, panel_vectors, relu>(product, column);
    }
}

}  // namespace

template <class T>
void product(const Product<T>& product) {
    product.relu ? run<T, true>(product) : run<T, false>(product);
}

template void product(const Product<float>& product);
template void product(const Product<double>& product);

}  // namespace fastdense::FASTDENSE_ISA
