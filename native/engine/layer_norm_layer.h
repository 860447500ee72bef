// Layer normalization: each row is centred and scaled by its own mean and variance, then scaled and shifted
// by numbers per column, which are trained.
#pragma once

#include <cmath>
#include <vector>

#include "engine/layer.h"
#include "engine/matrix.h"
#include "engine/sums.h"
#include "engine/vector_weights.h"

namespace fastdense {

// The trained vectors are gamma if it `scales`, then beta if it `centers`.
template <class T>
class LayerNormLayer final : public Layer<T> {
public:
    LayerNormLayer(const KernelsOf<T>& kernels, std::size_t inputs, double epsilon, bool scales, bool centers,
                   const PerArray<Treatment<T>>& treatments)
        : Layer<T>(inputs, inputs),
          kernels_(kernels),
          epsilon_(epsilon),
          scales_(scales),
          centers_(centers),
          weights_(kernels, inputs, std::size_t(scales) + std::size_t(centers), treatments) {}

    void predict(const Input<T>& in, View<T> out) const override {
        for (std::size_t i = 0; i < out.rows; ++i) {
            T* to = out.data + i * out.stride;
            normalise(in.dense.data + i * in.dense.stride, to);
            finish(to, to);
        }
    }

    void prepare(std::size_t batch_rows) override {
        normal_ = Block<T>(batch_rows, this->inputs, kernels_.lanes);
        inverse_.resize(batch_rows);
        if (scales_) weights_.set_factors(0, normal_.all());
    }

    void forward(const Place& place, const Input<T>& in, View<T> out) override {
        const View<T> normal = normal_.rows(place.row, out.rows);
        for (std::size_t i = 0; i < out.rows; ++i) {
            T* x = normal.data + i * normal.stride;
            inverse_[place.row + i] = normalise(in.dense.data + i * in.dense.stride, x);
            finish(x, out.data + i * out.stride);
        }
    }

    // With g = d_out * gamma and the normalised x: d_in = (g - mean(g) - x * mean(g * x)) / deviation.
    void backward(const Place& place, View<const T>, View<const T>, View<T> d_out, View<T> d_in) override {
        if (!d_in.data) return;
        const std::size_t n = this->inputs;
        const View<T> normal = normal_.rows(place.row, d_out.rows);
        for (std::size_t i = 0; i < d_out.rows; ++i) {
            const T *d = d_out.data + i * d_out.stride, *x = normal.data + i * normal.stride;
            T* to = d_in.data + i * d_in.stride;
            const auto g = [&](std::size_t j) { return double(d[j]) * (scales_ ? double(gamma()[j]) : 1.0); };
            const double mean = sum(n, g) / double(n);
            const double slope = sum(n, [&](std::size_t j) { return g(j) * double(x[j]); }) / double(n);
            const double inverse = inverse_[place.row + i];
            for (std::size_t j = 0; j < n; ++j) to[j] = T(inverse * (g(j) - mean - double(x[j]) * slope));
        }
    }

    Weights<T>* weights() override { return scales_ || centers_ ? &weights_ : nullptr; }

private:
    const T* gamma() const { return weights_.vector(0); }
    const T* beta() const { return weights_.vector(scales_); }

    // Writes (a - mean) / sqrt(variance + epsilon) and returns the last one's inverse. The variance is that
    // of the differences from the mean: a mean of squares would lose the digits of a large mean.
    double normalise(const T* a, T* to) const {
        const std::size_t n = this->inputs;
        const double mean = sum(n, [=](std::size_t j) { return double(a[j]); }) / double(n);
        const double variance = sum(n,
                                    [=](std::size_t j) {
                                        const double difference = double(a[j]) - mean;
                                        return difference * difference;
                                    }) /
                                double(n);
        const double inverse = 1 / std::sqrt(variance + epsilon_);
        for (std::size_t j = 0; j < n; ++j) to[j] = T((double(a[j]) - mean) * inverse);
        return inverse;
    }

    void finish(const T* x, T* to) const {
        for (std::size_t j = 0; j < this->inputs; ++j) {
            const T scaled = scales_ ? x[j] * gamma()[j] : x[j];
            to[j] = centers_ ? scaled + beta()[j] : scaled;
        }
    }

    const KernelsOf<T>& kernels_;
    const double epsilon_;
    const bool scales_, centers_;
    VectorWeights<T> weights_;
    // Of a training batch: the normalised rows, and the inverse of each one's deviation.
    Block<T> normal_;
    std::vector<double> inverse_;
};

}  // namespace fastdense
