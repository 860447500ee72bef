// The parameters of embedded columns, in groups of as many columns as a vector has lanes.
#pragma once

#include "engine/buffer.h"
#include "engine/weights.h"
#include "kernels/periodic.h"
#include "kernels/table.h"

namespace fastdense {

// The arrays are those of PeriodicSizes, each with the columns as its rows. A part is a group. All arrays
// have one treatment, without penalties.
template <class T>
class PeriodicWeights final : public Weights<T> {
public:
    PeriodicWeights(const KernelsOf<T>& kernels, const PeriodicSizes& sizes, const Treatment<T>& treatment);

    const PeriodicSizes& sizes() const { return sizes_; }
    const T* data() const { return values_.data(); }
    // Allocates what `update` needs.
    void keep_room();

    void load(std::optional<std::size_t> slot, const PerArray<const T*>& from) override;
    void store(std::optional<std::size_t> slot, const PerArray<T*>& to) const override {
        store(slot ? slots_[*slot] : values_, to);
    }
    void store_gradient(const PerArray<T*>& to) const override { store(gradient_, to); }
    bool penalised() const override { return false; }
    double penalty() const override { return 0; }
    void keep_slots(std::size_t count) override;
    void keep_gradient() override {}  // it is always kept: it is as small as the weights
    std::size_t parts() const override { return (sizes_.columns + lanes() - 1) / lanes(); }
    void update(std::size_t part, const Passed<T>& batch, const Optimizer<T>* optimizer,
                T penalty_factor) override;
    PerArray<double> squares(std::size_t part) const override;
    void step(std::size_t part, const Optimizer<T>& optimizer, const PerArray<double>& scales) override;

private:
    std::size_t lanes() const { return kernels_.lanes; }
    std::size_t per_group() const { return sizes_.per_column() * lanes(); }
    void store(const Buffer<T>& from, const PerArray<T*>& to) const;
    template <class Visit>
    void over_numbers(Visit visit) const;

    const KernelsOf<T>& kernels_;
    const PeriodicSizes sizes_;
    const Treatment<T> treatment_;
    Buffer<T> values_, gradient_, room_, slots_[most_slots];
    Parameters<T> parameters_;  // in these buffers
};

}  // namespace fastdense
