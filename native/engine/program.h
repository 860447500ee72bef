// A compiled network: its layers in order, and how rows run through them.
#pragma once

#include <atomic>
#include <memory>
#include <stdexcept>
#include <vector>

#include "engine/curve.h"
#include "engine/layer.h"
#include "engine/pace.h"
#include "engine/recipe.h"
#include "engine/row_losses.h"
#include "engine/run.h"
#include "engine/sparse_batch.h"
#include "threads/pool.h"

namespace fastdense {

template <class T>
using Layers = std::vector<std::unique_ptr<Layer<T>>>;

template <class T>
class Mean;
template <class T>
class LaneProgram;

template <class T>
class Program {
public:
    // `head` is the activation that a loss from logits skips: only outputs go through it.
    Program(const Kernels& kernels, std::size_t inputs, Layers<T> layers, Curve head, const RowLosses& loss,
            const Recipe& recipe);

    ~Program();

    std::size_t inputs() const { return inputs_; }
    // Multiply-adds per row, or what takes as long, roughly.
    std::size_t work() const { return work_; }
    std::size_t outputs() const { return layers_.empty() ? inputs_ : layers_.back()->units; }
    std::size_t steps() const { return steps_; }
    Weights<T>& weights(std::size_t layer) const { return *layers_.at(layer)->weights(); }

    void predict(const Rows<T>& X, T* out) const;
    // Computes each row's loss, and the outputs unless `out` is null.
    void losses(const Sample<T>& sample, double* losses, T* out) const;
    double penalty() const;
    // The next four throw std::runtime_error while another thread is in one of them for the same program.

    // Replaces the arrays of layers, or a slot of the optimizer's for them: all before another call may
    // train.
    void load(std::optional<std::size_t> slot, const std::vector<LayerArrays<const T>>& given);

    // Returns the loss of all rows as one batch; its gradient stays in the layers' weights.
    double gradients(const Batches<T>& batch);
    // Returns the number of losses written. A step whose loss is not finite is not taken and ends the run.
    std::size_t train(const Run<T>& run, const GoOn& go_on);
    // Trains epoch by epoch, and computes what is asked for after each. An epoch that is not whole is the
    // last.
    Trained train(const Job<T>& job, const GoOn& go_on);

private:
    friend class Mean<T>;         // which runs several programs over a block of rows
    friend class LaneProgram<T>;  // which trains it in a lane
    struct Scratch;
    // Reserves a program for one call that trains. A signal handler may ask again on the same thread.
    class Holding {
    public:
        explicit Holding(std::atomic_flag& held) : held_(held) {
            if (held_.test_and_set()) throw std::runtime_error("another call is training this model already");
        }
        ~Holding() { held_.clear(); }
        Holding(const Holding&) = delete;

    private:
        std::atomic_flag& held_;
    };
    // The outcome of some steps: the threads that took them, the end of the steps, and whether to go on.
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
    std::atomic<std::size_t> steps_{0};  // read by other threads

    // For a training batch: every layer's input, the last one's output, and their gradients; the targets; one
    // number per row.
    std::vector<Block<T>> activations_, gradients_;
    SparseBatch<T> sparse_;  // in place of the first layer's input if that is sparse
    Block<T> targets_;
    std::vector<std::int64_t> labels_;
    std::vector<T> scale_;
    std::vector<double> losses_;
    std::vector<std::vector<PerArray<double>>> squares_;  // of each layer's parts, if the gradient is kept
    Pace pace_;
    std::atomic_flag training_;  // set while a call trains: the buffers are its own
    // Scratch memory of the last small prediction, for the next one on any thread.
    mutable std::atomic<Scratch*> kept_{nullptr};
    std::size_t work_ = 0;
    bool penalised_ = false;         // true if any weights are
    std::size_t first_trained_ = 0;  // the first layer with weights: none before it needs a gradient

    void run(Scratch& scratch, const Rows<T>& X, const std::int64_t* order, std::size_t first, View<T> last,
             int threads) const;
    void outputs(Scratch& scratch, const Rows<T>& X, std::size_t first, View<T> out, int threads) const;
    bool shaped_like(const Program& other) const;
    template <class Work>
    void with_kept(std::size_t rows, bool in_full, Work work) const;
    void write_outputs(View<const T> last, T* out) const;
    template <class Each>
    void over_blocks(std::size_t rows, bool in_full, Each each) const;

    // Returns true if the first layer reads these rows in place and sparse, so that they are not written out.
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
    void watch(const Job<T>& job, const Epoch<T>& epoch) const;
    std::size_t take_steps(const Run<T>& run, const GoOn& go_on);
    Stretch stretch(const Run<T>& run, int threads, std::size_t begin, std::size_t end);
};

// Predicts the mean of the outputs of several programs of the same inputs and outputs. The sum starts from 0,
// is taken in double in the order of the programs, divided by their number and then rounded.
template <class T>
class Mean {
public:
    explicit Mean(std::vector<std::shared_ptr<const Program<T>>> programs);

    std::size_t inputs() const { return programs_.front()->inputs(); }
    std::size_t outputs() const { return programs_.front()->outputs(); }
    std::size_t work() const { return work_; }
    // Takes dense rows.
    void predict(const Rows<T>& X, T* out) const;

private:
    struct Room;
    void predict(Room& room, const Rows<T>& X, std::size_t first, std::size_t count, T* out) const;

    const std::vector<std::shared_ptr<const Program<T>>> programs_;
    std::size_t work_ = 0;
};

}  // namespace fastdense
