// The tile that all matrix products are made of: a few rows by a few vectors of columns, held in registers.
#pragma once

#include "kernels/kernels.h"

namespace fastdense::FASTDENSE_ISA {

template <class T>
[[gnu::always_inline]] inline Vector<T> load(const T* from) {
    Vector<T> value;
    __builtin_memcpy(&value, from, sizeof value);
    return value;
}

template <class T>
[[gnu::always_inline]] inline void store(T* to, Vector<T> value) {
    __builtin_memcpy(to, &value, sizeof value);
}

// As many numbers as there are lanes of double, from narrower ones or the same.
[[gnu::always_inline]] inline Vector<double> widened(const double* from) {
    return load(from);
}
[[gnu::always_inline]] inline Vector<double> widened(const float* from) {
#if defined(FASTDENSE_SCALAR)
    return *from;
#else
    typedef float Half __attribute__((vector_size(vector_bytes / 2)));
    Half half;
    __builtin_memcpy(&half, from, sizeof half);
    return __builtin_convertvector(half, Vector<double>);
#endif
}

// A panel is two vectors of columns wide. A tile of `tile_rows` of them leaves registers for the two vectors
// of the panel's row and a number spread over one: 12 x 2 + 3 of 32, 6 x 2 + 3 of 16. Measured on Zen 5
// (AVX-512) at widths 64 to 1024: 12 x 2 gives 90 to 97% of the multiply-add peak, 14 x 2 the same, 6 x 4 the
// same, one vector at any height under 61%, being bound by its loads.
inline constexpr int panel_vectors = 2;
inline constexpr int tile_rows = vector_registers == 32 ? 12 : 6;
template <class T>
inline constexpr std::size_t panel_columns = panel_vectors * lanes<T>;

// c[i][v] += sum over t of a[i * row + t * step] * b[t * b_step + v * lanes], t in order: the order is the
// same for a tile of any shape, so that no number depends on which tile it falls into. With several panels,
// each `next` after the one before, their vectors follow one another in c.
template <class T, int rows, int panels, int vectors>
[[gnu::always_inline]] inline void accumulate(std::size_t count, const T* a, std::size_t row,
                                              std::size_t step, const T* b, std::size_t b_step,
                                              std::size_t next, Vector<T> (&c)[rows][panels * vectors]) {
    for (std::size_t t = 0; t < count; ++t) {
        Vector<T> w[panels * vectors];
#pragma GCC unroll 8
        for (int v = 0; v < panels * vectors; ++v) {
            w[v] = load(b + v / vectors * next + v % vectors * lanes<T>);
        }
#pragma GCC unroll 16
        for (int i = 0; i < rows; ++i) {
            const T x = a[i * row];
#pragma GCC unroll 8
            for (int v = 0; v < panels * vectors; ++v) c[i][v] += x * w[v];
        }
        a += step;
        b += b_step;
    }
}

// The width in vectors of the panel that starts at a column: the last panel may be a single vector wide.
template <class T>
[[gnu::always_inline]] inline std::size_t vectors_at(std::size_t units, std::size_t column) {
    return units - column > lanes<T> ? panel_vectors : 1;
}

// The start of the panel at a column: every panel before it is full, a head and one row per input.
template <class T>
[[gnu::always_inline]] inline std::size_t panel_start(std::size_t inputs, std::size_t column) {
    return (inputs + 1) * column;
}

// A function for every height of a tile, found by that height.
template <template <int> class Function>
struct ByHeight {
    using Pointer = decltype(&Function<1>::run);
    constexpr ByHeight() { fill<1>(); }
    Pointer operator[](std::size_t height) const { return at[height - 1]; }

private:
    template <int height>
    constexpr void fill() {
        at[height - 1] = &Function<height>::run;
        if constexpr (height < tile_rows) fill<height + 1>();
    }
    Pointer at[tile_rows]{};
};

// The heights of the tiles that `rows` rows are cut into: as few as possible and as equal as possible, since
// a tile of one row takes as long as a tile of many (7 rows at a height of 6 are 4 + 3).
struct Heights {
    explicit Heights(std::size_t rows) : tiles((rows + tile_rows - 1) / tile_rows) {
        if (tiles == 0) return;
        height = rows / tiles;
        taller = rows % tiles;
    }
    std::size_t of(std::size_t tile) const { return height + (tile < taller); }

    std::size_t tiles;
    std::size_t height = 0;
    std::size_t taller = 0;  // this many tiles, the first ones, are one row taller
};

}  // namespace fastdense::FASTDENSE_ISA
