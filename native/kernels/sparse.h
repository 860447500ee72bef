// Sparse matrices as kernels take them, row by row or input by input.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fastdense {

// Rows of (columns, values), each from one start to the next. Takes those that `order` lists, from `first`
// on, or all from `first` on if it is null.
template <class T>
struct SparseRows {
    const T* values;
    const std::int32_t* columns;
    const std::int64_t* starts;
    const std::int64_t* order;
    std::size_t first;

    [[gnu::always_inline]] std::size_t number(std::size_t i) const {
        return order ? std::size_t(order[first + i]) : first + i;
    }
};

// The same numbers input by input, with their rows in the batch in ascending order.
template <class T>
struct SparseInputs {
    const T* values;
    const std::uint32_t* rows;
    const std::size_t* starts;
};

}  // namespace fastdense
