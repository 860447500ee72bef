// An activation over the rows of our own blocks.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/table.h"

namespace fastdense {

template <class T>
struct Curve {
    Activation kind = Activation::linear;
    T alpha = 0;
    std::vector<std::size_t> groups = {};  // a softmax's: the columns of each, all of a row's; empty for one

    // Whether its slope is found from z and not from g(z).
    bool needs_z() const {
        switch (kind) {
            case Activation::gelu:
            case Activation::gelu_tanh:
            case Activation::silu:
            case Activation::mish:
            case Activation::relu6:
            case Activation::hard_sigmoid:
            case Activation::hard_silu:
                return true;
            default:
                return false;
        }
    }

    // a = g(z); a may be z. Most run over whole rows at once, over what is past the last column too.
    void forward(const KernelsOf<T>& kernels, View<const T> z, View<T> a) const {
        if (kind == Activation::linear && z.data == a.data) return;
        over(z, [&](std::size_t row, std::size_t rows, std::size_t column, std::size_t columns) {
            kernels.activate({kind, alpha, rows, columns, z.data + row * z.stride + column,
                              a.data + row * a.stride + column});
        });
    }

    // d becomes d * g'(z), given a = g(z); z is read only where needs_z().
    void backward(const KernelsOf<T>& kernels, const T* z, View<const T> a, View<T> d) const {
        if (kind == Activation::linear) return;
        over(a, [&](std::size_t row, std::size_t rows, std::size_t column, std::size_t columns) {
            const std::size_t at = row * a.stride + column;
            const T* d_here = d.data + at;
            kernels.activate_backward(
                {kind, alpha, rows, columns, (z ? z : a.data) + at, a.data + at, d_here, d.data + at});
        });
    }

private:
    // Calls run(row, rows, column, columns) for what the activation can be run over at once. Row by row go
    // softmax, as its rows end before the stride does, and each group of a row by itself; and the
    // exponential, which would make infinities of what lies between rows and was not written since it last
    // went over it.
    template <class Run>
    void over(const View<const T>& rows, Run run) const {
        const bool gaps = rows.stride != rows.columns;
        const bool by_row = kind == Activation::softmax || (kind == Activation::exponential && gaps);
        if (!by_row) return run(0, rows.rows, 0, rows.stride);
        for (std::size_t row = 0; row < rows.rows; ++row) {
            if (groups.empty()) run(row, 1, 0, rows.columns);
            std::size_t column = 0;
            for (const std::size_t columns : groups) run(row, 1, column, columns), column += columns;
        }
    }
};

}  // namespace fastdense
