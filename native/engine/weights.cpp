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
      panels_(kernels.panels_size(inputs, units)) {}

template <class T>
void Weights<T>::load(int which, const T* kernel, const T* bias) {
    const Buffer<T>& to = which < 0 ? panels_ : slots_[which];
    kernels_.pack(kernel, bias, inputs, units, to.data());
    if (which < 0) transpose_all();
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

// Calls visit(start of the panel, its width): the head is its first row.
template <class T>
template <class Visit>
void Weights<T>::each_panel(Visit visit) const {
    for (std::size_t column = 0; column < units; column += kernels_.panel_columns) {
        const std::size_t left = (units - column + kernels_.lanes - 1) / kernels_.lanes * kernels_.lanes;
        visit((inputs + 1) * column, std::min(left, kernels_.panel_columns));
    }
}

template <class T>
static bool charge(const Penalties<T>& penalties) {
    return penalties.l1 != 0 || penalties.l2 != 0;
}

template <class T>
bool Weights<T>::penalised() const {
    return charge(kernel_penalties_) || charge(bias_penalties_);
}

template <class T>
double Weights<T>::penalty() const {
    const auto sum = [this](const Penalties<T>& penalties, std::size_t start, std::size_t count) {
        double total = 0;
        for (std::size_t i = start; i < start + count; ++i) {
            const double w = panels_.data()[i];
            total += penalties.l1 * std::abs(w) + penalties.l2 * w * w;
        }
        return total;
    };
    double total = 0;
    each_panel([&](std::size_t start, std::size_t width) {
        if (charge(bias_penalties_)) total += sum(bias_penalties_, start, width);
        if (charge(kernel_penalties_)) total += sum(kernel_penalties_, start + width, inputs * width);
    });
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
    transpose_all();
}

template <class T>
void Weights<T>::transpose(std::size_t column, std::size_t first, std::size_t last) {
    if (transposed_.size() == 0) return;
    kernels_.transpose({panels_.data(), inputs, units, column, first, last, transposed_.data()});
}

template <class T>
void Weights<T>::transpose_all() {
    for (std::size_t column = 0; column < units; column += kernels_.panel_columns) {
        transpose(column, 0, inputs);
    }
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
void Weights<T>::update(std::size_t part, View<const T> in, View<const T> dz, const Optimizer<T>& optimizer,
                        bool keep) {
    const std::size_t first = part % chunks() * chunk, last = std::min(first + chunk, inputs);
    const std::size_t column = part / chunks() * kernels_.panel_columns;
    kernels_.update({.a = in,
                     .dz = dz,
                     .column = column,
                     .first = first,
                     .last = last,
                     .bias = has_bias,
                     .kernel_penalties = kernel_penalties_,
                     .bias_penalties = bias_penalties_,
                     .panels = parameters(0),
                     .gradient = keep ? gradient_.data() : nullptr,
                     .optimizer = &optimizer});
    if (!keep) transpose(column, first, last);
}

template <class T>
Pair Weights<T>::squares() const {
    const auto sum = [this](std::size_t start, std::size_t count) {
        double total = 0;
        for (std::size_t i = start; i < start + count; ++i) {
            const double g = gradient_.data()[i];
            total += g * g;
        }
        return total;
    };
    Pair total;
    each_panel([&](std::size_t start, std::size_t width) {
        if (has_bias) total.bias += sum(start, width);
        total.kernel += sum(start + width, inputs * width);
    });
    return total;
}

template <class T>
void Weights<T>::step(const Optimizer<T>& optimizer, Pair scale) {
    each_panel([&](std::size_t start, std::size_t width) {
        const auto go = [&](std::size_t from, double by, std::size_t count) {
            kernels_.step(optimizer, parameters(from), gradient_.data() + from, T(by), count);
        };
        if (has_bias) go(start, scale.bias, width);
        go(start + width, scale.kernel, inputs * width);
    });
    transpose_all();
}

template class Weights<float>;
template class Weights<double>;

}  // namespace fastdense
