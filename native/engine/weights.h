// The weights of a dense layer in panels, with the optimizer's arrays beside them, updated part by part, and
// their transpose where it is wanted.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/buffer.h"
#include "kernels/table.h"

namespace fastdense {

// One number for the kernel and one for the bias.
struct Pair {
    double kernel = 0, bias = 0;
};

template <class T>
class Weights {
public:
    Weights(const KernelsOf<T>& kernels, std::size_t inputs, std::size_t units, bool has_bias,
            Penalties<T> kernel_penalties, Penalties<T> bias_penalties);

    const std::size_t inputs, units;
    const bool has_bias;

    // In row-major arrays, to and from panels; `which` is an optimizer's slot, or -1 for the weights
    // themselves. The bias is null where there is none.
    void load(int which, const T* kernel, const T* bias);
    void store(int which, T* kernel, T* bias) const;
    void store_gradient(T* kernel, T* bias) const;

    const T* panels() const { return panels_.data(); }
    const T* transposed() const { return transposed_.data(); }
    // Summed part by part as the weights change: a pass over all of them would take as long as a step.
    double penalty() const;
    bool penalised() const;

    // Makes room for an optimizer's arrays, for the gradient where it must be had whole, and for the
    // transpose, which then follows the weights.
    void keep_slots(std::size_t count);
    void keep_gradient();
    void keep_transpose();
    // Parts that can be updated independently of one another.
    std::size_t parts() const { return panels_across() * chunks(); }
    // Sums the gradient of a part over the batch; takes the optimizer's step, or keeps the gradient. The part
    // of the transpose is written while the weights are in the nearest cache: as a pass of its own it took a
    // fifth of a step of 256 x 4 at batch 32.
    // Where `sparse` is given it stands for `in`.
    void update(std::size_t part, View<const T> in, const SparseInputs<T>* sparse, View<const T> dz,
                const Optimizer<T>& optimizer, T penalty_factor, bool keep);
    // Of a part of the kept gradient: the sums of its squares, and the step from it, scaled.
    Pair squares(std::size_t part) const;
    void step(std::size_t part, const Optimizer<T>& optimizer, Pair scale);

private:
    // Inputs a part: whole tiles of any height, whole vectors, work of microseconds.
    static constexpr std::size_t chunk = 96;
    std::size_t chunks() const { return (inputs + chunk - 1) / chunk; }
    std::size_t panels_across() const {
        return (units + kernels_.panel_columns - 1) / kernels_.panel_columns;
    }
    // Where a part lies: the inputs `first` to `last` of the panel at a column, which starts with its head.
    struct Part {
        std::size_t column, first, last, panel, width;
        std::size_t start() const { return panel + (first + 1) * width; }
        std::size_t count() const { return (last - first) * width; }
        bool has_head() const { return first == 0; }
    };
    Part at(std::size_t part) const;
    Parameters<T> parameters(std::size_t start) const;
    // What follows from a part's weights, which have changed.
    void follow(std::size_t part);
    void follow_all();

    const KernelsOf<T>& kernels_;
    const Penalties<T> kernel_penalties_, bias_penalties_;
    std::vector<double> penalties_;  // of each part, where any are
    Buffer<T> panels_, transposed_, gradient_, slots_[most_slots];
};

}  // namespace fastdense
