// A dense layer of several programs, one in each lane.
#pragma once

#include "engine/lane_curve.h"
#include "engine/lane_layer.h"

namespace fastdense {

template <class T>
class LaneDense final : public LaneLayer<T> {
public:
    LaneDense(const KernelsOf<T>& kernels, const std::vector<DenseWeights<T>*>& of_lanes, const Curve& curve);

    void prepare(std::size_t rows) override;
    void forward(const LanePlace& place, const LaneInput<T>& in, T* out) override;
    void backward(const LanePlace& place, const LaneInput<T>& in, const T* out, T* d_out, T* d_in) override;
    LaneWeights<T>* weights() override { return &weights_; }

private:
    const KernelsOf<T>& kernels_;
    LaneWeights<T> weights_;
    LaneCurve<T> curve_;
    Buffer<T> z_;  // of a block, for an activation whose derivative is found from it
};

}  // namespace fastdense
