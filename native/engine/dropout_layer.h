// Dropout: training zeroes each input with probability `rate` and scales the others up; prediction changes
// nothing.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "engine/layer.h"

namespace fastdense {

// A unit is kept if its word is at least this.
inline std::uint32_t dropout_threshold(double rate) {
    return std::uint32_t(rate * 4294967296.0);
}

using Draw = void (*)(const DropoutMask& mask);

// The number if it is kept, otherwise 0. Masks of bits make vectors of a loop over numbers: a branch, taken
// at random, cost as much time as a quarter of the matrix products of three layers of 256 units.
template <class T>
T masked(T number, bool is_kept) {
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    return std::bit_cast<T>(std::bit_cast<Bits>(number) & -Bits(is_kept));
}

template <class T>
class LaneDropout final : public LaneLayer<T> {
public:
    // `rates` holds one for each lane that a program fills.
    LaneDropout(Draw draw, std::size_t inputs, std::size_t lanes, std::vector<double> rates,
                std::uint32_t stream, std::size_t number)
        : LaneLayer<T>(inputs, inputs),
          draw_(draw),
          lanes_(lanes),
          rates_(std::move(rates)),
          stream_(stream),
          number_(number) {}

    void prepare(std::size_t rows) override {
        block_ = rows * this->inputs;
        kept_ = std::make_unique<bool[]>(lanes_ * block_);
    }

    void forward(const LanePlace& place, const LaneInput<T>& in, T* out) override {
        for (std::size_t lane = 0; lane < rates_.size(); ++lane) {
            const Place& own = place.of_lanes[lane];
            const double rate = own.dropout ? own.dropout[number_] : rates_[lane];
            scales_.of[lane] = T(1.0 / (1.0 - rate));
            draw_({own.seed, own.step, stream_, dropout_threshold(rate), own.row, place.rows, this->inputs,
                   kept_.get() + lane * block_});
        }
        apply(place, in, out);
    }

    void backward(const LanePlace& place, const LaneInput<T>&, const T*, T* d_out, T* d_in) override {
        if (d_in) apply(place, {{d_out, this->inputs * lanes_, lanes_}, false}, d_in);
    }

private:
    void apply(const LanePlace& place, const LaneInput<T>& from, T* to) const {
        from.map(place.rows, this->inputs, lanes_, to,
                 [this](T a, std::size_t i, std::size_t j, std::size_t lane) {
                     return kept_[lane * block_ + i * this->inputs + j] ? a * scales_.of[lane] : T(0);
                 });
    }

    const Draw draw_;
    const std::size_t lanes_;
    const std::vector<double> rates_;
    const std::uint32_t stream_;
    const std::size_t number_;
    std::size_t block_ = 0;  // the numbers of a lane's block
    PerLane<T> scales_{};
    std::unique_ptr<bool[]> kept_;  // of a block, lane by lane
};

template <class T>
class DropoutLayer final : public Layer<T> {
public:
    // `stream` is the second word of the masks' Philox counters, `number` counts the dropout layers before.
    DropoutLayer(Draw draw, std::size_t lanes, std::size_t inputs, double rate, std::uint32_t stream,
                 std::size_t number)
        : Layer<T>(inputs, inputs),
          draw_(draw),
          lanes_(lanes),
          rate_(rate),
          stream_(stream),
          number_(number) {}

    void predict(const Input<T>& in, View<T> out) const override { copy_rows<T>(in.dense, out); }

    void prepare(std::size_t batch_rows) override {
        kept_ = std::make_unique<bool[]>(batch_rows * this->inputs);
    }

    void forward(const Place& place, const Input<T>& in, View<T> out) override {
        if (!place.drops) return predict(in, out);
        const std::uint32_t threshold = dropout_threshold(rate(place));
        draw_({place.seed, place.step, stream_, threshold, place.row, out.rows, out.columns,
               kept_.get() + place.row * this->inputs});
        apply(place, in.dense, out);
    }

    void backward(const Place& place, View<const T>, View<const T>, View<T> d_out, View<T> d_in) override {
        if (!d_in.data) return;
        place.drops ? apply(place, d_out, d_in) : copy_rows<T>(d_out, d_in);
    }

    std::unique_ptr<LaneLayer<T>> in_lanes(const std::vector<Layer<T>*>& alike) override {
        std::vector<double> rates;
        for (Layer<T>* each : alike) {
            auto* const layer = dynamic_cast<DropoutLayer*>(each);
            if (!layer || layer->inputs != this->inputs || layer->stream_ != stream_ ||
                layer->number_ != number_)
                return nullptr;
            rates.push_back(layer->rate_);
        }
        return std::make_unique<LaneDropout<T>>(draw_, this->inputs, lanes_, std::move(rates), stream_,
                                                number_);
    }

private:
    double rate(const Place& place) const { return place.dropout ? place.dropout[number_] : rate_; }
    void apply(const Place& place, View<const T> from, View<T> to) const {
        const bool* kept = kept_.get() + place.row * this->inputs;
        const T scale(1.0 / (1.0 - rate(place)));
        map_rows(from, to, [=, this](T a, std::size_t i, std::size_t j) {
            return masked(a * scale, kept[i * this->inputs + j]);
        });
    }

    const Draw draw_;
    const std::size_t lanes_;  // of a vector
    const double rate_;
    const std::uint32_t stream_;
    const std::size_t number_;
    std::unique_ptr<bool[]> kept_;  // of the batch
};

}  // namespace fastdense
