// The dense layer in the engine.
#pragma once

#include "engine/curve.h"
#include "engine/dense_weights.h"
#include "engine/layer.h"

namespace fastdense {

template <class T>
class DenseLayer final : public Layer<T> {
public:
    // `passes_gradient`: an earlier layer trains.
    DenseLayer(const KernelsOf<T>& kernels, std::size_t inputs, std::size_t units, Curve curve, bool has_bias,
               const PerArray<Treatment<T>>& treatments, bool passes_gradient);

    void predict(const Input<T>& in, View<T> out) const override;
    void predict_shared(View<const T> in, View<T> out, int threads) const override;
    bool takes_sparse() const override { return true; }
    void prepare(std::size_t batch_rows) override;
    void forward(const Place& place, const Input<T>& in, View<T> out) override;
    void backward(const Place& place, View<const T> in, View<const T> out, View<T> d_out,
                  View<T> d_in) override;
    std::unique_ptr<LaneLayer<T>> in_lanes(const std::vector<Layer<T>*>& alike) override;
    Weights<T>* weights() override { return &weights_; }
    std::size_t work_per_unit() const override { return this->inputs + 4; }

private:
    // Computes z, or its ReLU.
    void product(const Input<T>& in, View<T> out, bool relu) const;
    void predict_units(View<const T> in, View<T> out, std::size_t column, std::size_t units) const;

    const KernelsOf<T>& kernels_;
    DenseWeights<T> weights_;
    const Curve curve_;
    const bool passes_gradient_;
    Block<T> z_;  // of a training batch, if the activation's slope is found from it
};

}  // namespace fastdense
