// What the engine asks of a layer: forward over a block of rows, backward over a block of rows, and its
// weights, which know how to be updated part by part. A new kind of layer is one file and one method in
// bindings/network.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/matrix.h"
#include "engine/weights.h"
#include "kernels/table.h"

namespace fastdense {

// Where a block of rows stands in a run of training.
struct Place {
    std::uint64_t seed;
    std::uint32_t step;
    std::size_t row;  // the block's first, counted within the batch
    bool drops;       // whether dropout layers leave units out
};

template <class T>
class Layer {
public:
    Layer(std::size_t inputs, std::size_t units) : inputs(inputs), units(units) {}
    virtual ~Layer() = default;

    const std::size_t inputs, units;

    // The outputs of rows, as in prediction. Where the rows of `out` lie apart, what is between them is
    // written too, with anything finite.
    virtual void predict(View<const T> in, View<T> out) const = 0;

    // The same by several threads, for few rows and many weights.
    virtual void predict_shared(View<const T> in, View<T> out, int) const { predict(in, out); }

    // Whether it reads rows that are mostly zeros as they are; if so, the outputs of `out.rows` of them.
    virtual bool takes_sparse() const { return false; }
    virtual void predict_sparse(const SparseRows<T>&, View<T>) const {}
    virtual void forward_sparse(const Place&, const SparseRows<T>& in, View<T> out) {
        predict_sparse(in, out);
    }

    // Makes room for batches of so many rows.
    virtual void prepare(std::size_t) {}
    // The outputs of a block of rows in training.
    virtual void forward(const Place&, View<const T> in, View<T> out) { predict(in, out); }
    // Turns the gradient of a block's outputs into that of its inputs, unless `d_in.data` is null. `d_out` is
    // overwritten; for a layer with weights it then holds the gradient that they are updated from.
    virtual void backward(const Place&, View<const T> in, View<const T> out, View<T> d_out, View<T> d_in) = 0;

    virtual Weights<T>* weights() { return nullptr; }
};

}  // namespace fastdense
