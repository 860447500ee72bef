// Training: each step takes a batch forward and back in blocks of rows, and then updates the weights part by
// part.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "engine/blocks.h"
#include "engine/program.h"
#include "threads/flush.h"

namespace fastdense {
namespace {

// The multiply-adds of a step forward that may justify one more thread; Pace finds out whether they do.
constexpr std::size_t thread_step = 1 << 17;
// A first guess of a step's seconds per multiply-add.
constexpr double seconds_each = 4e-11;

}  // namespace

template <class T>
void Program<T>::prepare(const Batches<T>& batches, std::size_t batch_rows, bool keeps_gradient) {
    squares_.resize(layers_.size());
    for (std::size_t l = first_trained_; keeps_gradient && l < layers_.size(); ++l) {
        Weights<T>* weights = layers_[l]->weights();
        if (!weights) continue;
        weights->keep_gradient();
        squares_[l].resize(weights->parts());
    }
    const bool sparse = reads_sparse(batches.X);
    if (sparse) sparse_.make_room(batches.X, batches.order, batches.count, batch_rows);
    const std::size_t in_full = sparse ? 0 : batch_rows;
    const bool is_prepared = !activations_.empty() && batch_rows <= losses_.size();
    if (is_prepared && in_full <= activations_.front().all().rows) return;
    losses_.clear();  // nothing is prepared until all is: memory may run out on the way
    std::vector<Block<T>> activations, gradients;
    activations.emplace_back(in_full, inputs_, kernels_.lanes);
    // Only a loss without a layer before it writes the gradient of the inputs.
    gradients.emplace_back(layers_.empty() ? batch_rows : 0, inputs_, kernels_.lanes);
    for (const auto& layer : layers_) {
        activations.emplace_back(batch_rows, layer->units, kernels_.lanes);
        gradients.emplace_back(batch_rows, layer->units, kernels_.lanes);
        layer->prepare(batch_rows);
    }
    activations_ = std::move(activations);
    gradients_ = std::move(gradients);
    targets_ = Block<T>(batch_rows, outputs(), kernels_.lanes);
    labels_.resize(batch_rows);
    scale_.resize(batch_rows);
    losses_.resize(batch_rows);
}

// Runs a block's rows through all layers; `order` lists the batch's rows.
template <class T>
void Program<T>::forward(const Place& place, const Rows<T>& X, const std::int64_t* order, std::size_t rows) {
    const SparseRows<T> sparse = X.from(order, place.row);
    Input<T> in{{}, &sparse};
    if (!reads_sparse(X)) {
        const View<T> first = activations_[0].rows(place.row, rows);
        gather(X, order, place.row, first);
        in = {first};
    }
    for (std::size_t l = 0; l < layers_.size(); ++l) {
        const View<T> out = activations_[l + 1].rows(place.row, rows);
        layers_[l]->forward(place, in, out);
        in = {out};
    }
}

// Runs this thread's rows of a batch forward and back.
template <class T>
void Program<T>::pass(const Team& team, const Batches<T>& batch, std::size_t begin, std::size_t count,
                      Place place, T* out) {
    const std::int64_t* order = batch.order + begin;
    const bool sparse = reads_sparse(batch.X);
    if (sparse && team.thread == 0) sparse_.take(batch.X, order, count);
    if (count == 0) return;
    const std::size_t block = rows_per_block(count, team.threads);
    for (std::size_t i = 0, row = 0; row < count; ++i, row += block) {
        if (!team.takes(i)) continue;
        const std::size_t rows = std::min(block, count - row);
        place.row = row;
        forward(place, batch.X, order, rows);
        read_targets(batch, order, row, rows, count);
        const View<T> last = activations_.back().rows(row, rows), d_last = gradients_.back().rows(row, rows);
        clear_gaps(d_last);  // no kernel does, and an earlier NaN would stay
        loss_(kernels_,
              {loss_.options, last, targets_.rows(row, rows), batch.y.labels ? labels_.data() + row : nullptr,
               losses_.data() + row, scale_.data() + row, d_last});
        if (out) write_outputs(last, out + (begin + row) * outputs());
        for (std::size_t l = layers_.size(); l-- > first_trained_;) {
            const View<T> d_in = l > first_trained_ ? gradients_[l].rows(row, rows) : View<T>{};
            const View<T> in = l == 0 && sparse ? View<T>{} : activations_[l].rows(row, rows);
            layers_[l]->backward(place, in, activations_[l + 1].rows(row, rows),
                                 gradients_[l + 1].rows(row, rows), d_in);
        }
    }
}

// Returns the loss of a batch that has passed, penalties included, summed in the order of the rows: any
// number of threads gives the same bits.
template <class T>
double Program<T>::loss(const Batches<T>& batch, std::size_t begin, std::size_t count,
                        double penalty_factor) const {
    double total = 0;
    for (std::size_t row = 0; row < count; ++row) {
        total += losses_[row] * (batch.weights ? double(batch.weights[batch.order[begin + row]]) : 1.0);
    }
    return (count ? total / double(count) : 0.0) + penalty_factor * penalty();
}

template <class T>
void Program<T>::read_targets(const Batches<T>& batch, const std::int64_t* order, std::size_t row,
                              std::size_t rows, std::size_t count) {
    for (std::size_t i = row; i < row + rows; ++i) {
        scale_[i] = (batch.weights ? batch.weights[order[i]] : T(1)) / T(count);
        if (batch.y.labels) labels_[i] = batch.y.labels[order[i]];
    }
    if (!batch.y.labels) gather(batch.y.values, order, row, targets_.rows(row, rows));
}

// Calls visit(weights, part, the layer's number) for this thread's parts of the weights.
template <class T>
template <class Visit>
void Program<T>::over_parts(const Team& team, Visit visit) const {
    std::size_t i = 0;
    for (std::size_t l = first_trained_; l < layers_.size(); ++l) {
        Weights<T>* weights = layers_[l]->weights();
        for (std::size_t part = 0; weights && part < weights->parts(); ++part) {
            if (team.takes(i++)) visit(*weights, part, l);
        }
    }
}

// Takes the optimizer's step on this thread's parts of the weights, or keeps their gradient if it is null.
template <class T>
void Program<T>::update(const Team& team, const Rows<T>& X, std::size_t rows, const Optimizer<T>* optimizer,
                        double penalty_factor) {
    const SparseInputs<T> inputs = sparse_.inputs();
    over_parts(team, [&](Weights<T>& weights, std::size_t part, std::size_t l) {
        const bool sparse = l == 0 && reads_sparse(X);
        const Passed<T> passed{sparse ? View<T>{} : activations_[l].rows(0, rows), sparse ? &inputs : nullptr,
                               gradients_[l + 1].rows(0, rows)};
        weights.update(part, passed, optimizer, T(penalty_factor));
        if (!optimizer) squares_[l][part] = weights.squares(part);
    });
}

// Takes the step from kept gradients, each array's or all together scaled down to a norm. Every thread sums
// all squares for itself, in the order of the parts.
template <class T>
void Program<T>::clipped_step(const Team& team, const Optimizer<T>& optimizer) {
    double all = 0;
    for (const auto& of_layer : squares_) {
        for (const PerArray<double>& part : of_layer) all += std::accumulate(part.begin(), part.end(), 0.0);
    }
    PerArray<double> scales;
    std::size_t scaled = layers_.size();  // the layer that they are of
    over_parts(team, [&](Weights<T>& weights, std::size_t part, std::size_t l) {
        for (std::size_t array = 0; l != scaled && array < most_arrays; ++array) {
            double squares = 0;
            for (const PerArray<double>& each : squares_[l]) squares += each[array];
            scales[array] = recipe_.clipping(squares, all);
        }
        scaled = l;
        weights.step(part, optimizer, scales);
    });
}

template <class T>
void Program<T>::load(std::optional<std::size_t> slot, const std::vector<LayerArrays<const T>>& given) {
    const Holding holding(training_);
    for (const auto& [layer, arrays] : given) weights(layer).load(slot, arrays);
}

template <class T>
double Program<T>::gradients(const Batches<T>& batch) {
    const Holding holding(training_);
    prepare(batch, batch.count, true);
    run_team(threads_for(batch.count * work_, thread_work), [&](const Team& team) {
        const FlushSubnormals flush;
        pass(team, batch, 0, batch.count, {recipe_.seed, 0, 0, false}, nullptr);
        team.wait();
        update(team, batch.X, batch.count, nullptr, 1);
    });
    return loss(batch, 0, batch.count, 1);
}

template <class T>
std::size_t Program<T>::train(const Run<T>& run, const GoOn& go_on) {
    const Holding holding(training_);
    return take_steps(run, go_on);
}

template <class T>
Trained Program<T>::train(const Job<T>& job, const GoOn& go_on) {
    const Holding holding(training_);
    Trained done;
    for (const Epoch<T>& epoch : job.epochs) {
        const Run<T>& run = epoch.run;
        done.losses = take_steps(run, go_on);
        if (done.losses < run.steps || (run.steps > 0 && !std::isfinite(run.losses[run.steps - 1]))) break;
        watch(job, epoch);
        ++done.epochs;
    }
    return done;
}

// Computes what is asked for after an epoch.
template <class T>
void Program<T>::watch(const Job<T>& job, const Epoch<T>& epoch) const {
    if (job.watched) {
        losses(*job.watched, epoch.losses, epoch.outputs);
        *epoch.penalty = penalty();
    }
    for (const auto& [layer, arrays] : epoch.parameters) weights(layer).store(std::nullopt, arrays);
}

template <class T>
std::size_t Program<T>::take_steps(const Run<T>& run, const GoOn& go_on) {
    const std::size_t batch_rows = std::min(run.batches.batch_rows, run.batches.count);
    prepare(run.batches, batch_rows, recipe_.clips_by_norm());
    const std::size_t work = batch_rows * work_;
    std::size_t taken = 0;
    bool goes_on = true;
    // Between stretches this is the only thread at work: `go_on` may run a signal handler, which may fork.
    while (goes_on && taken < run.steps && go_on()) {
        const int threads = pace_.threads(threads_for(work, thread_step));
        const std::size_t end =
            std::min(run.steps, taken + pace_.steps(batch_rows, double(work_) * seconds_each));
        const auto start = std::chrono::steady_clock::now();
        const Stretch done = stretch(run, threads, taken, end);
        const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
        if (done.end == end) pace_.took(done.threads, time.count() / double((end - taken) * batch_rows));
        goes_on = done.goes_on;
        taken = done.end;
    }
    return taken;
}

// Takes the steps from `begin` to `end`. All threads take every step together and wait for one another after
// the rows and after the weights. Each sums the loss for itself, so all know whether to go on without another
// wait.
template <class T>
typename Program<T>::Stretch Program<T>::stretch(const Run<T>& run, int threads, std::size_t begin,
                                                 std::size_t end) {
    const bool clips = recipe_.clips_by_norm();
    Stretch done{1, begin, true};  // written by the first thread only
    run_team(threads, [&](const Team& team) {
        const bool first = team.thread == 0;
        if (first) done.threads = team.threads;
        for (std::size_t step = begin; step < end; ++step) {
            const std::size_t row = step * run.batches.batch_rows;
            const std::size_t count = std::min(run.batches.batch_rows, run.batches.count - row);
            const FlushSubnormals flush;
            const Place place{recipe_.seed, std::uint32_t(run.first + step), 0, true,
                              run.dropout_rates(step)};
            pass(team, run.batches, row, count, place, run.outputs);
            team.wait();
            const double penalty_factor = run.penalty_factor(step);
            const double value = loss(run.batches, row, count, penalty_factor);
            const bool goes_on = std::isfinite(value);
            if (first) done.goes_on = goes_on, run.losses[step] = value, done.end = step + 1;
            if (!goes_on) return;
            const Optimizer<T> optimizer =
                recipe_.at<T>(run.first + step, run.rates[step],
                              run.weight_decay ? run.weight_decay[step] : recipe_.weight_decay);
            if (penalised_) team.wait();  // the loss has read the weights
            update(team, run.batches.X, count, clips ? nullptr : &optimizer, penalty_factor);
            team.wait();
            if (clips) {
                clipped_step(team, optimizer);
                team.wait();
            }
            if (first) ++steps_;
        }
    });
    return done;
}

template class Program<float>;
template class Program<double>;

}  // namespace fastdense
