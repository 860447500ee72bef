// PReLU: what is below 0 is multiplied by a slope per column, which is trained.
#pragma once

#include "engine/layer.h"
#include "engine/matrix.h"
#include "engine/vector_weights.h"

namespace fastdense {

template <class T>
class PReluLayer final : public Layer<T> {
public:
    PReluLayer(const KernelsOf<T>& kernels, std::size_t inputs, const PerArray<Treatment<T>>& treatments)
        : Layer<T>(inputs, inputs), slopes_(kernels, inputs, 1, treatments) {}

    void predict(const Input<T>& in, View<T> out) const override {
        const T* slope = slopes_.vector(0);
        map_rows(in.dense, out, [=](T a, std::size_t, std::size_t j) {
            const bool vanishes = slope[j] == T(0) && a < T(0);  // not -infinity * 0
            return a > T(0) ? a : vanishes ? T(0) : a * slope[j];
        });
    }

    // Leaves d_out * min(a, 0), whose sums by columns are the gradient of the slopes.
    void backward(const Place&, View<const T> in, View<const T>, View<T> d_out, View<T> d_in) override {
        const T* slope = slopes_.vector(0);
        for (std::size_t i = 0; i < in.rows; ++i) {
            const T* a = in.data + i * in.stride;
            T *d = d_out.data + i * d_out.stride, *to = d_in.data ? d_in.data + i * d_in.stride : nullptr;
            for (std::size_t j = 0; j < in.columns; ++j) {
                if (to) to[j] = a[j] > T(0) ? d[j] : d[j] * slope[j];
                d[j] = a[j] > T(0) ? T(0) : d[j] * a[j];
            }
        }
    }

    Weights<T>* weights() override { return &slopes_; }

private:
    VectorWeights<T> slopes_;
};

}  // namespace fastdense
