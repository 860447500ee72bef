// Centres and scales columns: (a - mean) / deviation, with fixed parameters.
#pragma once

#include <vector>

#include "engine/layer.h"

namespace fastdense {

template <class T>
class ScaleLayer final : public Layer<T> {
public:
    ScaleLayer(std::vector<T> mean, std::vector<T> deviation)
        : Layer<T>(mean.size(), mean.size()), mean_(std::move(mean)), deviation_(std::move(deviation)) {}

    void predict(const Input<T>& in, View<T> out) const override {
        map_rows(in.dense, out,
                 [&](T a, std::size_t, std::size_t j) { return (a - mean_[j]) / deviation_[j]; });
    }

    void backward(const Place&, View<const T>, View<const T>, View<T> d_out, View<T> d_in) override {
        if (!d_in.data) return;
        map_rows<T>(d_out, d_in, [&](T d, std::size_t, std::size_t j) { return d / deviation_[j]; });
    }

private:
    std::vector<T> mean_, deviation_;
};

}  // namespace fastdense
