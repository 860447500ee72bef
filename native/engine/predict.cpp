// Prediction and losses: a block of rows goes through all layers while it is in the nearest caches.
#include "engine/program.h"

#include "engine/blocks.h"

namespace fastdense {
namespace {

// Up to this many rows, reading the weights takes most of the time: threads share the units, not the rows.
constexpr std::size_t few_rows = 12;

}  // namespace

// Each layer's output for a block of rows, and room for the caller's rows and targets.
template <class T>
struct Program<T>::Scratch {
    Scratch(const Program& program, std::size_t rows, bool in_full)
        : in(in_full ? rows : 0, program.inputs_, program.kernels_.lanes),
          targets(rows, program.outputs(), program.kernels_.lanes) {
        for (const auto& layer : program.layers_) {
            outputs.emplace_back(rows, layer->units, program.kernels_.lanes);
        }
        if (outputs.empty()) outputs.emplace_back(rows, program.inputs_, program.kernels_.lanes);
    }
    bool has_room(std::size_t rows, bool in_full) const {
        return targets.all().rows >= rows && (!in_full || in.all().rows >= rows);
    }
    Block<T> in, targets;
    std::vector<Block<T>> outputs;
};

template <class T>
Program<T>::Program(const Kernels& kernels, std::size_t inputs, Layers<T> layers, Curve head,
                    const RowLosses& loss, const Recipe& recipe)
    : kernels_(kernels.of<T>()),
      inputs_(inputs),
      layers_(std::move(layers)),
      head_(std::move(head)),
      loss_(loss),
      recipe_(recipe) {
    while (first_trained_ < layers_.size() && !layers_[first_trained_]->weights()) ++first_trained_;
    for (const auto& layer : layers_) {
        const std::size_t rounded = (layer->units + kernels_.lanes - 1) / kernels_.lanes * kernels_.lanes;
        work_ += rounded * layer->work_per_unit();
        Weights<T>* weights = layer->weights();
        if (!weights) continue;
        weights->keep_slots(recipe_.slots);
        penalised_ |= weights->penalised();
    }
}

template <class T>
Program<T>::~Program() {
    delete kept_.load();
}

// Runs rows through all layers; the last one writes to `last`. The threads share each layer's units.
template <class T>
void Program<T>::run(Scratch& scratch, const Rows<T>& X, std::size_t first, View<T> last, int threads) const {
    const SparseRows<T> rows = X.from(nullptr, first);
    Input<T> in{{}, &rows};
    if (!reads_sparse(X)) in = {X.view(first, scratch.in.rows(0, last.rows))};
    if (layers_.empty()) return copy_rows<T>(in.dense, last);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        const View<T> out = i + 1 < layers_.size() ? scratch.outputs[i].rows(0, last.rows) : last;
        if (threads > 1 && !in.sparse) {
            layers_[i]->predict_shared(in.dense, out, threads);
        } else {
            layers_[i]->predict(in, out);
        }
        in = {out};
    }
}

// Calls work(scratch) with that of the last small prediction: allocating it would take longer than a few
// rows.
template <class T>
template <class Work>
void Program<T>::with_kept(std::size_t rows, bool in_full, Work work) const {
    std::unique_ptr<Scratch> kept(kept_.exchange(nullptr));
    if (!kept || !kept->has_room(rows, in_full)) kept = std::make_unique<Scratch>(*this, rows, in_full);
    work(*kept);
    delete kept_.exchange(kept.release());
}

// Calls each(scratch, first row, rows) for blocks of rows.
template <class T>
template <class Each>
void Program<T>::over_blocks(const Rows<T>& X, Each each) const {
    const std::size_t rows = X.count;
    const bool in_full = !reads_sparse(X);
    const Blocks blocks(rows, rows * work_);
    if (blocks.rows == rows)
        return with_kept(rows, in_full, [&](Scratch& scratch) { each(scratch, 0, rows); });
    std::vector<Scratch> scratch;
    for (int thread = 0; thread < blocks.threads; ++thread) scratch.emplace_back(*this, blocks.rows, in_full);
    blocks.each(
        [&](int thread, std::size_t first, std::size_t count) { each(scratch[thread], first, count); });
}

template <class T>
void Program<T>::predict(const Rows<T>& X, T* out) const {
    const auto block = [&](Scratch& scratch, std::size_t first, std::size_t count, int threads) {
        const View<T> here{out + first * outputs(), count, outputs(), outputs()};
        run(scratch, X, first, here, threads);
        head_.forward<T>(kernels_, here, here);
    };
    const int threads = threads_for(X.count * work_, thread_work);
    if (threads > 1 && X.count <= few_rows) {
        return with_kept(X.count, !reads_sparse(X),
                         [&](Scratch& scratch) { block(scratch, 0, X.count, threads); });
    }
    over_blocks(
        X, [&](Scratch& scratch, std::size_t first, std::size_t count) { block(scratch, first, count, 1); });
}

template <class T>
void Program<T>::losses(const Rows<T>& X, const Targets<T>& y, double* losses, T* out) const {
    over_blocks(X, [&](Scratch& scratch, std::size_t first, std::size_t count) {
        const View<T> last = scratch.outputs.back().rows(0, count), targets = scratch.targets.rows(0, count);
        run(scratch, X, first, last, 1);
        if (!y.labels) gather(y.values, nullptr, first, targets);
        const std::int64_t* labels = y.labels ? y.labels + first : nullptr;
        loss_(kernels_, {loss_.options, last, targets, labels, losses + first, nullptr, {}});
        if (out) write_outputs(last, out + first * outputs());
    });
}

// Writes the network's outputs, given the last layer's.
template <class T>
void Program<T>::write_outputs(View<const T> last, T* out) const {
    const View<T> here{out, last.rows, outputs(), outputs()};
    copy_rows<T>(last, here);
    head_.forward<T>(kernels_, here, here);
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
