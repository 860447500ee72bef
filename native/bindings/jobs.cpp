// Jobs, which train a program for some epochs in one call, and the crews that run many of them.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/unique_ptr.h>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "bindings/gil.h"
#include "bindings/numpy.h"
#include "bindings/signals.h"
#include "engine/lane_program.h"
#include "threads/crew.h"

namespace fastdense::bindings {

using namespace nb::literals;

namespace {

// A job of a network of any type.
class AnyJob {
public:
    virtual ~AnyJob() = default;

    // Needs no lock of Python's, and keeps the error that it ends by.
    void run(const GoOn& go_on) noexcept {
        try {
            trained_ = train(go_on);
        } catch (...) {
            error_ = std::current_exception();
        }
    }
    void run_here() {
        Signals signals;
        {
            const Unlocked unlocked;
            run(std::ref(signals));
        }
        if (signals.interrupted) throw nb::python_error();
    }
    // The whole epochs, and the losses that the last one begun has. Throws what the job ended by.
    std::pair<std::size_t, std::size_t> trained() const {
        if (error_) std::rethrow_exception(error_);
        return {trained_.epochs, trained_.losses};
    }

protected:
    virtual Trained train(const GoOn& go_on) = 0;
    Trained trained_;

private:
    std::exception_ptr error_;
};

template <class T>
class LanesOf;

// It keeps all arrays alive that it is given.
template <class T>
class JobOf final : public AnyJob {
public:
    JobOf(std::shared_ptr<Program<T>> program, std::size_t dropouts, std::size_t first)
        : program_(std::move(program)), dropouts_(dropouts), next_(first) {}

    // Watches rows, those that `rows` lists or all. Each epoch has one of the penalties.
    void watch(nb::object X, nb::object y, nb::object rows, nb::object penalties) {
        const Numbers<const std::int64_t> order = numbers<const std::int64_t>(keep(rows));
        const Rows<T> all = rows_of(nb::cast<Source<T>>(keep(X), false));
        const Targets<T> targets = targets_of(nb::cast<TargetArray<T>>(keep(y), false));
        job_.watched = {all, targets, order.data, rows.is_none() ? all.count : order.count};
        penalties_ = numbers<double>(keep(penalties));
    }
    // Takes the following epochs' batches from these rows.
    void rows(nb::object X, nb::object y, nb::object weights) {
        batches_.X = rows_of(nb::cast<Source<T>>(keep(X), false));
        batches_.y = targets_of(nb::cast<TargetArray<T>>(keep(y), false));
        batches_.weights = numbers<const T>(keep(weights)).data;
    }
    // Adds an epoch. `watched` is (losses, outputs) to be filled, and `parameters` holds tuples (layer,
    // arrays).
    void epoch(nb::object order, std::size_t batch_rows, nb::object rates, nb::object penalty_scale,
               nb::object weight_decay, nb::object dropout, nb::object losses, nb::object outputs,
               nb::object watched, nb::object parameters) {
        const std::size_t place = job_.epochs.size();
        const auto [numbers_of_rows, count] = numbers<const std::int64_t>(keep(order));
        const auto [each_rate, steps] = numbers<const double>(keep(rates));
        Batches<T> batches = batches_;
        batches.order = numbers_of_rows, batches.count = count, batches.batch_rows = batch_rows;
        Epoch<T> made{.run = {.batches = batches,
                              .rates = each_rate,
                              .penalty_scale = numbers<const double>(keep(penalty_scale), steps),
                              .weight_decay = numbers<const double>(keep(weight_decay), steps),
                              .dropout = numbers<const double>(keep(dropout), steps * dropouts_),
                              .dropouts = dropouts_,
                              .steps = steps,
                              .first = next_,
                              .losses = numbers<double>(keep(losses), steps),
                              .outputs = numbers<T>(keep(outputs), count * program_->outputs())}};
        if (job_.watched) {
            made.losses = numbers<double>(keep(watched[0]), job_.watched->count);
            made.outputs = numbers<T>(keep(watched[1]), job_.watched->count * program_->outputs());
            if (place >= penalties_.count) throw nb::index_error("there are more epochs than penalties");
            made.penalty = penalties_.data + place;
        }
        for (const nb::handle layer : parameters) {
            LayerArrays<T> arrays{nb::cast<std::size_t>(layer[0]), {}};
            std::size_t i = 0;
            for (const nb::handle array : nb::object(layer[1])) {
                arrays.arrays.at(i++) = numbers<T>(keep(nb::borrow(array))).data;
            }
            made.parameters.push_back(arrays);
        }
        job_.epochs.push_back(std::move(made));
        next_ += steps;
    }

private:
    friend class LanesOf<T>;
    Trained train(const GoOn& go_on) override { return program_->train(job_, go_on); }

    nb::handle keep(nb::object array) {
        kept_.push_back(std::move(array));
        return kept_.back();
    }

    const std::shared_ptr<Program<T>> program_;
    const std::size_t dropouts_;
    std::size_t next_;  // the number of the next epoch's first step
    Batches<T> batches_{};
    Numbers<double> penalties_;
    Job<T> job_;
    std::vector<nb::object> kept_;
};

// Jobs of programs of one shape that run as one, each in a lane of a vector. It keeps them alive.
template <class T>
class LanesOf final : public AnyJob {
public:
    explicit LanesOf(const nb::typed<nb::list, AnyJob>& jobs) {
        for (const nb::handle job : jobs) {
            jobs_.push_back(&nb::cast<JobOf<T>&>(job));
            kept_.push_back(nb::borrow(job));
        }
        if (jobs_.empty()) throw nb::value_error("run_in_lanes takes at least one job");
    }

private:
    Trained train(const GoOn& go_on) override {
        std::vector<Program<T>*> programs;
        std::vector<const Job<T>*> jobs;
        for (const JobOf<T>* each : jobs_) {
            programs.push_back(each->program_.get());
            jobs.push_back(&each->job_);
        }
        const std::vector<Trained> all = LaneProgram<T>(programs).train(jobs, go_on);
        for (std::size_t i = 0; i < all.size(); ++i) jobs_[i]->trained_ = all[i];
        return all.front();
    }

    std::vector<JobOf<T>*> jobs_;
    std::vector<nb::object> kept_;
};

// A job that a crew runs, and what Python knows it by, which keeps it alive.
class JobTask final : public Task {
public:
    JobTask(AnyJob& job, nb::object owner) : owner(std::move(owner)), job_(job) {}
    void run(const GoOn& go_on) noexcept override { job_.run(go_on); }

    const nb::object owner;

private:
    AnyJob& job_;
};

std::chrono::steady_clock::time_point from_now(double seconds) {
    constexpr double most = 1e9;  // seconds; the clock's type holds as many
    const auto wait = std::chrono::duration<double>(std::min(seconds, most));
    return Crew::Clock::now() + std::chrono::duration_cast<Crew::Clock::duration>(wait);
}

void submit(Crew& crew, AnyJob& job, nb::object owner) {
    crew.submit(std::make_unique<JobTask>(job, std::move(owner)));
}

// Returns the owner of a job that has ended, None if none has after some seconds.
nb::object collect(Crew& crew, double seconds) {
    std::unique_ptr<Task> ended;
    Signals signals;
    {
        const Unlocked unlocked;
        ended = crew.collect(from_now(std::max(seconds, 0.0)), std::ref(signals));
    }
    if (signals.interrupted) throw nb::python_error();
    return ended ? static_cast<const JobTask&>(*ended).owner : nb::none();
}

template <class T>
void bind(nb::module_& m, const char* name) {
    using J = JobOf<T>;
    nb::class_<J, AnyJob>(m, name)
        .def("watch", &J::watch, "X"_a, "y"_a, "rows"_a.none(), "penalties"_a)
        .def("rows", &J::rows, "X"_a, "y"_a, "weights"_a.none())
        .def("epoch", &J::epoch, "order"_a, "batch_rows"_a, "rates"_a, "penalty_scale"_a.none(),
             "weight_decay"_a.none(), "dropout"_a.none(), "losses"_a, "outputs"_a.none(), "watched"_a.none(),
             "parameters"_a);
}

}  // namespace

template <class T>
nb::object job(std::shared_ptr<Program<T>> program, std::size_t dropouts, std::size_t first) {
    return nb::cast(std::make_unique<JobOf<T>>(std::move(program), dropouts, first));
}

template nb::object job(std::shared_ptr<Program<float>>, std::size_t, std::size_t);
template nb::object job(std::shared_ptr<Program<double>>, std::size_t, std::size_t);

void bind_jobs(nb::module_& m) {
    nb::class_<AnyJob>(m, "Job").def("run", &AnyJob::run_here).def_prop_ro("trained", &AnyJob::trained);
    bind<float>(m, "Job32");
    bind<double>(m, "Job64");
    nb::class_<LanesOf<float>, AnyJob>(m, "Lanes32")
        .def(nb::init<const nb::typed<nb::list, AnyJob>&>(), "jobs"_a);
    nb::class_<LanesOf<double>, AnyJob>(m, "Lanes64")
        .def(nb::init<const nb::typed<nb::list, AnyJob>&>(), "jobs"_a);
    nb::class_<Crew>(m, "Crew")
        .def(nb::init<int>(), "threads"_a)
        .def_prop_ro("threads", &Crew::threads)
        .def("submit", &submit, "job"_a, "owner"_a)
        .def("collect", &collect, "seconds"_a)
        .def("stop", &Crew::stop, nb::call_guard<Unlocked>());
}

}  // namespace fastdense::bindings
