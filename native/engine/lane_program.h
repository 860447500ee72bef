// Programs of one shape that train side by side, one in each lane of a vector, each as it would alone.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "engine/lane_curve.h"
#include "engine/lane_layer.h"
#include "engine/program.h"

namespace fastdense {

// For networks of a few units a step alone is mostly calls and vectors that are not full: 8-8-1 trains
// several times faster here. Each lane sums in the order of Program, so a program ends with the same bits.
template <class T>
class LaneProgram {
public:
    // Holds the programs, at most as many as there are lanes, until it is destroyed, and has copies of their
    // weights and slots. Throws std::invalid_argument if they differ in more than weights, penalties, rates,
    // the numbers of their optimizers and seeds, or if a layer has no form with lanes.
    explicit LaneProgram(const std::vector<Program<T>*>& programs);

    // Trains each as Program::train does; the jobs have as many epochs, with as many rows, steps and rows per
    // batch. The programs have the outcome when it returns.
    std::vector<Trained> train(const std::vector<const Job<T>*>& jobs, const GoOn& go_on);

private:
    using Totals = PerLane<double>;
    struct Batch {
        std::size_t step, begin, count;
    };

    using Runs = std::vector<Run<T>>;

    void check_alike() const;
    void check_alike(const std::vector<const Job<T>*>& jobs) const;
    Optimizer<PerLane<T>> optimizers() const;
    void prepare(const std::vector<const Job<T>*>& jobs);
    void compare(const Runs& runs);
    void take_steps(const Runs& runs, const GoOn& go_on);
    void end_epoch(const Runs& runs, const std::vector<const Job<T>*>& jobs, std::size_t place,
                   std::vector<Trained>& done);
    const Run<T>& run_of(const Runs& runs, std::size_t lane) const {
        return runs[lane < runs.size() ? lane : 0];
    }
    Totals pass(const Runs& runs, const Batch& batch);
    LaneInput<T> read_rows(const Runs& runs, std::size_t begin, std::size_t rows);
    void read_targets(const Runs& runs, std::size_t begin, std::size_t rows);
    void read_target(const Batches<T>& batches, std::size_t row, std::size_t first, std::size_t lanes);
    void read_scale(const Runs& runs, std::size_t begin, std::size_t rows, std::size_t count);
    void lose(std::size_t rows, bool labels);
    void add_losses(const Runs& runs, std::size_t begin, std::size_t rows, Totals& totals) const;
    void write_outputs(const Runs& runs, std::size_t begin, std::size_t rows);
    bool judge(const Runs& runs, const Batch& batch, const Totals& totals);
    void update(const Runs& runs, std::size_t step);
    PerDenseArray<PerLane<T>> scales(const LaneWeights<T>& weights, const Totals& squares) const;
    void keep(std::size_t lane) const;

    const std::vector<Program<T>*> programs_;
    const Program<T>& first_;
    std::deque<typename Program<T>::Holding> held_;
    const KernelsOf<T>& kernels_;
    const std::size_t lanes_;
    std::vector<std::unique_ptr<LaneLayer<T>>> layers_;
    std::vector<LaneWeights<T>*> weights_;  // of the layers that have any

    // Of a block of rows: every layer's output and its gradient, vectors by unit by row; and then, with a row
    // for each row and lane, the last layer's, the targets, and what the loss takes and gives.
    std::size_t block_ = 0;
    bool shared_ = false;     // all lanes read the same rows in the same order
    bool weighted_ = false;   // some rows have weights
    std::size_t scaled_ = 0;  // the rows of the batch that `scale_` holds the share of, if none has
    Buffer<T> rows_;
    std::vector<Buffer<T>> activations_, gradients_;
    Buffer<T> last_, d_last_, targets_, scale_, outputs_;  // `last_` and `d_last_` if there are several units
    Buffer<std::int64_t> labels_;
    Buffer<double> losses_;
    std::vector<Place> places_;
    // Of each program: whether it has ended, and the losses of the epoch that are written.
    std::vector<char> ended_;
    std::vector<std::size_t> taken_;
};

}  // namespace fastdense
