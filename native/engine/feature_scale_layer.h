// Multiplies each column by a factor of its own, which is trained.
#pragma once

#include "engine/layer.h"
#include "engine/vector_weights.h"

namespace fastdense {

template <class T>
class FeatureScaleLayer final : public Layer<T> {
public:
    FeatureScaleLayer(const KernelsOf<T>& kernels, std::size_t inputs,
                      const PerArray<Treatment<T>>& treatments)
        : Layer<T>(inputs, inputs), kernels_(kernels), factors_(kernels, inputs, 1, treatments) {}

    void predict(const Input<T>& in, View<T> out) const override {
        kernels_.multiply({in.dense, factors(out.rows), out});
    }

    // Leaves d_out * in, whose sums by columns are the gradient of the factors.
    void backward(const Place&, View<const T> in, View<const T>, View<T> d_out, View<T> d_in) override {
        if (d_in.data) kernels_.multiply({d_out, factors(d_out.rows), d_in});
        kernels_.multiply({d_out, in, d_out});
    }

    Weights<T>* weights() override { return &factors_; }

private:
    View<const T> factors(std::size_t rows) const { return {factors_.vector(0), rows, this->inputs, 0}; }

    const KernelsOf<T>& kernels_;
    VectorWeights<T> factors_;
};

}  // namespace fastdense
