// Packs, updates and unpacks the weights by the kernels of one instruction set.
#include "engine/dense_weights.h"

#include <algorithm>

#include "engine/sums.h"

namespace fastdense {

template <class T>
DenseWeights<T>::DenseWeights(const KernelsOf<T>& kernels, std::size_t inputs, std::size_t units,
                              bool has_bias, const PerArray<Treatment<T>>& treatments)
    : kernels_(kernels),
      inputs_(inputs),
      units_(units),
      has_bias_(has_bias),
      by_array_(treatments),
      penalties_(penalised() ? parts() : 0),
      panels_(kernels.panels_size(inputs, units)),
      parameters_{panels_.data(), {}} {}

template <class T>
void DenseWeights<T>::load(std::optional<std::size_t> slot, const PerArray<const T*>& from) {
    kernels_.pack({from[0], from[1], inputs_, units_, units_}, buffer(slot).data());
    if (!slot) follow_all();
}

template <class T>
void DenseWeights<T>::store(std::optional<std::size_t> slot, const PerArray<T*>& to) const {
    kernels_.unpack(buffer(slot).data(), inputs_, units_, to[0], to[1]);
}

template <class T>
void DenseWeights<T>::store_gradient(const PerArray<T*>& to) const {
    kernels_.unpack(gradient_.data(), inputs_, units_, to[0], to[1]);
}

template <class T>
typename DenseWeights<T>::Part DenseWeights<T>::at(std::size_t part) const {
    const std::size_t column = part / chunks() * kernels_.panel_columns, first = part % chunks() * chunk;
    const std::size_t left = (units_ - column + kernels_.lanes - 1) / kernels_.lanes * kernels_.lanes;
    return {column, first, std::min(first + chunk, inputs_), (inputs_ + 1) * column,
            std::min(left, kernels_.panel_columns)};
}

template <class T>
std::size_t DenseWeights<T>::slots() const {
    return std::size_t(std::ranges::count_if(slots_, [](const Buffer<T>& slot) { return slot.size() > 0; }));
}

template <class T>
bool DenseWeights<T>::penalised() const {
    return by_array_[0].penalties.any() || by_array_[1].penalties.any();
}

template <class T>
double DenseWeights<T>::penalty() const {
    double total = 0;
    for (const double part : penalties_) total += part;
    return total;
}

template <class T>
void DenseWeights<T>::keep_slots(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        slots_[i] = Buffer<T>(panels_.size());
        parameters_.slots[i] = slots_[i].data();
    }
}

template <class T>
void DenseWeights<T>::keep_gradient() {
    if (gradient_.size() == 0) gradient_ = Buffer<T>(panels_.size());
}

template <class T>
void DenseWeights<T>::keep_transpose() {
    if (transposed_.size() == 0) transposed_ = Buffer<T>(kernels_.panels_size(units_, inputs_));
    follow_all();
}

template <class T>
void DenseWeights<T>::follow(std::size_t part) {
    const Part here = at(part);
    if (transposed_.size()) {
        kernels_.transpose(
            {panels_.data(), inputs_, units_, here.column, here.first, here.last, transposed_.data()});
    }
    if (penalties_.empty()) return;
    penalties_[part] = charge(by_array_[0].penalties, panels_.data() + here.start(), here.count());
    if (here.has_head())
        penalties_[part] += charge(by_array_[1].penalties, panels_.data() + here.panel, here.width);
}

template <class T>
void DenseWeights<T>::follow_all() {
    for (std::size_t part = 0; part < parts(); ++part) follow(part);
}

template <class T>
void DenseWeights<T>::update(std::size_t part, const Passed<T>& batch, const Optimizer<T>* optimizer,
                             T penalty_factor) {
    const Part here = at(part);
    View<const T> in = batch.in;
    in.columns = inputs_;  // sparse inputs have no view
    const auto ending = [&](const Treatment<T>& own) -> Ending<T> {
        return {own.penalties * penalty_factor, optimizer ? optimizer->scaled(own) : Optimizer<T>{}};
    };
    kernels_.update({.a = in,
                     .sparse = batch.sparse,
                     .dz = batch.d_out,
                     .column = here.column,
                     .first = here.first,
                     .last = here.last,
                     .bias = has_bias_,
                     .of_kernel = ending(by_array_[0]),
                     .of_bias = ending(by_array_[1]),
                     .panels = parameters_,
                     .gradient = optimizer ? nullptr : gradient_.data()});
    if (optimizer) follow(part);
}

template <class T>
PerArray<double> DenseWeights<T>::squares(std::size_t part) const {
    const Part here = at(part);
    const bool bias = has_bias_ && here.has_head();
    return {sum_of_squares(gradient_.data() + here.start(), here.count()),
            bias ? sum_of_squares(gradient_.data() + here.panel, here.width) : 0.0};
}

template <class T>
void DenseWeights<T>::step(std::size_t part, const Optimizer<T>& optimizer, const PerArray<double>& scales) {
    const Part here = at(part);
    const auto go = [&](std::size_t array, std::size_t from, std::size_t count) {
        const Optimizer<T> own = optimizer.scaled(by_array_[array]);
        kernels_.step({own, parameters_.from(from), gradient_.data() + from, T(scales[array]), count});
    };
    if (has_bias_ && here.has_head()) go(1, here.panel, here.width);
    go(0, here.start(), here.count());
    follow(part);
}

template class DenseWeights<float>;
template class DenseWeights<double>;

}  // namespace fastdense
