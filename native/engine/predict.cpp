// Prediction and losses: blocks of rows go through all layers while they are in the nearest caches.
#include "engine/program.h"

#include <algorithm>

namespace fastdense {
// Two blocks that the activations go to and fro between, and one for the rows of the caller.
template <class T>
struct Program<T>::Scratch {
    Scratch(const Program& program, std::size_t rows) : in(rows, program.inputs_, program.kernels_.lanes) {
        for (const auto& layer : program.layers_)
            blocks.emplace_back(rows, layer->units, program.kernels_.lanes);
    }
    Block<T> in;
    std::vector<Block<T>> blocks;
};

template <class T>
Program<T>::Program(const Kernels& kernels, std::size_t inputs, Layers<T> layers, Curve<T> head,
                    const LossOptions& loss, const Recipe& recipe)
    : kernels_(kernels.of<T>()),
      inputs_(inputs),
      layers_(std::move(layers)),
      head_(head),
      loss_(loss),
      recipe_(recipe) {
    while (first_trained_ < layers_.size() && !layers_[first_trained_]->weights()) ++first_trained_;
    for (const auto& layer : layers_) {
        if (layer->weights()) layer->weights()->keep_slots(recipe_.slots);
    }
}

template <class T>
View<const T> Program<T>::run(Scratch& scratch, const Rows<T>& X, std::size_t first,
                              std::size_t count) const {
    View<const T> in = scratch.in.rows(0, count);
    if (X.column_step == 1 && X.row_step >= 0) {
        in = {X.row(first), count, inputs_, std::size_t(X.row_step)};
    } else {
        gather(X, nullptr, first, scratch.in.rows(0, count));
    }
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        const View<T> out = scratch.blocks[i].rows(0, count);
        layers_[i]->predict(in, out);
        in = out;
    }
    return in;
}

template <class T>
void Program<T>::predict(const Rows<T>& X, T* out) const {
    Scratch scratch(*this, std::min(X.count, block_rows));
    const std::size_t columns = outputs();
    for (std::size_t first = 0; first < X.count; first += block_rows) {
        const std::size_t count = std::min(block_rows, X.count - first);
        const View<const T> last = run(scratch, X, first, count);
        const View<T> ours = scratch.blocks.back().rows(0, count);
        head_.forward(kernels_, last, ours);
        copy_rows<T>(ours, {out + first * columns, count, columns, columns});
    }
}

template <class T>
void Program<T>::losses(const Rows<T>& X, const Targets<T>& y, double* losses, T* out) const {
    Scratch scratch(*this, std::min(X.count, block_rows));
    const std::size_t columns = outputs();
    const Block<T> targets(std::min(X.count, block_rows), columns, kernels_.lanes);
    for (std::size_t first = 0; first < X.count; first += block_rows) {
        const std::size_t count = std::min(block_rows, X.count - first);
        const View<const T> last = run(scratch, X, first, count);
        if (!y.labels) gather(y.values, nullptr, first, targets.rows(0, count));
        const std::int64_t* labels = y.labels ? y.labels + first : nullptr;
        kernels_.losses({loss_, last, targets.rows(0, count), labels, losses + first, nullptr, {}});
        if (!out) continue;
        const View<T> ours = scratch.blocks.back().rows(0, count);
        head_.forward(kernels_, last, ours);
        copy_rows<T>(ours, {out + first * columns, count, columns, columns});
    }
}

template <class T>
double Program<T>::penalty() const {
    double total = 0;
    for (const auto& layer : layers_) {
        if (const Weights<T>* weights = layer->weights()) total += weights->penalty();
    }
    return total;
}

template class Program<float>;
template class Program<double>;

}  // namespace fastdense
