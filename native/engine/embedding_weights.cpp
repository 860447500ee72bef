// Finds the rows of category numbers, and sums their gradients in the order of the batch.
#include "engine/embedding_weights.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>

namespace fastdense {
namespace {

// The category that a number stands for: itself if it is a whole one below `size`, otherwise 0. No comparison
// is true of NaN, and a number is converted only if it is known to be in range.
template <class T>
std::size_t category(T number, std::size_t size) {
    if (!(number >= T(0) && number < T(size))) return 0;
    const auto whole = std::int64_t(number);
    return T(whole) == number ? std::size_t(whole) : 0;
}

// A multiple of 16, so that a part is whole vectors of any processor's. The weights, gradient and two slots
// of a part are 64 KB in float32 and stay in a second-level cache; smaller parts read the category numbers of
// a batch more often.
constexpr std::size_t rows_per_part(std::size_t width) {
    return std::max<std::size_t>(4096 / width / 16, 1) * 16;
}

}  // namespace

template <class T>
EmbeddingWeights<T>::EmbeddingWeights(const KernelsOf<T>& kernels, std::size_t passed,
                                      std::vector<std::size_t> sizes, std::size_t width,
                                      const PerArray<Treatment<T>>& treatments)
    : VectorWeights<T>(kernels, std::accumulate(sizes.begin(), sizes.end(), std::size_t(0)) * width, 1,
                       treatments, rows_per_part(width) * width),
      passed_(passed),
      width_(width),
      sizes_(std::move(sizes)),
      starts_(sizes_.size() + 1) {
    std::partial_sum(sizes_.begin(), sizes_.end(), starts_.begin() + 1);
}

template <class T>
std::size_t EmbeddingWeights<T>::row(std::size_t column, T number) const {
    return starts_[column] + category(number, sizes_[column]);
}

template <class T>
void EmbeddingWeights<T>::sum_gradient(std::size_t, const Part& part, const Passed<T>& batch, T* gradient) {
    std::fill_n(gradient, part.count, T(0));
    const std::size_t first = part.first / width_, end = first + part.count / width_;
    for (std::size_t c = 0; c < columns(); ++c) {
        if (starts_[c] < end && starts_[c + 1] > first) add_column(c, first, end, batch, gradient);
    }
}

// Adds the gradients of the rows from `first` to `end` that a column's numbers stand for. Any number of
// threads gives the same bits: a part is one thread's, which takes the rows of the batch in order.
template <class T>
void EmbeddingWeights<T>::add_column(std::size_t column, std::size_t first, std::size_t end,
                                     const Passed<T>& batch, T* gradient) const {
    const T* numbers = batch.in.data + passed_ + column;
    const T* d_out = batch.d_out.data + passed_ + column * width_;
    for (std::size_t i = 0; i < batch.d_out.rows; ++i) {
        const std::size_t here = row(column, numbers[i * batch.in.stride]);
        if (here < first || here >= end) continue;
        const T* d = d_out + i * batch.d_out.stride;
        T* sums = gradient + (here - first) * width_;
        for (std::size_t j = 0; j < width_; ++j) sums[j] += d[j];
    }
}

template class EmbeddingWeights<float>;
template class EmbeddingWeights<double>;

}  // namespace fastdense
