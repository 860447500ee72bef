// Training: each step takes a batch forward and back in blocks of rows, and then updates the weights part by
// part.
#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/program.h"

namespace fastdense {
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
void Program<T>::prepare(std::size_t batch_rows) {
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
    head_output_ = Block<T>(block_rows, outputs(), kernels_.lanes);
    labels_.resize(batch_rows);
    scale_.resize(batch_rows);
    losses_.resize(batch_rows);
}

// Takes one batch forward and back, and returns its loss without penalties.
template <class T>
double Program<T>::pass(const Batches<T>& batch, std::size_t begin, std::size_t count, Place place, T* out) {
    const std::int64_t* order = batch.order + begin;
    for (std::size_t row = 0; row < count; row += block_rows) {
        const std::size_t rows = std::min(block_rows, count - row);
        place.row = row;
        gather(batch.X, order, row, activations_[0].rows(row, rows));
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            layers_[i]->forward(place, activations_[i].rows(row, rows), activations_[i + 1].rows(row, rows));
        }
        read_targets(batch, order, row, rows, count);
        const View<T> last = activations_.back().rows(row, rows);
        kernels_.losses({loss_, last, targets_.rows(row, rows),
                         batch.y.labels ? labels_.data() + row : nullptr, losses_.data() + row,
                         scale_.data() + row, gradients_.back().rows(row, rows)});
        if (out) write_outputs(last, out + (begin + row) * outputs());
        for (std::size_t i = layers_.size(); i-- > first_trained_;) {
            const View<T> d_in = i > first_trained_ ? gradients_[i].rows(row, rows) : View<T>{};
            layers_[i]->backward(place, activations_[i].rows(row, rows), activations_[i + 1].rows(row, rows),
                                 gradients_[i + 1].rows(row, rows), d_in);
        }
    }
    double total = 0;  // in the order of the rows, whoever computed them
    for (std::size_t row = 0; row < count; ++row) {
        total += losses_[row] * (batch.weights ? double(batch.weights[order[row]]) : 1.0);
    }
    return total / double(count);
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

template <class T>
void Program<T>::write_outputs(View<const T> last, T* out) {
    const View<T> ours = head_output_.rows(0, last.rows);
    copy_rows<T>(last, ours);
    head_.forward(kernels_, ours, ours);
    copy_rows<T>(ours, {out, last.rows, outputs(), outputs()});
}

template <class T>
void Program<T>::update(const Optimizer<T>& optimizer, std::size_t rows, bool keep) {
    for (std::size_t i = first_trained_; i < layers_.size(); ++i) {
        Weights<T>* weights = layers_[i]->weights();
        if (!weights) continue;
        if (keep) weights->keep_gradient();
        for (std::size_t part = 0; part < weights->parts(); ++part) {
            weights->update(part, activations_[i].rows(0, rows), gradients_[i + 1].rows(0, rows), optimizer,
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
    prepare(batch.count);
    const double loss = pass(batch, 0, batch.count, {recipe_.seed, 0, 0, false}, nullptr) + penalty();
    update(recipe_.at<T>(0, 0), batch.count, true);
    return loss;
}

template <class T>
std::size_t Program<T>::train(const Batches<T>& batches, const double* rates, std::size_t steps,
                              std::size_t first, double* losses, T* out, const std::function<bool()>& go_on) {
    prepare(std::min(batches.batch_rows, batches.count));
    for (std::size_t step = 0; step < steps; ++step) {
        if (!go_on()) return step;
        const std::size_t begin = step * batches.batch_rows;
        const std::size_t count = std::min(batches.batch_rows, batches.count - begin);
        losses[step] =
            pass(batches, begin, count, {recipe_.seed, std::uint32_t(first + step), 0, true}, out) +
            penalty();
        if (!std::isfinite(losses[step])) return step + 1;
        const Optimizer<T> optimizer = recipe_.at<T>(first + step, rates[step]);
        update(optimizer, count, recipe_.clips_by_norm());
        if (recipe_.clips_by_norm()) clipped_step(optimizer);
        for (const auto& layer : layers_) layer->updated();
        ++steps_;
    }
    return steps;
}

template class Program<float>;
template class Program<double>;

}  // namespace fastdense
