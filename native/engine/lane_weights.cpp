// Sums gradients, penalties and squares of many programs at once, each in the order of DenseWeights.
#include "engine/lane_weights.h"

namespace fastdense {

template <class T>
LaneWeights<T>::LaneWeights(const KernelsOf<T>& kernels, const std::vector<DenseWeights<T>*>& of_lanes)
    : kernels_(kernels),
      of_lanes_(of_lanes),
      plan_(*of_lanes.front()),
      inputs_(plan_.inputs()),
      units_(plan_.units()),
      lanes_(kernels.lanes),
      slots_(plan_.slots()),
      has_bias_(plan_.has_bias()),
      values_((inputs_ + 1) * units_ * lanes_),
      gradient_(values_.size()) {
    for (std::size_t slot = 0; slot < slots_; ++slot) kept_[slot] = Buffer<T>(values_.size());
    std::vector<T> kernel(inputs_ * units_), bias(units_);
    for (std::size_t lane = 0; lane < of_lanes_.size(); ++lane) {
        const auto take = [&](std::optional<std::size_t> slot, const Buffer<T>& into) {
            of_lanes_[lane]->store(slot, {kernel.data(), has_bias_ ? bias.data() : nullptr});
            for (std::size_t i = 0; i < kernel.size(); ++i) into.data()[i * lanes_ + lane] = kernel[i];
            for (std::size_t i = 0; i < units_; ++i) bias_of(into)[i * lanes_ + lane] = bias[i];
        };
        take(std::nullopt, values_);
        for (std::size_t slot = 0; slot < slots_; ++slot) take(slot, kept_[slot]);
        for (std::size_t k = 0; k < dense_arrays; ++k) {
            const Treatment<T>& own = of_lanes_[lane]->treatments()[k];
            penalties_[k].l1.of[lane] = own.penalties.l1, penalties_[k].l2.of[lane] = own.penalties.l2;
            charges_[k].l1.of[lane] = own.penalties.l1, charges_[k].l2.of[lane] = own.penalties.l2;
            rate_factors_[k].of[lane] = own.rate_factor, decay_factors_[k].of[lane] = own.decay_factor;
        }
        penalised_ |= of_lanes_[lane]->penalised();
    }
}

template <class T>
void LaneWeights<T>::keep(std::size_t lane) const {
    std::vector<T> kernel(inputs_ * units_), bias(units_);
    const auto give = [&](std::optional<std::size_t> slot, const Buffer<T>& from) {
        for (std::size_t i = 0; i < kernel.size(); ++i) kernel[i] = from.data()[i * lanes_ + lane];
        for (std::size_t i = 0; i < units_; ++i) bias[i] = bias_of(from)[i * lanes_ + lane];
        of_lanes_[lane]->load(slot, {kernel.data(), has_bias_ ? bias.data() : nullptr});
    };
    give(std::nullopt, values_);
    for (std::size_t slot = 0; slot < slots_; ++slot) give(slot, kept_[slot]);
}

// Sums over a part of the kernel, or over the bias in its head, as engine/sums.h does over a part's panel.
template <class T>
PerLane<double> LaneWeights<T>::sum(const T* array, const Part& part, bool head,
                                    const Penalties<PerLane<double>>* penalties) const {
    PerLane<double> sums[8] = {}, total{};
    const std::size_t rows = head ? 1 : part.last - part.first, first = head ? 0 : part.first;
    const T* from = array + (first * units_ + part.column) * lanes_;
    kernels_.lane_sums({{from, units_ * lanes_, lanes_},
                        rows,
                        std::min(part.width, units_ - part.column),
                        part.width,
                        penalties,
                        sums});
    for (const PerLane<double>& each : sums) {
        for (std::size_t lane = 0; lane < lanes_; ++lane) total.of[lane] += each.of[lane];
    }
    return total;
}

template <class T>
void LaneWeights<T>::add_penalties(PerLane<double>& totals) const {
    if (!penalised_) return;
    PerLane<double> own{};
    for (std::size_t i = 0; i < plan_.parts(); ++i) {
        const Part part = plan_.at(i);
        PerLane<double> kernel = sum(values_.data(), part, false, &charges_[0]), bias{};
        if (part.has_head()) bias = sum(bias_of(values_), part, true, &charges_[1]);
        for (std::size_t lane = 0; lane < lanes_; ++lane) own.of[lane] += kernel.of[lane] + bias.of[lane];
    }
    for (std::size_t lane = 0; lane < of_lanes_.size(); ++lane) {
        if (of_lanes_[lane]->penalised()) totals.of[lane] += own.of[lane];
    }
}

template <class T>
void LaneWeights<T>::add_gradient(std::size_t rows, LaneMatrix<const T> in, bool shared, const T* d_out) {
    const std::size_t row = units_ * lanes_;
    const auto add = [&](std::size_t inputs, LaneMatrix<const T> a, bool single, T* gradient) {
        const LaneMatrix<T> out{gradient, row, lanes_};
        kernels_.lane_product({inputs,
                               units_,
                               rows,
                               a,
                               {d_out, row, lanes_},
                               {is_fresh_ ? nullptr : gradient, row, lanes_},
                               out,
                               single,
                               false});
    };
    const T one = 1;  // the bias is the weight of an input that is always 1
    if (has_bias_) add(1, {&one, 0, 0}, true, bias_of(gradient_));
    add(inputs_, {in.data, in.column, in.row}, shared, gradient_.data());
    is_fresh_ = false;
}

template <class T>
void LaneWeights<T>::penalise(const PerLane<double>& factors) {
    if (!penalised_) return;
    for (std::size_t k = 0; k < (has_bias_ ? 2 : 1); ++k) {
        Penalties<PerLane<T>> own = penalties_[k];
        for (std::size_t lane = 0; lane < lanes_; ++lane) {
            own.l1.of[lane] *= T(factors.of[lane]), own.l2.of[lane] *= T(factors.of[lane]);
        }
        const std::size_t from = k ? kernel_size() : 0, count = k ? units_ * lanes_ : kernel_size();
        kernels_.lane_penalties({own, values_.data() + from, gradient_.data() + from, count});
    }
}

template <class T>
void LaneWeights<T>::square(PerLane<double>& totals) {
    squares_ = {};
    for (std::size_t i = 0; i < plan_.parts(); ++i) {
        const Part part = plan_.at(i);
        PerLane<double> kernel = sum(gradient_.data(), part, false, nullptr), bias{};
        if (has_bias_ && part.has_head()) bias = sum(bias_of(gradient_), part, true, nullptr);
        for (std::size_t lane = 0; lane < lanes_; ++lane) {
            squares_[0].of[lane] += kernel.of[lane], squares_[1].of[lane] += bias.of[lane];
            totals.of[lane] += kernel.of[lane] + bias.of[lane];
        }
    }
}

template <class T>
void LaneWeights<T>::set_optimizer(const Optimizer<PerLane<T>>& optimizer) {
    optimizers_.fill(optimizer);
}

template <class T>
void LaneWeights<T>::step(const PerLane<T>& rates, const PerLane<T>& decays,
                          const PerDenseArray<PerLane<T>>& scales) {
    for (std::size_t k = 0; k < (has_bias_ ? 2 : 1); ++k) {
        Optimizer<PerLane<T>>& own = optimizers_[k];
        for (std::size_t lane = 0; lane < lanes_; ++lane) {
            const T rate_factor = rate_factors_[k].of[lane];
            own.rate.of[lane] = rates.of[lane] * rate_factor;
            own.decay.of[lane] = decays.of[lane] * (rate_factor * decay_factors_[k].of[lane]);
        }
        const std::size_t from = k ? kernel_size() : 0, count = k ? units_ * lanes_ : kernel_size();
        Parameters<T> all{values_.data(), {}};
        for (std::size_t slot = 0; slot < slots_; ++slot) all.slots[slot] = kept_[slot].data();
        kernels_.lane_step({own, all.from(from), gradient_.data() + from, scales[k], count});
    }
    is_fresh_ = true;
}

template class LaneWeights<float>;
template class LaneWeights<double>;

}  // namespace fastdense
