// A blend of each number and its activation, by a share per column, which is trained.
#pragma once

#include <utility>

#include "engine/curve.h"
#include "engine/layer.h"
#include "engine/matrix.h"
#include "engine/vector_weights.h"

namespace fastdense {

template <class T>
class ParametricActivationLayer final : public Layer<T> {
public:
    ParametricActivationLayer(const KernelsOf<T>& kernels, std::size_t inputs, Curve curve,
                              const PerArray<Treatment<T>>& treatments)
        : Layer<T>(inputs, inputs),
          kernels_(kernels),
          curve_(std::move(curve)),
          shares_(kernels, inputs, 1, treatments) {}

    void predict(const Input<T>& in, View<T> out) const override {
        kernels_.blend({curve_.kind, T(curve_.alpha), in.dense, shares_.vector(0), out});
    }

    void prepare(std::size_t batch_rows) override {
        slope_ = Block<T>(batch_rows, this->inputs, kernels_.lanes);
        difference_ = Block<T>(batch_rows, this->inputs, kernels_.lanes);
        shares_.set_factors(0, difference_.all());
    }

    // Computes the derivative too: it costs less beside the activation than on the way back.
    void forward(const Place& place, const Input<T>& in, View<T> out) override {
        kernels_.blend({curve_.kind, T(curve_.alpha), in.dense, shares_.vector(0), out,
                        slope_.rows(place.row, out.rows), difference_.rows(place.row, out.rows)});
    }

    void backward(const Place& place, View<const T>, View<const T>, View<T> d_out, View<T> d_in) override {
        if (d_in.data) kernels_.multiply({d_out, slope_.rows(place.row, d_out.rows), d_in});
    }

    Weights<T>* weights() override { return &shares_; }

private:
    const KernelsOf<T>& kernels_;
    const Curve curve_;
    VectorWeights<T> shares_;
    Block<T> slope_, difference_;  // of a training batch
};

}  // namespace fastdense
