// Centring and scaling of columns: (a - mean) / deviation, with fixed numbers.
#pragma once

#include <vector>

#include "engine/layer.h"

namespace fastdense {

template <class T>
class ScaleLayer final : public Layer<T> {
public:
    ScaleLayer(std::vector<T> mean, std::vector<T> deviation)
        : Layer<T>(mean.size(), mean.size()), mean_(std::move(mean)), deviation_(std::move(deviation)) {}

    void predict(View<const T> in, View<T> out) const override {
        for (std::size_t i = 0; i < in.rows; ++i) {
            const T* a = in.data + i * in.stride;
            T* to = out.data + i * out.stride;
            for (std::size_t j = 0; j < in.columns; ++j) to[j] = (a[j] - mean_[j]) / deviation_[j];
        }
    }

    void backward(const Place&, View<const T>, View<const T>, View<T> d_out, View<T> d_in) override {
        if (!d_in.data) return;
        for (std::size_t i = 0; i < d_out.rows; ++i) {
            const T* from = d_out.data + i * d_out.stride;
            T* to = d_in.data + i * d_in.stride;
            for (std::size_t j = 0; j < d_out.columns; ++j) to[j] = from[j] / deviation_[j];
        }
    }

private:
    std::vector<T> mean_, deviation_;
};

}  // namespace fastdense
