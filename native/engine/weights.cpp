// Packs, updates and unpacks the weights by the kernels of one instruction set.
#include "engine/weights.h"

#include <algorithm>
#include <cmath>

namespace fastdense {

template <class T>
Weights<T>::Weights(const KernelsOf<T>& kernels, std::size_t inputs, std::size_t units, bool has_bias,
                    Penalties<T> kernel_penalties, Penalties<T> bias_penalties)
    : inputs(inputs),
      units(units),
      has_bias(has_bias),
      kernels_(kernels),
      kernel_penalties_(kernel_penalties),
      bias_penalties_(bias_penalties),
      panels_(kernels.panels_size(inputs, units)) {
    if (penalised()) penalties_.resize(parts());
}

template <class T>
void Weights<T>::load(int which, const T* kernel, const T* bias) {
    const Buffer<T>& to = which < 0 ? panels_ : slots_[which];
    kernels_.pack({kernel, bias, inputs, units, units}, to.data());
    if (which < 0) follow_all();
}

template <class T>
void Weights<T>::store(int which, T* kernel, T* bias) const {
    const Buffer<T>& from = which < 0 ? panels_ : slots_[which];
    kernels_.unpack(from.data(), inputs, units, kernel, bias);
}

template <class T>
void Weights<T>::store_gradient(T* kernel, T* bias) const {
    kernels_.unpack(gradient_.data(), inputs, units, kernel, bias);
}

template <class T>
typename Weights<T>::Part Weights<T>::at(std::size_t part) const {
    const std::size_t column = part / chunks() * kernels_.panel_columns, first = part % chunks() * chunk;
    const std::size_t left = (units - column + kernels_.lanes - 1) / kernels_.lanes * kernels_.lanes;
    return {column, first, std::min(first + chunk, inputs), (inputs + 1) * column,
            std::min(left, kernels_.panel_columns)};
}

namespace {

// The sum of term(x) over numbers, in eight sums side by side, which the compiler makes vectors of.
template <class T, class Term>
double sum(const T* from, std::size_t count, Term term) {
    double sums[8] = {};
    const std::size_t whole = count - count % 8;
    for (std::size_t i = 0; i < whole; i += 8) {
        for (std::size_t j = 0; j < 8; ++j) sums[j] += term(double(from[i + j]));
    }
    for (std::size_t i = whole; i < count; ++i) sums[i - whole] += term(double(from[i]));
    double total = 0;
    for (const double each : sums) total += each;
    return total;
}

template <class T>
bool charge(const Penalties<T>& penalties) {
    return penalties.l1 != 0 || penalties.l2 != 0;
}

template <class T>
double charged(const Penalties<T>& penalties, const T* from, std::size_t count) {
    if (!charge(penalties)) return 0;
    const double l1 = penalties.l1, l2 = penalties.l2;
    return sum(from, count, [=](double w) { return l1 * std::abs(w) + l2 * w * w; });
}

}  // namespace

template <class T>
bool Weights<T>::penalised() const {
    return charge(kernel_penalties_) || charge(bias_penalties_);
}

template <class T>
double Weights<T>::penalty() const {
    double total = 0;
    for (const double part : penalties_) total += part;
    return total;
}

template <class T>
void Weights<T>::keep_slots(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) slots_[i] = Buffer<T>(panels_.size());
}

template <class T>
void Weights<T>::keep_gradient() {
    if (gradient_.size() == 0) gradient_ = Buffer<T>(panels_.size());
}

template <class T>
void Weights<T>::keep_transpose() {
    if (transposed_.size() == 0) transposed_ = Buffer<T>(kernels_.panels_size(units, inputs));
    follow_all();
}

template <class T>
void Weights<T>::follow(std::size_t part) {
    const Part here = at(part);
    if (transposed_.size()) {
        kernels_.transpose(
            {panels_.data(), inputs, units, here.column, here.first, here.last, transposed_.data()});
    }
    if (penalties_.empty()) return;
    penalties_[part] = charged(kernel_penalties_, panels_.data() + here.start(), here.count());
    if (here.has_head()) {
        penalties_[part] += charged(bias_penalties_, panels_.data() + here.panel, here.width);
    }
}

template <class T>
void Weights<T>::follow_all() {
    for (std::size_t part = 0; part < parts(); ++part) follow(part);
}

template <class T>
Parameters<T> Weights<T>::parameters(std::size_t start) const {
    Parameters<T> here{panels_.data() + start, {}};
    for (std::size_t i = 0; i < most_slots; ++i) {
        if (slots_[i].size()) here.slots[i] = slots_[i].data() + start;
    }
    return here;
}

template <class T>
void Weights<T>::update(std::size_t part, View<const T> in, const SparseInputs<T>* sparse, View<const T> dz,
                        const Optimizer<T>& optimizer, T penalty_factor, bool keep) {
    const Part here = at(part);
    in.columns = inputs;
    kernels_.update({.a = in,
                     .sparse = sparse,
                     .dz = dz,
                     .column = here.column,
                     .first = here.first,
                     .last = here.last,
                     .bias = has_bias,
                     .kernel_penalties = kernel_penalties_ * penalty_factor,
                     .bias_penalties = bias_penalties_ * penalty_factor,
                     .panels = parameters(0),
                     .gradient = keep ? gradient_.data() : nullptr,
                     .optimizer = &optimizer});
    if (!keep) follow(part);
}

template <class T>
Pair Weights<T>::squares(std::size_t part) const {
    const Part here = at(part);
    const auto square = [](double g) { return g * g; };
    const bool bias = has_bias && here.has_head();
    return {sum(gradient_.data() + here.start(), here.count(), square),
            bias ? sum(gradient_.data() + here.panel, here.width, square) : 0.0};
}

template <class T>
void Weights<T>::step(std::size_t part, const Optimizer<T>& optimizer, Pair scale) {
    const Part here = at(part);
    const auto go = [&](std::size_t from, double by, std::size_t count) {
        kernels_.step(optimizer, parameters(from), gradient_.data() + from, T(by), count);
    };
    if (has_bias && here.has_head()) go(here.panel, scale.bias, here.width);
    go(here.start(), scale.kernel, here.count());
    follow(part);
}

template class Weights<float>;
template class Weights<double>;

}  // namespace fastdense
