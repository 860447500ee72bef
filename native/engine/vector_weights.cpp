// Sums the gradients of vectors in the order of the rows, and takes the optimizer's step by its kernel.
#include "engine/vector_weights.h"

#include <algorithm>

#include "engine/matrix.h"
#include "engine/sums.h"

namespace fastdense {

template <class T>
VectorWeights<T>::VectorWeights(const KernelsOf<T>& kernels, std::size_t columns, std::size_t count,
                                const PerArray<Treatment<T>>& treatments, std::size_t chunk)
    : kernels_(kernels),
      columns_(columns),
      stride_((columns + kernels.lanes - 1) / kernels.lanes * kernels.lanes),
      count_(count),
      chunk_(chunk),
      treatments_(treatments),
      values_(count * stride_),
      gradient_(count * stride_),
      parameters_{values_.data(), {}} {}

template <class T>
void VectorWeights<T>::load(std::optional<std::size_t> slot, const PerArray<const T*>& from) {
    for (std::size_t k = 0; k < count_; ++k) copy_row(from[k], columns_, buffer(slot).data() + k * stride_);
}

template <class T>
void VectorWeights<T>::store(std::optional<std::size_t> slot, const PerArray<T*>& to) const {
    for (std::size_t k = 0; k < count_; ++k) copy_row(buffer(slot).data() + k * stride_, columns_, to[k]);
}

template <class T>
void VectorWeights<T>::store_gradient(const PerArray<T*>& to) const {
    for (std::size_t k = 0; k < count_; ++k) copy_row(gradient_.data() + k * stride_, columns_, to[k]);
}

template <class T>
bool VectorWeights<T>::penalised() const {
    return std::any_of(treatments_.begin(), treatments_.end(),
                       [](const auto& each) { return each.penalties.any(); });
}

template <class T>
double VectorWeights<T>::penalty() const {
    double total = 0;
    for (std::size_t k = 0; k < count_; ++k) total += charge(treatments_[k].penalties, vector(k), columns_);
    return total;
}

template <class T>
void VectorWeights<T>::keep_slots(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        slots_[i] = Buffer<T>(values_.size());
        parameters_.slots[i] = slots_[i].data();
    }
}

template <class T>
typename VectorWeights<T>::Part VectorWeights<T>::at(std::size_t part) const {
    const std::size_t first = part * chunk_;
    return {first, std::min(chunk_, columns_ - first)};
}

template <class T>
void VectorWeights<T>::sum_gradient(std::size_t vector, const Part& part, const Passed<T>& batch,
                                    T* gradient) {
    const auto columns = [&](View<const T> from) -> View<const T> {
        return {from.data ? from.data + part.first : nullptr, batch.d_out.rows, part.count, from.stride};
    };
    kernels_.column_sums({columns(batch.d_out), columns(factors_[vector]), gradient});
}

template <class T>
void VectorWeights<T>::update(std::size_t part, const Passed<T>& batch, const Optimizer<T>* optimizer,
                              T penalty_factor) {
    const Part here = at(part);
    for (std::size_t k = 0; k < count_; ++k) {
        T* g = gradient_.data() + k * stride_ + here.first;
        sum_gradient(k, here, batch, g);
        const Penalties<T> own = treatments_[k].penalties * penalty_factor;
        const T* w = vector(k) + here.first;
        for (std::size_t j = 0; own.any() && j < here.count; ++j) {
            g[j] += T(2) * own.l2 * w[j] + own.l1 * T((w[j] > T(0)) - (w[j] < T(0)));
        }
        if (optimizer) step(k, here, *optimizer, 1);
    }
}

template <class T>
PerArray<double> VectorWeights<T>::squares(std::size_t part) const {
    const Part here = at(part);
    PerArray<double> squares{};
    for (std::size_t k = 0; k < count_; ++k) {
        squares[k] = sum_of_squares(gradient_.data() + k * stride_ + here.first, here.count);
    }
    return squares;
}

template <class T>
void VectorWeights<T>::step(std::size_t part, const Optimizer<T>& optimizer, const PerArray<double>& scales) {
    for (std::size_t k = 0; k < count_; ++k) step(k, at(part), optimizer, scales[k]);
}

// The vectors have room for whole vectors of the processor's, and what is there stays finite.
template <class T>
void VectorWeights<T>::step(std::size_t vector, const Part& part, const Optimizer<T>& optimizer,
                            double scale) {
    const std::size_t from = vector * stride_ + part.first;
    const Optimizer<T> own = optimizer.scaled(treatments_[vector]);
    kernels_.step({own, parameters_.from(from), gradient_.data() + from, T(scale), part.count});
}

template class VectorWeights<float>;
template class VectorWeights<double>;

}  // namespace fastdense
