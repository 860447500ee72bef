// Category embedding: the last columns hold category numbers, each of which becomes trained numbers; the
// columns before them pass.
#pragma once

#include <vector>

#include "engine/embedding_weights.h"
#include "engine/layer.h"

namespace fastdense {

template <class T>
class CategoryLayer final : public Layer<T> {
public:
    CategoryLayer(const KernelsOf<T>& kernels, std::size_t inputs, const std::vector<std::size_t>& sizes,
                  std::size_t width, const PerArray<Treatment<T>>& treatments);

    void predict(const Input<T>& in, View<T> out) const override;
    // The gradient of a category number is 0: no small change of it changes the outputs.
    void backward(const Place& place, View<const T> in, View<const T> out, View<T> d_out,
                  View<T> d_in) override;
    Weights<T>* weights() override { return &weights_; }

private:
    EmbeddingWeights<T> weights_;
};

}  // namespace fastdense
