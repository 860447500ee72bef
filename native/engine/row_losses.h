// The losses of a block of rows, summed over its groups of columns if it has any.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/blocks.h"
#include "kernels/table.h"

namespace fastdense {

// `count` columns of rows, from `first` on. A null view stays null.
template <class T>
View<T> columns_of(View<T> rows, std::size_t first, std::size_t count) {
    return {rows.data ? rows.data + first : nullptr, rows.rows, count, rows.stride};
}

struct RowLosses {
    LossOptions options;
    std::vector<std::size_t> groups;  // the columns of each group; empty for one of all

    // As the kernel, which it calls for each group. Class numbers have no groups.
    template <class T>
    void operator()(const KernelsOf<T>& kernels, const LossRows<T>& rows) const {
        if (groups.empty()) return kernels.losses(rows);
        const std::size_t count = rows.outputs.rows;
        for (std::size_t row = 0; row < count; ++row) rows.losses[row] = 0;
        double of_group[block_rows];
        std::size_t column = 0;
        for (const std::size_t columns : groups) {
            kernels.losses({rows.options, columns_of(rows.outputs, column, columns),
                            columns_of(rows.targets, column, columns), nullptr, of_group, rows.scale,
                            columns_of(rows.gradient, column, columns)});
            for (std::size_t row = 0; row < count; ++row) rows.losses[row] += of_group[row];
            column += columns;
        }
    }
};

}  // namespace fastdense
