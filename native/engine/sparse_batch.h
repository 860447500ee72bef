// The transpose of a sparse batch: the gradient of a layer's weights is summed input by input.
#pragma once

#include <algorithm>
#include <vector>

#include "engine/matrix.h"

namespace fastdense {

template <class T>
class SparseBatch {
public:
    // Allocates what the largest batch needs: what a team does must not fail.
    void make_room(const Rows<T>& X, const std::int64_t* order, std::size_t count, std::size_t batch_rows) {
        std::size_t most = 0;
        for (std::size_t first = 0; first < count; first += batch_rows) {
            std::size_t numbers = 0;
            for (std::size_t i = first; i < std::min(first + batch_rows, count); ++i) {
                numbers += std::size_t(X.starts[order[i] + 1] - X.starts[order[i]]);
            }
            most = std::max(most, numbers);
        }
        starts_.reserve(X.columns + 1);
        next_.reserve(X.columns);
        rows_.reserve(most);
        values_.reserve(most);
    }

    // Sorts the numbers of some rows by input: counts them first, then puts them in place.
    void take(const Rows<T>& X, const std::int64_t* order, std::size_t count) {
        starts_.assign(X.columns + 1, 0);
        each(X, order, count, [&](std::size_t, std::size_t input, T) { ++starts_[input + 1]; });
        for (std::size_t i = 0; i < X.columns; ++i) starts_[i + 1] += starts_[i];
        next_.assign(starts_.begin(), starts_.end() - 1);
        rows_.resize(starts_.back());
        values_.resize(starts_.back());
        each(X, order, count, [&](std::size_t row, std::size_t input, T value) {
            const std::size_t at = next_[input]++;
            rows_[at] = std::uint32_t(row);
            values_[at] = value;
        });
    }

    SparseInputs<T> inputs() const { return {values_.data(), rows_.data(), starts_.data()}; }

private:
    template <class Visit>
    static void each(const Rows<T>& X, const std::int64_t* order, std::size_t count, Visit visit) {
        for (std::size_t i = 0; i < count; ++i) {
            for (std::int64_t k = X.starts[order[i]]; k < X.starts[order[i] + 1]; ++k) {
                visit(i, std::size_t(X.numbers[k]), X.data[k]);
            }
        }
    }

    std::vector<std::size_t> starts_, next_;
    std::vector<std::uint32_t> rows_;
    std::vector<T> values_;
};

}  // namespace fastdense
