// The trained numbers of categories: a row of `width` numbers per category, those of all columns one below
// the other.
#pragma once

#include <vector>

#include "engine/vector_weights.h"

namespace fastdense {

// The categories of the columns from `passed` on, of which column i has `sizes[i]`. To the optimizer they are
// one vector, whose parts are whole rows. A batch has few of the categories, but every step moves all of
// them: where the gradient is 0, running means decay and weight decay goes on.
template <class T>
class EmbeddingWeights final : public VectorWeights<T> {
public:
    EmbeddingWeights(const KernelsOf<T>& kernels, std::size_t passed, std::vector<std::size_t> sizes,
                     std::size_t width, const PerArray<Treatment<T>>& treatments);

    std::size_t passed() const { return passed_; }
    std::size_t columns() const { return sizes_.size(); }
    std::size_t width() const { return width_; }
    // The row of the category that a number of a column stands for.
    std::size_t row(std::size_t column, T number) const;
    const T* numbers(std::size_t row) const { return this->vector(0) + row * width_; }

private:
    using Part = typename VectorWeights<T>::Part;
    void sum_gradient(std::size_t vector, const Part& part, const Passed<T>& batch, T* gradient) override;
    void add_column(std::size_t column, std::size_t first, std::size_t end, const Passed<T>& batch,
                    T* gradient) const;

    const std::size_t passed_, width_;
    const std::vector<std::size_t> sizes_;
    std::vector<std::size_t> starts_;  // the first row of each column, and the end of the last one
};

}  // namespace fastdense
