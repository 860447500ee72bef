// Prediction and losses: a block of rows goes through all layers while it is in the nearest caches.
#include "engine/program.h"

#include <algorithm>

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
          targets(rows, program.outputs(), program.kernels_.lanes),
          labels(rows) {
        for (const auto& layer : program.layers_) {
            outputs.emplace_back(rows, layer->units, program.kernels_.lanes);
        }
        if (outputs.empty()) outputs.emplace_back(rows, program.inputs_, program.kernels_.lanes);
    }
    bool has_room(std::size_t rows, bool in_full) const {
        return targets.all().rows >= rows && (!in_full || in.all().rows >= rows);
    }
    Block<T> in, targets;
    std::vector<std::int64_t> labels;
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

// Runs rows, of those that `order` lists or of all, through all layers; the last one writes to `last`. The
// threads share each layer's units.
template <class T>
void Program<T>::run(Scratch& scratch, const Rows<T>& X, const std::int64_t* order, std::size_t first,
                     View<T> last, int threads) const {
    const SparseRows<T> rows = X.from(order, first);
    Input<T> in{{}, &rows};
    if (!reads_sparse(X)) in = {X.view(order, first, scratch.in.rows(0, last.rows))};
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
void Program<T>::over_blocks(std::size_t rows, bool in_full, Each each) const {
    const Blocks blocks(rows, rows * work_);
    if (blocks.rows == rows)
        return with_kept(rows, in_full, [&](Scratch& scratch) { each(scratch, 0, rows); });
    std::vector<Scratch> scratch;
    for (int thread = 0; thread < blocks.threads; ++thread) scratch.emplace_back(*this, blocks.rows, in_full);
    blocks.each(
        [&](int thread, std::size_t first, std::size_t count) { each(scratch[thread], first, count); });
}

// Writes the network's outputs for rows from `first` on, as many as `out` has.
template <class T>
void Program<T>::outputs(Scratch& scratch, const Rows<T>& X, std::size_t first, View<T> out,
                         int threads) const {
    run(scratch, X, nullptr, first, out, threads);
    head_.forward<T>(kernels_, out, out);
}

template <class T>
void Program<T>::predict(const Rows<T>& X, T* out) const {
    const auto block = [&](Scratch& scratch, std::size_t first, std::size_t count, int threads) {
        outputs(scratch, X, first, {out + first * outputs(), count, outputs(), outputs()}, threads);
    };
    const int threads = threads_for(X.count * work_, thread_work);
    if (threads > 1 && X.count <= few_rows) {
        return with_kept(X.count, !reads_sparse(X),
                         [&](Scratch& scratch) { block(scratch, 0, X.count, threads); });
    }
    over_blocks(X.count, !reads_sparse(X), [&](Scratch& scratch, std::size_t first, std::size_t count) {
        block(scratch, first, count, 1);
    });
}

template <class T>
void Program<T>::losses(const Sample<T>& sample, double* losses, T* out) const {
    const auto& [X, y, order, rows] = sample;
    over_blocks(rows, !reads_sparse(X), [&](Scratch& scratch, std::size_t first, std::size_t count) {
        const View<T> last = scratch.outputs.back().rows(0, count), targets = scratch.targets.rows(0, count);
        run(scratch, X, order, first, last, 1);
        if (!y.labels) gather(y.values, order, first, targets);
        for (std::size_t i = 0; y.labels && i < count; ++i) {
            scratch.labels[i] = y.labels[order ? std::size_t(order[first + i]) : first + i];
        }
        const std::int64_t* labels = y.labels ? scratch.labels.data() : nullptr;
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

// Returns true if the other one's scratch memory will do for this program.
template <class T>
bool Program<T>::shaped_like(const Program& other) const {
    const auto alike = [](const auto& a, const auto& b) { return a->units == b->units; };
    return &kernels_ == &other.kernels_ && inputs_ == other.inputs_ &&
           std::ranges::equal(layers_, other.layers_, alike);
}

template <class T>
Mean<T>::Mean(std::vector<std::shared_ptr<const Program<T>>> programs) : programs_(std::move(programs)) {
    for (const auto& program : programs_) work_ += program->work();
}

// What a thread needs for a block of rows. Programs of one shape take turns with the same scratch memory; a
// thread that is alone uses what each program keeps.
template <class T>
struct Mean<T>::Room {
    Room(const Mean& mean, std::size_t rows, bool alone)
        : sums(rows * mean.outputs()), outputs(rows * mean.outputs()) {
        if (alone) return;
        for (const auto& program : mean.programs_) {
            if (of_program.empty() || !program->shaped_like(*of_program.back().first)) {
                scratch.push_back(std::make_unique<typename Program<T>::Scratch>(*program, rows, true));
            }
            of_program.emplace_back(program.get(), scratch.back().get());
        }
    }
    std::vector<double> sums;
    std::vector<T> outputs;
    std::vector<std::unique_ptr<typename Program<T>::Scratch>> scratch;
    std::vector<std::pair<const Program<T>*, typename Program<T>::Scratch*>> of_program;
};

template <class T>
void Mean<T>::predict(const Rows<T>& X, T* out) const {
    const Blocks blocks(X.count, X.count * work_);
    std::vector<Room> rooms;
    for (int thread = 0; thread < blocks.threads; ++thread) {
        rooms.emplace_back(*this, blocks.rows, blocks.threads == 1);
    }
    blocks.each([&](int thread, std::size_t first, std::size_t count) {
        predict(rooms[thread], X, first, count, out + first * outputs());
    });
}

template <class T>
void Mean<T>::predict(Room& room, const Rows<T>& X, std::size_t first, std::size_t count, T* out) const {
    const std::size_t numbers = count * outputs();
    const View<T> here{room.outputs.data(), count, outputs(), outputs()};
    std::fill_n(room.sums.data(), numbers, 0.0);
    const auto add = [&](const Program<T>& program, typename Program<T>::Scratch& scratch, int threads) {
        program.outputs(scratch, X, first, here, threads);
        for (std::size_t i = 0; i < numbers; ++i) room.sums[i] += double(here.data[i]);
    };
    for (const auto& [program, scratch] : room.of_program) add(*program, *scratch, 1);
    if (room.of_program.empty()) {
        for (const auto& program : programs_) {
            const int threads = count <= few_rows ? threads_for(count * program->work(), thread_work) : 1;
            program->with_kept(count, true, [&](auto& scratch) { add(*program, scratch, threads); });
        }
    }
    for (std::size_t i = 0; i < numbers; ++i) out[i] = T(room.sums[i] / double(programs_.size()));
}

template class Program<float>;
template class Program<double>;
template class Mean<float>;
template class Mean<double>;

}  // namespace fastdense
