// Training: each step takes a batch forward and back in blocks of rows, and then updates the weights part by
// part.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "engine/program.h"
#include "threads/flush.h"

namespace fastdense {
namespace {

// In training the threads read each other's activations and new weights at every step. Measured on two cores
// that share a third-level cache: a batch of 2.3 million multiply-adds forward is a tenth slower on both than
// on one, one of 30 million a fifth faster, one of 540 million half as fast again.
constexpr std::size_t sharing_cost = 2;

}  // namespace

bool Recipe::clips_by_norm() const {
    return std::isfinite(clipnorm) || std::isfinite(global_clipnorm);
}

// Adam's bias corrections are folded into its rate: Kingma and Ba, "Adam", 2015, the end of section 2.
template <class T>
Optimizer<T> Recipe::at(std::size_t step, double rate) const {
    double scaled = rate;
    if (rule == Rule::adam) {
        const double t = double(step) + 1;
        scaled = rate * std::sqrt(1 - std::pow(beta_2, t)) / (1 - std::pow(beta_1, t));
    }
    return {.rule = rule,
            .nesterov = nesterov,
            .centered = centered,
            .momentum = T(momentum),
            .rho = T(rho),
            .rho_gain = T(1 - rho),
            .gain_1 = T(1 - beta_1),
            .gain_2 = T(1 - beta_2),
            .epsilon = T(epsilon),
            .decay = T(weight_decay * rate),
            .rate = T(scaled),
            .limit = T(clipvalue)};
}

template <class T>
void Program<T>::prepare(std::size_t batch_rows, bool keeps_gradient) {
    for (const auto& layer : layers_) {
        if (keeps_gradient && layer->weights()) layer->weights()->keep_gradient();
    }
    if (batch_rows <= losses_.size()) return;
    std::vector<Block<T>> activations, gradients;
    activations.emplace_back(batch_rows, inputs_, kernels_.lanes);
    gradients.emplace_back();
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

// Takes one batch forward and back: this thread's rows of it.
template <class T>
void Program<T>::pass(const Team& team, const Batches<T>& batch, std::size_t begin, std::size_t count,
                      Place place, T* out) {
    const std::int64_t* order = batch.order + begin;
    const std::size_t rounds = (count + block_rows * team.threads - 1) / (block_rows * team.threads);
    const std::size_t block = (count + rounds * team.threads - 1) / (rounds * team.threads);
    for (std::size_t i = 0, row = 0; row < count; ++i, row += block) {
        if (!team.takes(i)) continue;
        const std::size_t rows = std::min(block, count - row);
        place.row = row;
        gather(batch.X, order, row, activations_[0].rows(row, rows));
        for (std::size_t l = 0; l < layers_.size(); ++l) {
            layers_[l]->forward(place, activations_[l].rows(row, rows), activations_[l + 1].rows(row, rows));
        }
        read_targets(batch, order, row, rows, count);
        const View<T> last = activations_.back().rows(row, rows);
        kernels_.losses({loss_, last, targets_.rows(row, rows),
                         batch.y.labels ? labels_.data() + row : nullptr, losses_.data() + row,
                         scale_.data() + row, gradients_.back().rows(row, rows)});
        if (out) write_outputs(last, out + (begin + row) * outputs());
        for (std::size_t l = layers_.size(); l-- > first_trained_;) {
            const View<T> d_in = l > first_trained_ ? gradients_[l].rows(row, rows) : View<T>{};
            layers_[l]->backward(place, activations_[l].rows(row, rows), activations_[l + 1].rows(row, rows),
                                 gradients_[l + 1].rows(row, rows), d_in);
        }
    }
}

// The loss of a batch that has passed, penalties included: summed in the order of the rows, whoever computed
// them.
template <class T>
double Program<T>::loss(const Batches<T>& batch, std::size_t begin, std::size_t count) const {
    double total = 0;
    for (std::size_t row = 0; row < count; ++row) {
        total += losses_[row] * (batch.weights ? double(batch.weights[batch.order[begin + row]]) : 1.0);
    }
    return total / double(count) + penalty();
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

// This thread's parts of the weights.
template <class T>
void Program<T>::update(const Team& team, const Optimizer<T>& optimizer, std::size_t rows, bool keep) {
    std::size_t i = 0;
    for (std::size_t l = first_trained_; l < layers_.size(); ++l) {
        Weights<T>* weights = layers_[l]->weights();
        if (!weights) continue;
        for (std::size_t part = 0; part < weights->parts(); ++part) {
            if (!team.takes(i++)) continue;
            weights->update(part, activations_[l].rows(0, rows), gradients_[l + 1].rows(0, rows), optimizer,
                            keep);
        }
    }
}

// The step from kept gradients, each array's or all together scaled down to a norm.
template <class T>
void Program<T>::clipped_step(const Optimizer<T>& optimizer) {
    std::vector<Pair> squares(layers_.size());
    double all = 0;
    for (std::size_t i = first_trained_; i < layers_.size(); ++i) {
        if (!layers_[i]->weights()) continue;
        squares[i] = layers_[i]->weights()->squares();
        all += squares[i].kernel;
        all += squares[i].bias;
    }
    const auto scale = [&](double square) {
        const bool each = std::isfinite(recipe_.clipnorm);
        const double limit = each ? recipe_.clipnorm : recipe_.global_clipnorm;
        const double norm = std::sqrt(each ? square : all);
        return norm > limit ? limit / norm : 1.0;
    };
    for (std::size_t i = first_trained_; i < layers_.size(); ++i) {
        if (Weights<T>* weights = layers_[i]->weights()) {
            weights->step(optimizer, {scale(squares[i].kernel), scale(squares[i].bias)});
        }
    }
}

template <class T>
double Program<T>::gradients(const Batches<T>& batch) {
    prepare(batch.count, true);
    run_team(threads_for(batch.count * multiply_adds_ / sharing_cost), [&](const Team& team) {
        const FlushSubnormals flush;
        pass(team, batch, 0, batch.count, {recipe_.seed, 0, 0, false}, nullptr);
        team.wait();
        update(team, recipe_.at<T>(0, 0), batch.count, true);
    });
    return loss(batch, 0, batch.count);
}

// All threads take every step together; they wait for one another after the rows and after the weights. Each
// sums the loss for itself, so all know without another wait whether to go on.
template <class T>
std::size_t Program<T>::train(const Batches<T>& batches, const double* rates, std::size_t steps,
                              std::size_t first, double* losses, T* out, const std::function<bool()>& go_on) {
    const std::size_t batch_rows = std::min(batches.batch_rows, batches.count);
    const bool clips = recipe_.clips_by_norm();
    prepare(batch_rows, clips);
    std::atomic<bool> stopped{false};
    std::size_t taken = 0;  // written by the first thread only
    run_team(threads_for(batch_rows * multiply_adds_ / sharing_cost), [&](const Team& team) {
        const FlushSubnormals flush;
        for (std::size_t step = 0; step < steps; ++step) {
            const std::size_t begin = step * batches.batch_rows;
            const std::size_t count = std::min(batches.batch_rows, batches.count - begin);
            if (team.thread == 0 && !go_on()) stopped.store(true);
            pass(team, batches, begin, count, {recipe_.seed, std::uint32_t(first + step), 0, true}, out);
            team.wait();
            if (stopped.load()) return;
            const double value = loss(batches, begin, count);
            if (team.thread == 0) losses[step] = value, taken = step + 1;
            if (!std::isfinite(value)) return;
            const Optimizer<T> optimizer = recipe_.at<T>(first + step, rates[step]);
            if (penalised_) team.wait();  // the loss has read the weights
            update(team, optimizer, count, clips);
            team.wait();
            if (clips && team.thread == 0) clipped_step(optimizer);
            if (team.thread == 0) ++steps_;
            if (clips) team.wait();
        }
    });
    return taken;
}

template class Program<float>;
template class Program<double>;

}  // namespace fastdense
