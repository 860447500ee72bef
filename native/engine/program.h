// A compiled network: its layers in order, and the running of them over rows.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "engine/curve.h"
#include "engine/layer.h"
#include "engine/matrix.h"
#include "engine/pace.h"
#include "engine/recipe.h"
#include "engine/row_losses.h"
#include "engine/sparse_batch.h"
#include "threads/pool.h"

namespace fastdense {

template <class T>
using Layers = std::vector<std::unique_ptr<Layer<T>>>;

// The targets of rows: a matrix, or class numbers where `labels` is not null.
template <class T>
struct Targets {
    Rows<T> values;
    const std::int64_t* labels;
};

// The rows of a stretch of training: batches are taken from `order`, one after another.
template <class T>
struct Batches {
    Rows<T> X;
    Targets<T> y;
    const T* weights;  // one a row of X, or null
    const std::int64_t* order;
    std::size_t count, batch_rows;
};

// Steps of training: one a rate, numbered from `first` on. `outputs`, where not null, gets those of every row
// in the order they were taken. `go_on` is asked before each stretch of milliseconds.
template <class T>
struct Run {
    Batches<T> batches;
    const double* rates;
    const double* penalty_scale;  // a factor a step of its penalties, or null for ones
    std::size_t steps, first;
    double* losses;
    T* outputs;
    std::function<bool()> go_on;

    double penalty_factor(std::size_t step) const { return penalty_scale ? penalty_scale[step] : 1.0; }
};

// What one layer trains, as Weights::load takes it.
template <class T>
struct LayerArrays {
    std::size_t layer;
    PerArray<const T*> arrays;
};

template <class T>
class Program {
public:
    // `head`: the activation that a loss from logits stands before. Outputs go through it, the loss does not.
    Program(const Kernels& kernels, std::size_t inputs, Layers<T> layers, Curve head, const RowLosses& loss,
            const Recipe& recipe);

    ~Program();

    std::size_t inputs() const { return inputs_; }
    // Of a row, in multiply-adds, or what takes as long: about.
    std::size_t work() const { return work_; }
    std::size_t outputs() const { return layers_.empty() ? inputs_ : layers_.back()->units; }
    std::size_t steps() const { return steps_; }
    Weights<T>& weights(std::size_t layer) const { return *layers_.at(layer)->weights(); }

    void predict(const Rows<T>& X, T* out) const;
    // Each row's loss, and the outputs where `out` is not null.
    void losses(const Rows<T>& X, const Targets<T>& y, double* losses, T* out) const;
    double penalty() const;
    // The next three throw std::runtime_error while another call of them is at work on the same program.

    // Replaces the arrays of layers, or a slot of the optimizer's for them. All at once: between two of them
    // no other call may start to train.
    void load(std::optional<std::size_t> slot, const std::vector<LayerArrays<T>>& given);

    // The loss of all rows as one batch; its gradient stays in the layers' weights.
    double gradients(const Batches<T>& batch);
    // Returns how many losses were written. A step whose loss is not finite is not taken, and is the last.
    std::size_t train(const Run<T>& run);

private:
    struct Scratch;
    // Holds a program for one call that trains.
    class Holding;
    // How some steps went: by how many threads, up to which, and whether more may follow.
    struct Stretch {
        int threads;
        std::size_t end;
        bool goes_on;
    };

    const KernelsOf<T>& kernels_;
    const std::size_t inputs_;
    const Layers<T> layers_;
    const Curve head_;
    const RowLosses loss_;
    const Recipe recipe_;
    std::atomic<std::size_t> steps_{0};  // asked for by other threads

    // Of a batch in training: every layer's input, the last one's output, and their gradients; the targets; a
    // number a row.
    std::vector<Block<T>> activations_, gradients_;
    SparseBatch<T> sparse_;  // stands for the first layer's input, where that is mostly zeros
    Block<T> targets_;
    std::vector<std::int64_t> labels_;
    std::vector<T> scale_;
    std::vector<double> losses_;
    std::vector<std::vector<PerArray<double>>> squares_;  // of each layer's parts, if the gradient is kept
    Pace pace_;
    std::atomic_flag training_;  // whether a thread is at it: what follows belongs to it
    // Of the last small prediction, for the next one on any thread.
    mutable std::atomic<Scratch*> kept_{nullptr};
    std::size_t work_ = 0;
    bool penalised_ = false;         // whether any weights are
    std::size_t first_trained_ = 0;  // the first layer with weights: no gradient is wanted before it

    void run(Scratch& scratch, const Rows<T>& X, std::size_t first, View<T> last, int threads) const;
    template <class Work>
    void with_kept(std::size_t rows, bool in_full, Work work) const;
    void write_outputs(View<const T> last, T* out) const;
    template <class Each>
    void over_blocks(const Rows<T>& X, Each each) const;

    // Whether the first layer reads these rows as they are, mostly zeros, and they are not written out.
    bool reads_sparse(const Rows<T>& X) const {
        return X.sparse() && !layers_.empty() && layers_.front()->takes_sparse();
    }
    void prepare(const Batches<T>& batches, std::size_t batch_rows, bool keeps_gradient);
    void pass(const Team& team, const Batches<T>& batch, std::size_t begin, std::size_t count, Place place,
              T* out);
    void read_targets(const Batches<T>& batch, const std::int64_t* order, std::size_t row, std::size_t rows,
                      std::size_t count);
    double loss(const Batches<T>& batch, std::size_t begin, std::size_t count, double penalty_factor) const;
    void forward(const Place& place, const Rows<T>& X, const std::int64_t* order, std::size_t rows);
    void update(const Team& team, const Rows<T>& X, std::size_t rows, const Optimizer<T>* optimizer,
                double penalty_factor);
    void clipped_step(const Team& team, const Optimizer<T>& optimizer);
    template <class Visit>
    void over_parts(const Team& team, Visit visit) const;
    Stretch stretch(const Run<T>& run, int threads, std::size_t begin, std::size_t end);
};

}  // namespace fastdense
