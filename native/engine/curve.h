// An activation over the rows of our own blocks.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/table.h"

namespace fastdense {

struct Curve {
    Activation kind = Activation::linear;
    double alpha = 0;
    std::vector<std::size_t> groups = {};  // the columns of each group of a softmax; empty for one of all

    bool operator==(const Curve&) const = default;

    // What is said of each activation in kernels/activations.inc.
    bool needs_z() const { return facts().slope == Slope::z; }
    bool mixes_columns() const { return facts().over == Over::row; }

    // Computes a = g(z); a may be z.
    template <class T>
    void forward(const KernelsOf<T>& kernels, View<const T> z, View<T> a) const {
        if (kind == Activation::linear && z.data == a.data) return;
        each_run(z, [&](std::size_t row, std::size_t rows, std::size_t column, std::size_t columns) {
            kernels.activate({kind, T(alpha), rows, columns, z.data + row * z.stride + column,
                              a.data + row * a.stride + column});
        });
    }

    // Turns d into d * g'(z), given a = g(z); z is read only if needs_z().
    template <class T>
    void backward(const KernelsOf<T>& kernels, const T* z, View<const T> a, View<T> d) const {
        if (kind == Activation::linear) return;
        each_run(a, [&](std::size_t row, std::size_t rows, std::size_t column, std::size_t columns) {
            const std::size_t at = row * a.stride + column;
            const T* d_here = d.data + at;
            kernels.activate_backward(
                {kind, T(alpha), rows, columns, (z ? z : a.data) + at, a.data + at, d_here, d.data + at});
        });
    }

private:
    enum class Slope { a, z };
    enum class Over { memory, columns, row };
    struct Facts {
        Slope slope;
        Over over;
    };
    const Facts& facts() const {
        static constexpr Facts all[] = {
#define ACTIVATION(name, Definition, slope, over) {Slope::slope, Over::over},
#include "kernels/activations.inc"
        };
        return all[std::size_t(kind)];
    }

    // Calls run(row, rows, column, columns) for all that one call may run over: everything, one row, or one
    // group of a row.
    template <class T, class Run>
    void each_run(const View<const T>& rows, Run run) const {
        const bool gaps = rows.stride != rows.columns;
        const bool by_row = mixes_columns() || (facts().over == Over::columns && gaps);
        if (!by_row) return run(0, rows.rows, 0, rows.stride);
        for (std::size_t row = 0; row < rows.rows; ++row) {
            if (groups.empty()) run(row, 1, 0, rows.columns);
            std::size_t column = 0;
            for (const std::size_t columns : groups) run(row, 1, column, columns), column += columns;
        }
    }
};

}  // namespace fastdense
