// Embeds the first columns by cosines whose frequencies, phases and weights are trained; the others pass.
#pragma once

#include "engine/layer.h"
#include "engine/matrix.h"
#include "engine/periodic_weights.h"

namespace fastdense {

template <class T>
class PeriodicLayer final : public Layer<T> {
public:
    PeriodicLayer(const KernelsOf<T>& kernels, std::size_t inputs, const PeriodicSizes& sizes,
                  const Treatment<T>& treatment)
        : Layer<T>(inputs, inputs + sizes.columns * sizes.sums()),
          kernels_(kernels),
          weights_(kernels, sizes, treatment) {}

    void predict(const Input<T>& in, View<T> out) const override {
        kernels_.periodic({sizes(), weights_.data(), in.dense, out});
        copy_rows<T>(passed(in.dense, sizes().columns), passed(out, embedded()));
    }

    void prepare(std::size_t) override { weights_.keep_room(); }

    void backward(const Place&, View<const T> in, View<const T>, View<T> d_out, View<T> d_in) override {
        if (!d_in.data) return;
        kernels_.periodic_inputs({sizes(), weights_.data(), in, d_out, d_in});
        copy_rows<T>(passed<const T>(d_out, embedded()), passed(d_in, sizes().columns));
    }

    Weights<T>* weights() override { return &weights_; }
    // A cosine takes as long as some twelve multiply-adds, and serves all of a column's numbers.
    std::size_t work_per_unit() const override { return 12 * sizes().frequencies / sizes().width + 1; }

private:
    const PeriodicSizes& sizes() const { return weights_.sizes(); }
    std::size_t embedded() const { return sizes().columns * sizes().width; }
    // The columns from `first` on.
    template <class V>
    static View<V> passed(View<V> rows, std::size_t first) {
        return {rows.data + first, rows.rows, rows.columns - first, rows.stride};
    }

    const KernelsOf<T>& kernels_;
    PeriodicWeights<T> weights_;
};

}  // namespace fastdense
