// A batch forward and back in lanes, block by block: what is computed row by row is computed by the kernels
// of a single program, with a row for each row and lane.
#include <algorithm>

#include "engine/blocks.h"
#include "engine/lane_program.h"

namespace fastdense {

// Reads a block's rows, once if all lanes share them.
template <class T>
LaneInput<T> LaneProgram<T>::read_rows(const Runs& runs, std::size_t begin, std::size_t rows) {
    const std::size_t inputs = first_.inputs_;
    if (shared_) {
        const Batches<T>& batches = runs.front().batches;
        gather(batches.X, batches.order, begin, View<T>{rows_.data(), rows, inputs, inputs});
        return {{rows_.data(), inputs, 1}, true};
    }
    for (std::size_t lane = 0; lane < lanes_; ++lane) {
        const Batches<T>& batches = run_of(runs, lane).batches;
        for (std::size_t i = 0; i < rows; ++i) {
            const T* from = batches.X.row(std::size_t(batches.order[begin + i]));
            T* to = rows_.data() + i * inputs * lanes_ + lane;
            for (std::size_t j = 0; j < inputs; ++j) {
                to[j * lanes_] = from[std::ptrdiff_t(j) * batches.X.column_step];
            }
        }
    }
    return {{rows_.data(), inputs * lanes_, lanes_}, false};
}

// Writes each row's target, or that of each lane's row.
template <class T>
void LaneProgram<T>::read_targets(const Runs& runs, std::size_t begin, std::size_t rows) {
    for (std::size_t i = 0; i < rows; ++i) {
        if (shared_) {
            read_target(runs.front().batches, begin + i, i * lanes_, lanes_);
            continue;
        }
        for (std::size_t lane = 0; lane < lanes_; ++lane) {
            read_target(run_of(runs, lane).batches, begin + i, i * lanes_ + lane, 1);
        }
    }
}

// Writes the target of a row of the order for some lanes, from the first on.
template <class T>
void LaneProgram<T>::read_target(const Batches<T>& batches, std::size_t row, std::size_t first,
                                 std::size_t lanes) {
    const auto number = std::size_t(batches.order[row]);
    if (batches.y.labels) {
        std::fill_n(labels_.data() + first, lanes, batches.y.labels[number]);
        return;
    }
    const std::size_t outputs = first_.outputs();
    const T* from = batches.y.values.row(number);
    T* to = targets_.data() + first * outputs;
    for (std::size_t j = 0; j < outputs; ++j) {
        const T target = from[std::ptrdiff_t(j) * batches.y.values.column_step];
        for (std::size_t lane = 0; lane < lanes; ++lane) to[lane * outputs + j] = target;
    }
}

// Writes each row's share of the batch's loss.
template <class T>
void LaneProgram<T>::read_scale(const Runs& runs, std::size_t begin, std::size_t rows, std::size_t count) {
    if (!weighted_ && scaled_ == count) return;
    scaled_ = weighted_ ? 0 : count;
    std::fill_n(scale_.data(), scale_.size(), T(1) / T(count));
    for (std::size_t lane = 0; weighted_ && lane < lanes_; ++lane) {
        const Batches<T>& batches = run_of(runs, lane).batches;
        for (std::size_t i = 0; batches.weights && i < rows; ++i) {
            scale_.data()[i * lanes_ + lane] = batches.weights[batches.order[begin + i]] / T(count);
        }
    }
}

// Computes the losses of a block's rows in all lanes, and their gradient. With a single unit, a vector for
// each row is a row for each row and lane.
template <class T>
void LaneProgram<T>::lose(std::size_t rows, bool labels) {
    const std::size_t outputs = first_.outputs(), all = rows * lanes_;
    const bool single = outputs == 1;
    const Buffer<T>& last = single ? activations_.back() : last_;
    const Buffer<T>& d_last = single ? gradients_.back() : d_last_;
    if (!single) transpose_each<T>(activations_.back().data(), rows, outputs, lanes_, last.data());
    for (std::size_t row = 0; row < all; row += block_rows) {
        const std::size_t at = row * outputs, count = std::min(block_rows, all - row);
        const auto view = [&](const Buffer<T>& of) {
            return View<T>{of.data() + at, count, outputs, outputs};
        };
        first_.loss_(kernels_, {first_.loss_.options, view(last), view(targets_),
                                labels ? labels_.data() + row : nullptr, losses_.data() + row,
                                scale_.data() + row, view(d_last)});
    }
    if (!single) transpose_each<T>(d_last.data(), rows, lanes_, outputs, gradients_.back().data());
}

// Adds a block's losses to the sums of the lanes, row by row.
template <class T>
void LaneProgram<T>::add_losses(const Runs& runs, std::size_t begin, std::size_t rows, Totals& totals) const {
    Totals weights;
    std::fill_n(weights.of, lanes_, 1.0);
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t lane = 0; weighted_ && lane < lanes_; ++lane) {
            const Batches<T>& batches = run_of(runs, lane).batches;
            if (batches.weights) weights.of[lane] = double(batches.weights[batches.order[begin + i]]);
        }
        const double* losses = losses_.data() + i * lanes_;
        for (std::size_t lane = 0; lane < lanes_; ++lane) totals.of[lane] += losses[lane] * weights.of[lane];
    }
}

template <class T>
void LaneProgram<T>::write_outputs(const Runs& runs, std::size_t begin, std::size_t rows) {
    const std::size_t outputs = first_.outputs();
    const Buffer<T>& last = outputs == 1 ? activations_.back() : last_;
    copy_row(last.data(), rows * lanes_ * outputs, outputs_.data());
    const View<T> all{outputs_.data(), rows * lanes_, outputs, outputs};
    first_.head_.template forward<T>(kernels_, all, all);
    for (std::size_t lane = 0; lane < runs.size(); ++lane) {
        if (ended_[lane] || !runs[lane].outputs) continue;
        T* const to = runs[lane].outputs + begin * outputs;
        copy_rows<T>({all.data + lane * outputs, rows, outputs, lanes_ * outputs},
                     {to, rows, outputs, outputs});
    }
}

// Runs a batch forward and back; returns the sum of each lane's losses, in the order of the rows.
template <class T>
typename LaneProgram<T>::Totals LaneProgram<T>::pass(const Runs& runs, const Batch& batch) {
    Totals totals{};
    const bool writes = std::any_of(runs.begin(), runs.end(), [](const auto& run) { return run.outputs; });
    for (std::size_t lane = 0; lane < lanes_; ++lane) {
        const Run<T>& run = run_of(runs, lane);
        const Program<T>& program = *programs_[lane < programs_.size() ? lane : 0];
        places_[lane] = {program.recipe_.seed, std::uint32_t(run.first + batch.step), 0, true,
                         run.dropout_rates(batch.step)};
    }
    for (std::size_t row = 0; row < batch.count; row += block_) {
        const std::size_t rows = std::min(block_, batch.count - row), begin = batch.begin + row;
        for (Place& place : places_) place.row = row;
        const LanePlace place{places_.data(), rows};
        std::vector<LaneInput<T>> inputs{read_rows(runs, begin, rows)};
        for (std::size_t l = 0; l < layers_.size(); ++l) {
            layers_[l]->forward(place, inputs[l], activations_[l].data());
            const std::size_t units = layers_[l]->units;
            inputs.push_back({{activations_[l].data(), units * lanes_, lanes_}, false});
        }
        read_targets(runs, begin, rows);
        read_scale(runs, begin, rows, batch.count);
        lose(rows, runs.front().batches.y.labels != nullptr);
        add_losses(runs, begin, rows, totals);
        if (writes) write_outputs(runs, begin, rows);
        for (std::size_t l = layers_.size(); l-- > first_.first_trained_;) {
            T* const d_in = l > first_.first_trained_ ? gradients_[l - 1].data() : nullptr;
            layers_[l]->backward(place, inputs[l], activations_[l].data(), gradients_[l].data(), d_in);
        }
    }
    return totals;
}

template class LaneProgram<float>;
template class LaneProgram<double>;

}  // namespace fastdense
