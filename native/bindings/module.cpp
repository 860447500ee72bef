// The extension module fastdense.native._core. Its only caller, the Python package around it, validates the
// arguments.
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "bindings/gil.h"
#include "bindings/names.h"
#include "engine/dense.h"
#include "kernels/choose.h"
#include "kernels/peak.h"
#include "kernels/philox.h"
#include "threads/cores.h"
#include "threads/pool.h"

namespace fastdense::bindings {

using namespace nb::literals;

namespace {

using Counters = nb::shape<-1, 4>;

template <class E>
std::vector<std::string_view> names() {
    return {std::begin(Names<E>::all), std::end(Names<E>::all)};
}

std::vector<std::string_view> runnable_isas() {
    std::vector<std::string_view> names;
    for (const Kernels* kernels : runnable_kernels()) names.emplace_back(kernels->isa);
    return names;
}

double measure_peak(int threads, bool float64, std::string_view isa) {
    const Kernels& kernels = kernels_for(isa);
    return fastdense::measure_peak(float64 ? kernels.f64.fma_loop : kernels.f32.fma_loop, threads);
}

double measure_bandwidth(std::size_t bytes, int threads, std::string_view isa) {
    return fastdense::measure_bandwidth(kernels_for(isa).f32.read_loop, bytes, threads);
}

void philox4x32(std::uint64_t key, Array<const std::uint32_t, Counters> counters,
                Array<std::uint32_t, Counters> out) {
    if (out.shape(0) != counters.shape(0)) throw nb::value_error("out must have one row per counter");
    const auto multiply = [](std::uint64_t word, std::uint64_t constant) {
        return (word & 0xFFFFFFFF) * constant;
    };
    for (std::size_t i = 0; i < counters.size(); i += 4) {
        std::uint64_t words[4];
        std::copy_n(counters.data() + i, 4, words);
        fastdense::philox4x32(key, words, multiply);
        for (std::size_t word = 0; word < 4; ++word) out.data()[i + word] = std::uint32_t(words[word]);
    }
}

void dropout_mask(std::uint64_t seed, std::uint32_t step, std::uint32_t layer, std::uint32_t threshold,
                  std::string_view isa, Array<bool, nb::ndim<2>> out) {
    const DropoutMask mask{seed, step, layer, threshold, 0, out.shape(0), out.shape(1), out.data()};
    const Kernels& kernels = kernels_for(isa);
    const Unlocked unlocked;
    kernels.dropout_mask(mask);
}

template <class T>
void activate(std::string_view activation, double alpha, std::string_view isa, Matrix<const T> z,
              Matrix<T> out) {
    const auto kind = named<Activation>(activation);
    const Kernels& kernels = kernels_for(isa);
    const Unlocked unlocked;
    kernels.of<T>().activate({kind, T(alpha), z.shape(0), z.shape(1), z.data(), out.data()});
}

template <class T>
void activate_backward(std::string_view activation, double alpha, std::string_view isa, Matrix<const T> z,
                       Matrix<const T> a, Matrix<const T> da, Matrix<T> out) {
    const auto kind = named<Activation>(activation);
    const Kernels& kernels = kernels_for(isa);
    const Unlocked unlocked;
    kernels.of<T>().activate_backward(
        {kind, T(alpha), z.shape(0), z.shape(1), z.data(), a.data(), da.data(), out.data()});
}

template <class T>
void dense(std::string_view isa, AnyMatrix<T> in, Matrix<const T> W, std::optional<List<T>> bias,
           std::string_view activation, double alpha, Matrix<T> out) {
    const View<const T> weights{W.data(), W.shape(0), W.shape(1), W.shape(1)};
    const Curve curve{named<Activation>(activation), alpha};
    const KernelsOf<T>& kernels = kernels_for(isa).of<T>();
    const Unlocked unlocked;
    fastdense::dense(kernels, rows_of(in), weights, data_or_null(bias), curve, out.data());
}

template <class T>
void bind_functions(nb::module_& m) {
    m.def("activate", &activate<T>, "activation"_a, "alpha"_a, "isa"_a, "z"_a.noconvert(),
          "out"_a.noconvert());
    m.def("activate_backward", &activate_backward<T>, "activation"_a, "alpha"_a, "isa"_a, "z"_a.noconvert(),
          "a"_a.noconvert(), "da"_a.noconvert(), "out"_a.noconvert());
    m.def("dense", &dense<T>, "isa"_a, "A_in"_a.noconvert(), "W"_a.noconvert(), "B"_a.noconvert().none(),
          "activation"_a, "alpha"_a, "out"_a.noconvert());
}

void bind_all(nb::module_& m) {
    m.def("activations", &names<Activation>);
    m.def("losses", &names<Loss>);
    m.def("optimizers", &names<Rule>);
    m.def("instruction_sets", &fastdense::instruction_sets);
    m.def("runnable_isas", &runnable_isas);
    m.def("usable_cores", &fastdense::usable_cores);
    m.def("max_threads", &fastdense::max_threads);
    m.def("threads_of_process", &fastdense::threads_of_process);
    m.def("set_max_threads", &set_max_threads, "threads"_a);
    m.def("limit_this_thread", &fastdense::limit_this_thread, "threads"_a);
    m.def("set_default_threads", &set_default_threads, "threads"_a);
    m.def(
        "cgroup_cores", [](const std::string& root) { return fastdense::cgroup_cores(root); },
        "root"_a = "/");
    m.def("measure_peak", &measure_peak, "threads"_a, "float64"_a, "isa"_a, nb::call_guard<Unlocked>());
    m.def("measure_bandwidth", &measure_bandwidth, "bytes"_a, "threads"_a, "isa"_a,
          nb::call_guard<Unlocked>());
    m.def("measure_round_trip", &fastdense::measure_round_trip, nb::call_guard<Unlocked>());
    m.def("philox4x32", &philox4x32, "key"_a, "counters"_a, "out"_a);
    m.def("dropout_mask", &dropout_mask, "seed"_a, "step"_a, "layer"_a, "threshold"_a, "isa"_a, "out"_a);
    bind_functions<float>(m);
    bind_functions<double>(m);
    bind_networks(m);
    bind_predictors(m);
    bind_jobs(m);
    bind_rows(m);
}

}  // namespace

}  // namespace fastdense::bindings

NB_MODULE(_core, m) {
    nanobind::set_leak_warnings(false);  // a model may live until the interpreter's exit
    m.doc() = "The compiled engine. Use it through fastdense.native, which checks arguments.";
    fastdense::bindings::bind_all(m);
}
