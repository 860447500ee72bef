// An activation as a layer, for one that no dense layer can take in.
#pragma once

#include <utility>

#include "engine/curve.h"
#include "engine/lane_curve.h"
#include "engine/layer.h"

namespace fastdense {

template <class T>
class LaneActivation final : public LaneLayer<T> {
public:
    LaneActivation(const KernelsOf<T>& kernels, std::size_t inputs, const Curve& curve)
        : LaneLayer<T>(inputs, inputs), lanes_(kernels.lanes), curve_(kernels, curve, inputs) {}

    void prepare(std::size_t rows) override {
        curve_.prepare(rows);
        z_ = Buffer<T>(rows * this->units * lanes_);
    }

    void forward(const LanePlace& place, const LaneInput<T>& in, T* out) override {
        in.map(place.rows, this->units, lanes_, z_.data(),
               [](T z, std::size_t, std::size_t, std::size_t) { return z; });
        curve_.forward(z_.data(), out, place.rows);
    }

    void backward(const LanePlace& place, const LaneInput<T>&, const T* out, T* d_out, T* d_in) override {
        if (!d_in) return;
        curve_.backward(z_.data(), out, d_out, place.rows);
        copy_row(d_out, place.rows * this->units * lanes_, d_in);
    }

private:
    const std::size_t lanes_;
    LaneCurve<T> curve_;
    Buffer<T> z_;  // the inputs of a block
};

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

    std::unique_ptr<LaneLayer<T>> in_lanes(const std::vector<Layer<T>*>& alike) override {
        for (Layer<T>* each : alike) {
            auto* const layer = dynamic_cast<ActivationLayer*>(each);
            if (!layer || layer->inputs != this->inputs || layer->curve_ != curve_) return nullptr;
        }
        return std::make_unique<LaneActivation<T>>(kernels_, this->inputs, curve_);
    }

private:
    const KernelsOf<T>& kernels_;
    const Curve curve_;
};

}  // namespace fastdense
