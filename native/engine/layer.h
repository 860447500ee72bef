// What the engine asks of a layer: forward over a block of rows, backward over a block of rows, and the
// weights that it trains, if any. A new kind of layer is one file here, one method in bindings/network.cpp
// and, if it trains what is not a dense layer's, one implementation of Weights. One that small networks have
// may also have a LaneLayer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/lane_layer.h"
#include "engine/matrix.h"
#include "engine/weights.h"
#include "kernels/table.h"

namespace fastdense {

// Where a block of rows stands in a run of training.
struct Place {
    std::uint64_t seed;
    std::uint32_t step;
    std::size_t row;                  // the first of the block, counted within the batch
    bool drops;                       // whether dropout layers drop units
    const double* dropout = nullptr;  // the rates of the dropout layers in order, or null for their own
};

// The rows that a layer reads: a matrix, or sparse rows for a layer that takes them.
template <class T>
struct Input {
    View<const T> dense;
    const SparseRows<T>* sparse = nullptr;
};

template <class T>
class Layer {
public:
    Layer(std::size_t inputs, std::size_t units) : inputs(inputs), units(units) {}
    virtual ~Layer() = default;

    const std::size_t inputs, units;

    // Computes the outputs of rows in prediction. If the rows of `out` lie apart, what is between them may be
    // overwritten by any finite numbers.
    virtual void predict(const Input<T>& in, View<T> out) const = 0;
    // The same on several threads, for few rows and many weights.
    virtual void predict_shared(View<const T> in, View<T> out, int) const { predict({in}, out); }
    virtual bool takes_sparse() const { return false; }

    // Allocates what batches of at most `rows` rows need.
    virtual void prepare(std::size_t /*rows*/) {}
    // Computes the outputs of a block of rows in training.
    virtual void forward(const Place&, const Input<T>& in, View<T> out) { predict(in, out); }
    // Computes the gradient of a block's inputs from that of its outputs, unless `d_in.data` is null.
    // Overwrites `d_out`; a layer with weights leaves there what they are updated from.
    virtual void backward(const Place&, View<const T> in, View<const T> out, View<T> d_out, View<T> d_in) = 0;

    // The same layer of several programs, this one's first, as one with a program in each lane; null if it
    // has no such form, or if they differ in more than weights, treatments and rates.
    virtual std::unique_ptr<LaneLayer<T>> in_lanes(const std::vector<Layer*>& /*alike*/) { return nullptr; }

    // What the layer trains, or null.
    virtual Weights<T>* weights() { return nullptr; }
    // Multiply-adds per unit and row, or what takes as long, roughly.
    virtual std::size_t work_per_unit() const { return 16; }
};

}  // namespace fastdense
