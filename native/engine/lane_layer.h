// A layer of several programs of one shape, one program in each lane of a vector.
#pragma once

#include <cstddef>

#include "engine/lane_weights.h"
#include "kernels/table.h"

namespace fastdense {

struct Place;

// The rows that a layer reads: vectors, or single numbers that all lanes share.
template <class T>
struct LaneInput {
    LaneMatrix<const T> rows;
    bool shared;

    const T* at(std::size_t row, std::size_t column, std::size_t lane) const {
        return rows.data + row * rows.row + column * rows.column + (shared ? 0 : lane);
    }
    // Writes to[row, column, lane] = f(number, row, column, lane).
    template <class F>
    void map(std::size_t count, std::size_t columns, std::size_t lanes, T* to, F f) const {
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t j = 0; j < columns; ++j) {
                for (std::size_t lane = 0; lane < lanes; ++lane) *to++ = f(*at(i, j, lane), i, j, lane);
            }
        }
    }
};

// Where a block of rows stands in each lane's run of training.
struct LanePlace {
    const Place* of_lanes;  // one for each lane, those that no program fills included
    std::size_t rows;
};

// Blocks of rows lie row by row, a vector per unit.
template <class T>
class LaneLayer {
public:
    LaneLayer(std::size_t inputs, std::size_t units) : inputs(inputs), units(units) {}
    virtual ~LaneLayer() = default;

    const std::size_t inputs, units;

    // Allocates what blocks of at most `rows` rows need.
    virtual void prepare(std::size_t /*rows*/) {}
    virtual void forward(const LanePlace& place, const LaneInput<T>& in, T* out) = 0;
    // Computes the gradient of a block's inputs from that of its outputs, unless `d_in` is null, and adds to
    // that of the weights. Overwrites `d_out`.
    virtual void backward(const LanePlace& place, const LaneInput<T>& in, const T* out, T* d_out,
                          T* d_in) = 0;
    virtual LaneWeights<T>* weights() { return nullptr; }
};

}  // namespace fastdense
