// Training in lanes: each step takes a batch forward and back, and then updates the weights of all lanes.
#include "engine/lane_program.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "threads/flush.h"

namespace fastdense {
namespace {

// What a block's activations and gradients take in the nearest cache.
constexpr std::size_t block_bytes = std::size_t(24) << 10;
constexpr std::size_t least_rows = 12;  // a tile of any height
// The multiply-adds of a lane between two questions whether to go on: some milliseconds.
constexpr std::size_t stretch_work = 10'000'000;

bool alike(const LossOptions& a, const LossOptions& b) {
    return a.loss == b.loss && a.from_logits == b.from_logits && a.label_smoothing == b.label_smoothing &&
           a.parameter == b.parameter;
}

bool alike(const Recipe& a, const Recipe& b) {
    return a.rule == b.rule && a.nesterov == b.nesterov && a.centered == b.centered &&
           a.amsgrad == b.amsgrad && (a.momentum > 0) == (b.momentum > 0) && a.slots == b.slots &&
           a.clips_by_norm() == b.clips_by_norm();
}

template <class T>
bool same_rows(const Rows<T>& a, const Rows<T>& b) {
    return a.data == b.data && a.row_step == b.row_step && a.column_step == b.column_step;
}

}  // namespace

template <class T>
LaneProgram<T>::LaneProgram(const std::vector<Program<T>*>& programs)
    : programs_(programs),
      first_(*programs.at(0)),
      kernels_(first_.kernels_),
      lanes_(kernels_.lanes),
      places_(lanes_),
      ended_(programs.size()),
      taken_(programs.size()) {
    check_alike();
    for (Program<T>* program : programs_) held_.emplace_back(program->training_);
    for (std::size_t l = 0; l < first_.layers_.size(); ++l) {
        std::vector<Layer<T>*> of_lanes;
        for (const Program<T>* program : programs_) of_lanes.push_back(program->layers_[l].get());
        layers_.push_back(of_lanes.front()->in_lanes(of_lanes));
        if (!layers_.back()) throw std::invalid_argument("these programs' layers cannot train in lanes");
        if (LaneWeights<T>* weights = layers_.back()->weights()) weights_.push_back(weights);
    }
    for (LaneWeights<T>* weights : weights_) weights->set_optimizer(optimizers());
}

template <class T>
void LaneProgram<T>::check_alike() const {
    if (programs_.size() > lanes_) throw std::invalid_argument("there are more programs than lanes");
    for (const Program<T>* each : programs_) {
        if (&each->kernels_ != &kernels_ || each->layers_.empty() || each->inputs_ != first_.inputs_ ||
            each->layers_.size() != first_.layers_.size() || each->head_ != first_.head_ ||
            !alike(each->loss_.options, first_.loss_.options) || each->loss_.groups != first_.loss_.groups ||
            !alike(each->recipe_, first_.recipe_))
            throw std::invalid_argument("programs that train in lanes have one shape, loss and optimizer");
    }
}

// Each lane's constants; those of the first stand in the lanes that no program fills.
template <class T>
Optimizer<PerLane<T>> LaneProgram<T>::optimizers() const {
    Optimizer<PerLane<T>> all{};
    for (std::size_t lane = 0; lane < lanes_; ++lane) {
        const Program<T>& program = *programs_[lane < programs_.size() ? lane : 0];
        const Optimizer<T> own = program.recipe_.template at<T>(0, 0, 0);
        all.rule = own.rule;
        all.nesterov = own.nesterov, all.centered = own.centered, all.amsgrad = own.amsgrad;
        all.momentum.of[lane] = own.momentum;
        all.rho.of[lane] = own.rho, all.rho_gain.of[lane] = own.rho_gain;
        all.gain_1.of[lane] = own.gain_1, all.gain_2.of[lane] = own.gain_2;
        all.epsilon.of[lane] = own.epsilon, all.limit.of[lane] = own.limit;
    }
    return all;
}

template <class T>
void LaneProgram<T>::prepare(const std::vector<const Job<T>*>& jobs) {
    std::size_t batch_rows = 1, row_bytes = 0;
    for (const Epoch<T>& epoch : jobs.front()->epochs) {
        const Batches<T>& batches = epoch.run.batches;
        batch_rows = std::max(batch_rows, std::min(batches.batch_rows, batches.count));
    }
    for (const auto& layer : layers_) row_bytes += 2 * layer->units * lanes_ * sizeof(T);
    const std::size_t most = std::max<std::size_t>(block_bytes / row_bytes, least_rows);
    const std::size_t blocks = (batch_rows + most - 1) / most;
    block_ = (batch_rows + blocks - 1) / blocks;
    const std::size_t outputs = first_.outputs(), each = block_ * lanes_;
    rows_ = Buffer<T>(each * first_.inputs_);
    for (const auto& layer : layers_) {
        layer->prepare(block_);
        activations_.emplace_back(each * layer->units);
        gradients_.emplace_back(each * layer->units);
    }
    last_ = Buffer<T>(each * outputs), d_last_ = Buffer<T>(each * outputs);
    targets_ = Buffer<T>(each * outputs), outputs_ = Buffer<T>(each * outputs);
    scale_ = Buffer<T>(each), labels_ = Buffer<std::int64_t>(each), losses_ = Buffer<double>(each);
}

template <class T>
void LaneProgram<T>::check_alike(const std::vector<const Job<T>*>& jobs) const {
    if (jobs.size() != programs_.size()) throw std::invalid_argument("each program in a lane has one job");
    const auto& first = jobs.front()->epochs;
    for (const Job<T>* job : jobs) {
        bool alike = job->epochs.size() == first.size();
        for (std::size_t i = 0; alike && i < first.size(); ++i) {
            const Run<T>&own = job->epochs[i].run, &other = first[i].run;
            alike = own.batches.count == other.batches.count && own.steps == other.steps &&
                    own.batches.batch_rows == other.batches.batch_rows &&
                    (own.batches.y.labels == nullptr) == (other.batches.y.labels == nullptr) &&
                    !own.batches.X.sparse();
        }
        if (!alike)
            throw std::invalid_argument(
                "jobs in lanes have as many epochs, rows and steps, and no sparse rows");
    }
}

// Finds out what the lanes have in common in an epoch.
template <class T>
void LaneProgram<T>::compare(const Runs& runs) {
    shared_ = true, weighted_ = false, scaled_ = 0;
    for (const Run<T>& run : runs) {
        const Batches<T>&own = run.batches, &other = runs.front().batches;
        weighted_ |= own.weights != nullptr;
        shared_ &= same_rows(own.X, other.X) && same_rows(own.y.values, other.y.values) &&
                   own.y.labels == other.y.labels && own.weights == other.weights &&
                   std::equal(own.order, own.order + own.count, other.order);
    }
}

// Writes the losses of a step. A program whose loss is not finite ends with the weights that it has. Returns
// false if all have ended.
template <class T>
bool LaneProgram<T>::judge(const Runs& runs, const Batch& batch, const Totals& totals) {
    Totals penalty{};
    for (const LaneWeights<T>* weights : weights_) weights->add_penalties(penalty);
    bool goes_on = false;
    for (std::size_t lane = 0; lane < runs.size(); ++lane) {
        if (ended_[lane]) continue;
        const double factor = runs[lane].penalty_factor(batch.step);
        const double mean = batch.count ? totals.of[lane] / double(batch.count) : 0.0;
        const double value = mean + factor * penalty.of[lane];
        runs[lane].losses[batch.step] = value;
        taken_[lane] = batch.step + 1;
        if (std::isfinite(value)) {
            ++programs_[lane]->steps_;
            goes_on = true;
        } else {
            keep(lane);
            ended_[lane] = true;
        }
    }
    return goes_on;
}

// Hands a program its weights and slots.
template <class T>
void LaneProgram<T>::keep(std::size_t lane) const {
    for (const LaneWeights<T>* weights : weights_) weights->keep(lane);
}

template <class T>
PerDenseArray<PerLane<T>> LaneProgram<T>::scales(const LaneWeights<T>& weights, const Totals& squares) const {
    PerDenseArray<PerLane<T>> all{};
    for (std::size_t lane = 0; lane < programs_.size(); ++lane) {
        const Recipe& recipe = programs_[lane]->recipe_;
        for (std::size_t k = 0; k < dense_arrays; ++k) {
            const double own = weights.squares()[k].of[lane];
            all[k].of[lane] = recipe.clips_by_norm() ? T(recipe.clipping(own, squares.of[lane])) : T(1);
        }
    }
    return all;
}

template <class T>
void LaneProgram<T>::update(const Runs& runs, std::size_t step) {
    PerLane<T> rates{}, decays{};
    Totals factors{}, squares{};
    Recipe::Correction correction;
    for (std::size_t lane = 0; lane < runs.size(); ++lane) {
        const Run<T>& run = runs[lane];
        const Recipe &recipe = programs_[lane]->recipe_, &last = programs_[lane ? lane - 1 : 0]->recipe_;
        // Two powers take as long as a lane's share of a small step.
        const bool same = lane && run.first == runs[lane - 1].first && recipe.beta_1 == last.beta_1 &&
                          recipe.beta_2 == last.beta_2;
        if (!same) correction = recipe.correction(run.first + step);
        const double rate = run.rates[step];
        rates.of[lane] = T(correction(rate));
        decays.of[lane] = T((run.weight_decay ? run.weight_decay[step] : recipe.weight_decay) * rate);
        factors.of[lane] = run.penalty_factor(step);
    }
    for (LaneWeights<T>* weights : weights_) {
        weights->penalise(factors);
        if (first_.recipe_.clips_by_norm()) weights->square(squares);
    }
    for (LaneWeights<T>* weights : weights_) weights->step(rates, decays, scales(*weights, squares));
}

template <class T>
void LaneProgram<T>::take_steps(const Runs& runs, const GoOn& go_on) {
    const Run<T>& first = runs.front();
    const Batches<T>& batches = first.batches;
    const std::size_t batch_rows = std::min(batches.batch_rows, batches.count);
    const std::size_t stretch = std::max<std::size_t>(stretch_work / (batch_rows * first_.work() + 1), 1);
    taken_.assign(runs.size(), 0);
    bool goes_on = true;
    for (std::size_t step = 0; goes_on && step < first.steps && go_on();) {
        const FlushSubnormals flush;
        for (const std::size_t end = std::min(step + stretch, first.steps); goes_on && step < end; ++step) {
            const std::size_t begin = step * batches.batch_rows;
            const Batch batch{step, begin, std::min(batches.batch_rows, batches.count - begin)};
            goes_on = judge(runs, batch, pass(runs, batch));
            if (goes_on) update(runs, step);
        }
    }
}

// As Program::train after an epoch. A program that has not come to its end has ended.
template <class T>
void LaneProgram<T>::end_epoch(const Runs& runs, const std::vector<const Job<T>*>& jobs, std::size_t place,
                               std::vector<Trained>& done) {
    for (std::size_t lane = 0; lane < runs.size(); ++lane) {
        if (done[lane].epochs < place) continue;  // it ended in an earlier one
        done[lane].losses = taken_[lane];
        const bool whole = !ended_[lane] && taken_[lane] == runs[lane].steps;
        if (!whole && !ended_[lane]) keep(lane), ended_[lane] = true;
        if (!whole) continue;
        ++done[lane].epochs;
        const Epoch<T>& epoch = jobs[lane]->epochs[place];
        if (jobs[lane]->watched || !epoch.parameters.empty()) {
            keep(lane);
            programs_[lane]->watch(*jobs[lane], epoch);
        }
    }
}

template <class T>
std::vector<Trained> LaneProgram<T>::train(const std::vector<const Job<T>*>& jobs, const GoOn& go_on) {
    check_alike(jobs);
    prepare(jobs);
    std::vector<Trained> done(programs_.size());
    const std::size_t epochs = jobs.front()->epochs.size();
    const auto goes_on = [&] { return std::ranges::find(ended_, false) != ended_.end(); };
    for (std::size_t place = 0; place < epochs && goes_on(); ++place) {
        Runs runs;
        for (const Job<T>* job : jobs) runs.push_back(job->epochs[place].run);
        compare(runs);
        take_steps(runs, go_on);
        end_epoch(runs, jobs, place, done);
    }
    for (std::size_t lane = 0; lane < programs_.size(); ++lane) {
        if (!ended_[lane]) keep(lane);
    }
    return done;
}

template class LaneProgram<float>;
template class LaneProgram<double>;

}  // namespace fastdense
