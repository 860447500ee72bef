// Prediction and losses: blocks of rows go through all layers while they are in the nearest caches.
#include "engine/program.h"

#include <algorithm>
#include <atomic>

#include "threads/pool.h"

namespace fastdense {
namespace {

// Multiply-adds that a thread is worth: one core takes some 10 microseconds for them.
constexpr std::size_t thread_work = 1 << 20;

}  // namespace

// A layer's output each, for a block of rows, and room for the caller's rows and targets.
template <class T>
struct Program<T>::Scratch {
    Scratch(const Program& program, std::size_t rows)
        : in(rows, program.inputs_, program.kernels_.lanes),
          targets(rows, program.outputs(), program.kernels_.lanes) {
        for (const auto& layer : program.layers_) {
            outputs.emplace_back(rows, layer->units, program.kernels_.lanes);
        }
        if (outputs.empty()) outputs.emplace_back(rows, program.inputs_, program.kernels_.lanes);
    }
    Block<T> in, targets;
    std::vector<Block<T>> outputs;
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
        if (!layer->weights()) continue;
        layer->weights()->keep_slots(recipe_.slots);
        multiply_adds_ += layer->inputs * layer->units;
        penalised_ |= layer->weights()->penalised();
    }
}

template <class T>
Program<T>::~Program() {
    delete kept_.load();
}

template <class T>
View<const T> Program<T>::read(Scratch& scratch, const Rows<T>& X, std::size_t first,
                               std::size_t count) const {
    if (X.column_step == 1 && X.row_step >= 0) return {X.row(first), count, inputs_, std::size_t(X.row_step)};
    gather(X, nullptr, first, scratch.in.rows(0, count));
    return scratch.in.rows(0, count);
}

// Takes rows through all layers; the last one writes to `last`.
template <class T>
void Program<T>::run(Scratch& scratch, const Rows<T>& X, std::size_t first, View<T> last) const {
    View<const T> in = read(scratch, X, first, last.rows);
    if (layers_.empty()) return copy_rows<T>(in, last);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        const View<T> out = i + 1 < layers_.size() ? scratch.outputs[i].rows(0, last.rows) : last;
        layers_[i]->predict(in, out);
        in = out;
    }
}

// Cuts the rows into blocks as equal as can be, the same number for each thread, and calls
// each(scratch, first row, rows).
template <class T>
template <class Each>
void Program<T>::over_blocks(std::size_t rows, Each each) const {
    const int threads =
        std::min<int>(threads_for(rows * multiply_adds_, thread_work), std::max<std::size_t>(rows, 1));
    const std::size_t rounds = (rows + block_rows * threads - 1) / (block_rows * threads);
    const std::size_t blocks = std::max<std::size_t>(rounds * threads, 1),
                      block = (rows + blocks - 1) / blocks;
    if (threads == 1 && rows <= block_rows) {  // a few rows take less time than new scratch would
        std::unique_ptr<Scratch> kept(kept_.exchange(nullptr));
        if (!kept || kept->in.all().rows < rows) kept = std::make_unique<Scratch>(*this, rows);
        each(*kept, 0, rows);
        delete kept_.exchange(kept.release());
        return;
    }
    std::vector<Scratch> scratch;
    for (int thread = 0; thread < threads; ++thread) scratch.emplace_back(*this, block);
    // Whoever is free takes the next block: a thread that gets no core is not waited for with its share.
    std::atomic<std::size_t> next{0};
    run_crowd(threads, [&](int thread) {
        for (std::size_t first; (first = block * next.fetch_add(1)) < rows;) {
            each(scratch[thread], first, std::min(block, rows - first));
        }
    });
}

template <class T>
void Program<T>::predict(const Rows<T>& X, T* out) const {
    over_blocks(X.count, [&](Scratch& scratch, std::size_t first, std::size_t count) {
        const View<T> here{out + first * outputs(), count, outputs(), outputs()};
        run(scratch, X, first, here);
        head_.forward(kernels_, here, here);
    });
}

template <class T>
void Program<T>::losses(const Rows<T>& X, const Targets<T>& y, double* losses, T* out) const {
    over_blocks(X.count, [&](Scratch& scratch, std::size_t first, std::size_t count) {
        const View<T> last = scratch.outputs.back().rows(0, count), targets = scratch.targets.rows(0, count);
        run(scratch, X, first, last);
        if (!y.labels) gather(y.values, nullptr, first, targets);
        const std::int64_t* labels = y.labels ? y.labels + first : nullptr;
        kernels_.losses({loss_, last, targets, labels, losses + first, nullptr, {}});
        if (out) write_outputs(last, out + first * outputs());
    });
}

// What the network gives out for the last layer's outputs.
template <class T>
void Program<T>::write_outputs(View<const T> last, T* out) const {
    const View<T> here{out, last.rows, outputs(), outputs()};
    copy_rows<T>(last, here);
    head_.forward(kernels_, here, here);
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
