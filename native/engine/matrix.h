// The caller's matrices, of any strides, and how their rows are copied into blocks that kernels take.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/buffer.h"
#include "kernels/dense.h"

namespace fastdense {

// A loop copies a few numbers faster than a call of the library's copy.
template <class T>
void copy_row(const T* from, std::size_t count, T* to) {
    if (count > line_bytes / sizeof(T)) {
        std::copy_n(from, count, to);
    } else {
        for (std::size_t i = 0; i < count; ++i) to[i] = from[i];
    }
}

template <class T>
void copy_rows(View<const T> from, View<T> to) {
    for (std::size_t i = 0; i < from.rows; ++i) {
        copy_row(from.data + i * from.stride, from.columns, to.data + i * to.stride);
    }
}

// Writes f(number, its row, its column) for each number of `from`.
template <class T, class F>
void map_rows(View<const T> from, View<T> to, F f) {
    for (std::size_t i = 0; i < from.rows; ++i) {
        const T* a = from.data + i * from.stride;
        T* out = to.data + i * to.stride;
        for (std::size_t j = 0; j < from.columns; ++j) out[j] = f(a[j], i, j);
    }
}

// Zeroes what lies between the rows.
template <class T>
void clear_gaps(View<T> to) {
    for (std::size_t i = 0; i < to.rows; ++i) {
        std::fill(to.data + i * to.stride + to.columns, to.data + (i + 1) * to.stride, T(0));
    }
}

// A caller's matrix, read only, with steps in elements. A sparse one holds the numbers that are not 0, row i
// from `starts[i]` to `starts[i + 1]`, and their columns in `numbers`.
template <class T>
struct Rows {
    const T* data;
    std::size_t count, columns;
    std::ptrdiff_t row_step, column_step;
    const std::int32_t* numbers = nullptr;
    const std::int64_t* starts = nullptr;

    bool sparse() const { return starts != nullptr; }
    SparseRows<T> from(const std::int64_t* order, std::size_t first) const {
        return {data, numbers, starts, order, first};
    }

    const T* row(std::size_t i) const { return data + std::ptrdiff_t(i) * row_step; }

    // Returns rows from `first` on, of those that `order` lists, or of all if it is null: in place if kernels
    // can read them there, otherwise copied to `room`.
    View<const T> view(const std::int64_t* order, std::size_t first, View<T> room) const;
};

// The next stride that spreads rows over all sets of a cache.
template <class T>
constexpr std::size_t apart(std::size_t stride) {
    constexpr std::size_t line = line_bytes / sizeof(T);
    return stride % (16 * line) == 0 ? stride + line : stride;
}

// A matrix of the engine's, whose rows have room for whole vectors.
template <class T>
class Block {
public:
    Block() = default;
    Block(std::size_t rows, std::size_t columns, std::size_t lanes)
        : stride_(apart<T>((columns + lanes - 1) / lanes * lanes)),
          rows_(rows),
          columns_(columns),
          buffer_(rows * stride_) {}

    View<T> rows(std::size_t first, std::size_t count) const {
        return {buffer_.data() + first * stride_, count, columns_, stride_};
    }
    View<T> all() const { return rows(0, rows_); }

private:
    std::size_t stride_ = 0, rows_ = 0, columns_ = 0;
    Buffer<T> buffer_;
};

// Writes sparse rows out in full.
template <class T>
void spread(const SparseRows<T>& from, View<T> to) {
    for (std::size_t i = 0; i < to.rows; ++i) {
        T* out = to.data + i * to.stride;
        std::fill_n(out, to.columns, T(0));
        const std::size_t row = from.number(i);
        for (std::int64_t k = from.starts[row]; k < from.starts[row + 1]; ++k) {
            out[from.columns[k]] = from.values[k];
        }
    }
}

// Copies rows of a caller's matrix, from `first` on: of those that `order` lists, or of all if it is null.
template <class T>
void gather(const Rows<T>& from, const std::int64_t* order, std::size_t first, View<T> to) {
    if (from.sparse()) return spread(from.from(order, first), to);
    for (std::size_t i = 0; i < to.rows; ++i) {
        const T* row = from.row(order ? std::size_t(order[first + i]) : first + i);
        T* out = to.data + i * to.stride;
        if (from.column_step == 1) {
            copy_row(row, to.columns, out);
        } else {
            for (std::size_t j = 0; j < to.columns; ++j) out[j] = row[std::ptrdiff_t(j) * from.column_step];
        }
    }
}

template <class T>
View<const T> Rows<T>::view(const std::int64_t* order, std::size_t first, View<T> room) const {
    if (!sparse() && !order && column_step == 1 && row_step >= 0)
        return {row(first), room.rows, columns, std::size_t(row_step)};
    gather(*this, order, first, room);
    return room;
}

}  // namespace fastdense
