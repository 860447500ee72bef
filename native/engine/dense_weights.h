// The weights of a dense layer in panels, with the optimizer's slots beside them, and their transpose.
#pragma once

#include <vector>

#include "engine/buffer.h"
#include "engine/weights.h"
#include "kernels/table.h"

namespace fastdense {

// The arrays are the kernel and the bias.
constexpr std::size_t dense_arrays = 2;
template <class V>
using PerDenseArray = std::array<V, dense_arrays>;

template <class T>
class DenseWeights final : public Weights<T> {
public:
    DenseWeights(const KernelsOf<T>& kernels, std::size_t inputs, std::size_t units, bool has_bias,
                 const PerArray<Treatment<T>>& treatments);

    std::size_t inputs() const { return inputs_; }
    std::size_t units() const { return units_; }
    bool has_bias() const { return has_bias_; }
    const PerArray<Treatment<T>>& treatments() const { return by_array_; }
    std::size_t slots() const;

    const T* panels() const { return panels_.data(); }
    const T* transposed() const { return transposed_.data(); }
    // Allocates the transpose, which follows the weights from then on.
    void keep_transpose();

    void load(std::optional<std::size_t> slot, const PerArray<const T*>& from) override;
    void store(std::optional<std::size_t> slot, const PerArray<T*>& to) const override;
    void store_gradient(const PerArray<T*>& to) const override;
    bool penalised() const override;
    // Summed part by part as the weights change: a pass over all of them would take as long as a step.
    double penalty() const override;
    void keep_slots(std::size_t count) override;
    void keep_gradient() override;
    std::size_t parts() const override { return panels_across() * chunks(); }
    // Where a part lies: the inputs `first` to `last` of the panel at a column, which starts with its head.
    struct Part {
        std::size_t column, first, last, panel, width;
        std::size_t start() const { return panel + (first + 1) * width; }
        std::size_t count() const { return (last - first) * width; }
        bool has_head() const { return first == 0; }
    };
    Part at(std::size_t part) const;
    // Writes the part of the transpose while the weights are in the nearest cache: as a pass of its own it
    // took a fifth of a step of 256 x 4 at batch 32.
    void update(std::size_t part, const Passed<T>& batch, const Optimizer<T>* optimizer,
                T penalty_factor) override;
    PerArray<double> squares(std::size_t part) const override;
    void step(std::size_t part, const Optimizer<T>& optimizer, const PerArray<double>& scales) override;

private:
    // Inputs per part: whole tiles of any height, whole vectors, work of microseconds.
    static constexpr std::size_t chunk = 96;
    std::size_t chunks() const { return (inputs_ + chunk - 1) / chunk; }
    std::size_t panels_across() const {
        return (units_ + kernels_.panel_columns - 1) / kernels_.panel_columns;
    }
    const Buffer<T>& buffer(std::optional<std::size_t> slot) const { return slot ? slots_[*slot] : panels_; }
    // Renews what depends on a part's weights.
    void follow(std::size_t part);
    void follow_all();

    const KernelsOf<T>& kernels_;
    const std::size_t inputs_, units_;
    const bool has_bias_;
    const PerArray<Treatment<T>> by_array_;
    std::vector<double> penalties_;  // of each part, if there are any
    Buffer<T> panels_, transposed_, gradient_, slots_[most_slots];
    Parameters<T> parameters_;  // in these buffers
};

}  // namespace fastdense
