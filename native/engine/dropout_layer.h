// Dropout: training zeroes each input with probability `rate` and scales the others up; prediction changes
// nothing.
#pragma once

#include <memory>

#include "engine/layer.h"

namespace fastdense {

template <class T>
class DropoutLayer final : public Layer<T> {
public:
    using Draw = void (*)(const DropoutMask& mask);

    // `stream` is the second word of the masks' Philox counters, `number` counts the dropout layers before.
    DropoutLayer(Draw draw, std::size_t inputs, double rate, std::uint32_t stream, std::size_t number)
        : Layer<T>(inputs, inputs), draw_(draw), rate_(rate), stream_(stream), number_(number) {}

    void predict(const Input<T>& in, View<T> out) const override { copy_rows<T>(in.dense, out); }

    void prepare(std::size_t batch_rows) override {
        kept_ = std::make_unique<bool[]>(batch_rows * this->inputs);
    }

    void forward(const Place& place, const Input<T>& in, View<T> out) override {
        if (!place.drops) return predict(in, out);
        const auto threshold = std::uint32_t(rate(place) * 4294967296.0);
        draw_({place.seed, place.step, stream_, threshold, place.row, out.rows, out.columns,
               kept_.get() + place.row * this->inputs});
        apply(place, in.dense, out);
    }

    void backward(const Place& place, View<const T>, View<const T>, View<T> d_out, View<T> d_in) override {
        if (!d_in.data) return;
        place.drops ? apply(place, d_out, d_in) : copy_rows<T>(d_out, d_in);
    }

private:
    double rate(const Place& place) const { return place.dropout ? place.dropout[number_] : rate_; }
    void apply(const Place& place, View<const T> from, View<T> to) const {
        const bool* kept = kept_.get() + place.row * this->inputs;
        const T scale(1.0 / (1.0 - rate(place)));
        map_rows(from, to, [=, this](T a, std::size_t i, std::size_t j) {
            return kept[i * this->inputs + j] ? a * scale : T(0);
        });
    }

    const Draw draw_;
    const double rate_;
    const std::uint32_t stream_;
    const std::size_t number_;
    std::unique_ptr<bool[]> kept_;  // of the batch
};

}  // namespace fastdense
