// Matrices that are mostly zeros: what kernels are given of them, row by row or input by input.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fastdense {

// Rows of (columns, values), each from a start to the next: `order` names the rows to take, from `first` on,
// or is null for the rows as they lie.
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

// The same numbers input by input: in which rows of the batch it is not 0, in their order.
template <class T>
struct SparseInputs {
    const T* values;
    const std::uint32_t* rows;
    const std::size_t* starts;
};

}  // namespace fastdense
