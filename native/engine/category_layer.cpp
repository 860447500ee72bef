// Copies what passes, and the numbers of each category.
#include "engine/category_layer.h"

#include <algorithm>

#include "engine/matrix.h"

namespace fastdense {

template <class T>
CategoryLayer<T>::CategoryLayer(const KernelsOf<T>& kernels, std::size_t inputs,
                                const std::vector<std::size_t>& sizes, std::size_t width,
                                const PerArray<Treatment<T>>& treatments)
    : Layer<T>(inputs, inputs - sizes.size() + sizes.size() * width),
      weights_(kernels, inputs - sizes.size(), sizes, width, treatments) {}

template <class T>
void CategoryLayer<T>::predict(const Input<T>& in, View<T> out) const {
    const std::size_t passed = weights_.passed(), width = weights_.width();
    for (std::size_t i = 0; i < out.rows; ++i) {
        const T* a = in.dense.data + i * in.dense.stride;
        T* to = out.data + i * out.stride;
        copy_row(a, passed, to);
        for (std::size_t c = 0; c < weights_.columns(); ++c) {
            copy_row(weights_.numbers(weights_.row(c, a[passed + c])), width, to + passed + c * width);
        }
    }
}

template <class T>
void CategoryLayer<T>::backward(const Place&, View<const T>, View<const T>, View<T> d_out, View<T> d_in) {
    for (std::size_t i = 0; d_in.data && i < d_in.rows; ++i) {
        T* to = d_in.data + i * d_in.stride;
        copy_row<T>(d_out.data + i * d_out.stride, weights_.passed(), to);
        std::fill_n(to + weights_.passed(), weights_.columns(), T(0));
    }
}

template class CategoryLayer<float>;
template class CategoryLayer<double>;

}  // namespace fastdense
