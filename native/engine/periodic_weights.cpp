// Lays parameters out in groups, and takes the optimizer's step group by group.
#include "engine/periodic_weights.h"

#include "engine/sums.h"

namespace fastdense {

static_assert(PeriodicSizes::arrays <= most_arrays);

template <class T>
PeriodicWeights<T>::PeriodicWeights(const KernelsOf<T>& kernels, const PeriodicSizes& sizes,
                                    const Treatment<T>& treatment)
    : kernels_(kernels),
      sizes_(sizes),
      treatment_(treatment),
      values_(parts() * per_group()),
      parameters_{values_.data(), {}} {}

template <class T>
void PeriodicWeights<T>::keep_room() {
    if (gradient_.size() == 0) gradient_ = Buffer<T>(values_.size());
    if (room_.size() == 0) room_ = Buffer<T>(parts() * periodic_rows * sizes_.width * lanes());
}

// Calls visit(array, number in the array, place in a buffer) for every number of every column.
template <class T>
template <class Visit>
void PeriodicWeights<T>::over_numbers(Visit visit) const {
    for (std::size_t array = 0; array < PeriodicSizes::arrays; ++array) {
        const std::size_t count = sizes_.count(array), start = sizes_.start(array);
        for (std::size_t column = 0; column < sizes_.columns; ++column) {
            const std::size_t group = column / lanes() * per_group(), lane = column % lanes();
            for (std::size_t i = 0; i < count; ++i) {
                visit(array, column * count + i, group + (start + i) * lanes() + lane);
            }
        }
    }
}

template <class T>
void PeriodicWeights<T>::load(std::optional<std::size_t> slot, const PerArray<const T*>& from) {
    T* to = (slot ? slots_[*slot] : values_).data();
    over_numbers([&](std::size_t array, std::size_t i, std::size_t place) { to[place] = from[array][i]; });
}

template <class T>
void PeriodicWeights<T>::store(const Buffer<T>& from, const PerArray<T*>& to) const {
    const T* data = from.data();
    over_numbers([&](std::size_t array, std::size_t i, std::size_t place) { to[array][i] = data[place]; });
}

template <class T>
void PeriodicWeights<T>::keep_slots(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        slots_[i] = Buffer<T>(values_.size());
        parameters_.slots[i] = slots_[i].data();
    }
}

template <class T>
void PeriodicWeights<T>::update(std::size_t part, const Passed<T>& batch, const Optimizer<T>* optimizer,
                                T /*penalty_factor*/) {
    const std::size_t group = part * per_group();
    T* gradient = gradient_.data() + group;
    kernels_.periodic_gradient({sizes_, values_.data(), batch.in, batch.d_out, part, gradient,
                                room_.data() + part * periodic_rows * sizes_.width * lanes()});
    if (!optimizer) return;
    const Optimizer<T> own = optimizer->scaled(treatment_);
    kernels_.step({own, parameters_.from(group), gradient, T(1), per_group()});
}

template <class T>
PerArray<double> PeriodicWeights<T>::squares(std::size_t part) const {
    PerArray<double> squares{};
    for (std::size_t array = 0; array < PeriodicSizes::arrays; ++array) {
        const std::size_t start = part * per_group() + sizes_.start(array) * lanes();
        squares[array] = sum_of_squares(gradient_.data() + start, sizes_.count(array) * lanes());
    }
    return squares;
}

template <class T>
void PeriodicWeights<T>::step(std::size_t part, const Optimizer<T>& optimizer,
                              const PerArray<double>& scales) {
    const Optimizer<T> own = optimizer.scaled(treatment_);
    for (std::size_t array = 0; array < PeriodicSizes::arrays; ++array) {
        const std::size_t start = part * per_group() + sizes_.start(array) * lanes();
        kernels_.step({own, parameters_.from(start), gradient_.data() + start, T(scales[array]),
                       sizes_.count(array) * lanes()});
    }
}

template class PeriodicWeights<float>;
template class PeriodicWeights<double>;

}  // namespace fastdense
