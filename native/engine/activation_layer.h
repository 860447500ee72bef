// An activation as a layer, for one that no dense layer can take in.
#pragma once

#include <utility>

#include "engine/curve.h"
#include "engine/layer.h"

namespace fastdense {

template <class T>
class ActivationLayer final : public Layer<T> {
public:
    ActivationLayer(const KernelsOf<T>& kernels, std::size_t inputs, Curve curve)
        : Layer<T>(inputs, inputs), kernels_(kernels), curve_(std::move(curve)) {}

    void predict(const Input<T>& in, View<T> out) const override {
        copy_rows<T>(in.dense, out);
        curve_.forward<T>(kernels_, out, out);
    }

    void backward(const Place&, View<const T> in, View<const T> out, View<T> d_out, View<T> d_in) override {
        if (!d_in.data) return;
        curve_.backward<T>(kernels_, in.data, out, d_out);
        copy_rows<T>(d_out, d_in);
    }

private:
    const KernelsOf<T>& kernels_;
    const Curve curve_;
};

}  // namespace fastdense
