// A network that is built layer by layer, compiled, and run. Its only caller, fastdense/native/program.py,
// validates the arguments.
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string_view.h>

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "bindings/gil.h"
#include "bindings/names.h"
#include "bindings/signals.h"
#include "engine/activation_layer.h"
#include "engine/category_layer.h"
#include "engine/dense_layer.h"
#include "engine/dropout_layer.h"
#include "engine/feature_scale_layer.h"
#include "engine/layer_norm_layer.h"
#include "engine/parametric_activation_layer.h"
#include "engine/periodic_layer.h"
#include "engine/prelu_layer.h"
#include "engine/program.h"
#include "engine/scale_layer.h"
#include "kernels/choose.h"

namespace fastdense::bindings {

using namespace nb::literals;

namespace {

using Groups = nb::typed<nb::sequence, std::size_t>;
using Arrays = nb::typed<nb::sequence, nb::object>;

// The number of columns of each group. nanobind's conversion of lists ends the process if memory runs out.
std::vector<std::size_t> columns_of_groups(const Groups& groups) {
    std::vector<std::size_t> columns;
    columns.reserve(nb::len(groups));
    for (const nb::handle each : groups) columns.push_back(nb::cast<std::size_t>(each));
    return columns;
}

template <class T>
class Network {
public:
    Network(std::string_view isa, std::size_t inputs)
        : kernels_(kernels_for(isa)), inputs_(inputs), width_(inputs) {}
    Network(const Network&) = delete;

    void dense(std::size_t units, const Curve& curve, bool bias, const Arrays& treatments) {
        add(std::make_unique<DenseLayer<T>>(kernels_.of<T>(), width_, units, curve, bias,
                                            treatments_of(treatments), trains_));
    }
    void activation(const Curve& curve) {
        add(std::make_unique<ActivationLayer<T>>(kernels_.of<T>(), width_, curve));
    }
    void dropout(double rate, std::uint32_t stream) {
        add(std::make_unique<DropoutLayer<T>>(kernels_.dropout_mask, kernels_.of<T>().lanes, width_, rate,
                                              stream, dropouts_++));
    }
    void feature_scale(const Arrays& treatments) {
        add(std::make_unique<FeatureScaleLayer<T>>(kernels_.of<T>(), width_, treatments_of(treatments)));
    }
    void layer_norm(double epsilon, bool scales, bool centers, const Arrays& treatments) {
        add(std::make_unique<LayerNormLayer<T>>(kernels_.of<T>(), width_, epsilon, scales, centers,
                                                treatments_of(treatments)));
    }
    void parametric_activation(const Curve& curve, const Arrays& treatments) {
        add(std::make_unique<ParametricActivationLayer<T>>(kernels_.of<T>(), width_, curve,
                                                           treatments_of(treatments)));
    }
    void periodic(std::size_t columns, std::size_t frequencies, std::size_t width, const Arrays& treatments) {
        add(std::make_unique<PeriodicLayer<T>>(kernels_.of<T>(), width_,
                                               PeriodicSizes{columns, frequencies, width},
                                               treatments_of(treatments).front()));
    }
    void prelu(const Arrays& treatments) {
        add(std::make_unique<PReluLayer<T>>(kernels_.of<T>(), width_, treatments_of(treatments)));
    }
    void category_embedding(const Groups& sizes, std::size_t width, const Arrays& treatments) {
        add(std::make_unique<CategoryLayer<T>>(kernels_.of<T>(), width_, columns_of_groups(sizes), width,
                                               treatments_of(treatments)));
    }
    void scale(List<T> mean, List<T> deviation) {
        add(std::make_unique<ScaleLayer<T>>(
            std::vector<T>(mean.data(), mean.data() + mean.size()),
            std::vector<T>(deviation.data(), deviation.data() + deviation.size())));
    }
    // A network without a loss and a recipe can only predict.
    void compile(const Curve& head, const RowLosses* loss, const Recipe* recipe) {
        program_ = std::make_shared<Program<T>>(kernels_, inputs_, std::move(layers_), head,
                                                loss ? *loss : RowLosses{}, recipe ? *recipe : Recipe{});
    }

    std::size_t steps() const { return program_->steps(); }
    std::size_t lanes() const { return kernels_.of<T>().lanes; }
    double penalty() const { return program_->penalty(); }

    // `given` holds tuples (layer, arrays); `slot` is one of the optimizer's, or None for the weights
    // themselves.
    void load(std::optional<std::size_t> slot, const Arrays& given) {
        std::vector<Array<const T>> kept;
        std::vector<LayerArrays<const T>> layers;
        for (const nb::handle each : given) {
            layers.push_back({nb::cast<std::size_t>(each[0]), pointers<const T>(each[1], kept)});
        }
        program_->load(slot, layers);
    }
    void store(std::size_t layer, std::optional<std::size_t> slot, const Arrays& arrays) const {
        std::vector<Array<T>> kept;
        program_->weights(layer).store(slot, pointers<T>(arrays, kept));
    }
    void store_gradient(std::size_t layer, const Arrays& arrays) const {
        std::vector<Array<T>> kept;
        program_->weights(layer).store_gradient(pointers<T>(arrays, kept));
    }

    void predict(const Source<T>& X, Matrix<T> out) const {
        const Unlocked unlocked;
        program_->predict(rows_of(X), out.data());
    }
    nb::object predictor(nb::object otherwise) const {
        return bindings::predictor(std::shared_ptr<const Program<T>>(program_), otherwise);
    }
    // `networks` are of this class, compiled, and have the same inputs and outputs; there is at least one.
    static nb::object mean_predictor(const Arrays& networks, nb::object otherwise) {
        std::vector<std::shared_ptr<const Program<T>>> programs;
        for (const nb::handle each : networks) {
            programs.push_back(nb::cast<const Network&>(each).program_);
        }
        const auto mean = std::make_shared<const Mean<T>>(std::move(programs));
        return bindings::predictor(mean, otherwise);
    }
    nb::object job(std::size_t first) const { return bindings::job<T>(program_, dropouts_, first); }
    void losses(const Source<T>& X, const TargetArray<T>& y, Array<double, nb::ndim<1>> losses,
                std::optional<Matrix<T>> out) const {
        const Unlocked unlocked;
        const Rows<T> rows = rows_of(X);
        program_->losses({rows, targets_of(y), nullptr, rows.count}, losses.data(), data_or_null(out));
    }
    double gradients(const Source<T>& X, const TargetArray<T>& y, std::optional<List<T>> weights,
                     List<std::int64_t> order) {
        const Unlocked unlocked;
        return program_->gradients(
            {rows_of(X), targets_of(y), data_or_null(weights), order.data(), order.size(), order.size()});
    }
    std::size_t train(const Source<T>& X, const TargetArray<T>& y, std::optional<List<T>> weights,
                      List<std::int64_t> order, std::size_t batch_rows, List<double> rates,
                      std::optional<List<double>> penalty_scale, std::optional<List<double>> weight_decay,
                      std::optional<List<double>> dropout, std::size_t first,
                      Array<double, nb::ndim<1>> losses, std::optional<Matrix<T>> out) {
        Signals signals;
        std::size_t taken;
        {
            const Unlocked unlocked;
            const Batches<T> batches{rows_of(X),   targets_of(y), data_or_null(weights),
                                     order.data(), order.size(),  batch_rows};
            taken = program_->train(
                {batches, rates.data(), data_or_null(penalty_scale), data_or_null(weight_decay),
                 data_or_null(dropout), dropouts_, rates.size(), first, losses.data(), data_or_null(out)},
                std::ref(signals));
        }
        if (signals.interrupted) throw nb::python_error();
        return taken;
    }

private:
    // The addresses of the arrays of one layer, which `kept` keeps alive.
    template <class E>
    static PerArray<E*> pointers(nb::handle arrays, std::vector<Array<E>>& kept) {
        PerArray<E*> all{};
        std::size_t i = 0;
        for (const nb::handle each : arrays) {
            kept.push_back(nb::cast<Array<E>>(each, false));
            all.at(i++) = kept.back().data();
        }
        return all;
    }
    // What a spec's parameters say of training: (l1, l2, rate factor, decay factor) for each.
    static PerArray<Treatment<T>> treatments_of(const Arrays& given) {
        PerArray<Treatment<T>> all{};
        std::size_t i = 0;
        for (const nb::handle each : given) {
            const auto number = [&](std::size_t k) { return T(nb::cast<double>(each[k])); };
            all.at(i++) = {{number(0), number(1)}, number(2), number(3)};
        }
        return all;
    }
    void add(std::unique_ptr<Layer<T>> layer) {
        width_ = layer->units;
        trains_ |= layer->weights() != nullptr;
        layers_.push_back(std::move(layer));
    }

    const Kernels& kernels_;
    const std::size_t inputs_;
    std::size_t width_;
    bool trains_ = false;       // true if a layer so far does
    std::size_t dropouts_ = 0;  // the dropout layers so far
    Layers<T> layers_;
    std::shared_ptr<Program<T>> program_;
};

template <class T>
void bind_sparse(nb::module_& m, const char* name) {
    nb::class_<SparseMatrix<T>>(m, name).def(
        nb::init<List<T>, List<std::int32_t>, List<std::int64_t>, std::size_t>(), "values"_a, "numbers"_a,
        "starts"_a, "columns"_a);
}

template <class T>
void bind_network(nb::module_& m, const char* name) {
    using N = Network<T>;
    nb::class_<N>(m, name)
        .def(nb::init<std::string_view, std::size_t>(), "isa"_a, "inputs"_a)
        .def("dense", &N::dense, "units"_a, "curve"_a, "bias"_a, "treatments"_a)
        .def("activation", &N::activation, "curve"_a)
        .def("dropout", &N::dropout, "rate"_a, "stream"_a)
        .def("feature_scale", &N::feature_scale, "treatments"_a)
        .def("layer_norm", &N::layer_norm, "epsilon"_a, "scales"_a, "centers"_a, "treatments"_a)
        .def("parametric_activation", &N::parametric_activation, "curve"_a, "treatments"_a)
        .def("periodic", &N::periodic, "columns"_a, "frequencies"_a, "width"_a, "treatments"_a)
        .def("prelu", &N::prelu, "treatments"_a)
        .def("category_embedding", &N::category_embedding, "sizes"_a, "width"_a, "treatments"_a)
        .def("scale", &N::scale, "mean"_a, "deviation"_a)
        .def("compile", &N::compile, "head"_a, "loss"_a.none(), "recipe"_a.none())
        .def_prop_ro("steps", &N::steps)
        .def_prop_ro("lanes", &N::lanes)
        .def("penalty", &N::penalty)
        .def("load", &N::load, "slot"_a.none(), "layers"_a)
        .def("store", &N::store, "layer"_a, "slot"_a.none(), "arrays"_a)
        .def("store_gradient", &N::store_gradient, "layer"_a, "arrays"_a)
        .def("predict", &N::predict, "X"_a, "out"_a)
        .def("predictor", &N::predictor, "otherwise"_a)
        .def_static("mean_predictor", &N::mean_predictor, "networks"_a, "otherwise"_a)
        .def("job", &N::job, "first"_a)
        .def("losses", &N::losses, "X"_a, "y"_a, "losses"_a.noconvert(), "out"_a.noconvert().none())
        .def("gradients", &N::gradients, "X"_a, "y"_a, "weights"_a.none(), "order"_a)
        .def("train", &N::train, "X"_a, "y"_a, "weights"_a.none(), "order"_a, "batch_rows"_a, "rates"_a,
             "penalty_scale"_a.none(), "weight_decay"_a.none(), "dropout"_a.none(), "first"_a,
             "losses"_a.noconvert(), "out"_a.noconvert().none());
}

Curve curve(std::string_view activation, double alpha, const Groups& groups) {
    return {named<Activation>(activation), alpha, columns_of_groups(groups)};
}

RowLosses row_losses(std::string_view loss, bool from_logits, double label_smoothing, double parameter,
                     const Groups& groups) {
    return {{named<Loss>(loss), from_logits, label_smoothing, parameter}, columns_of_groups(groups)};
}

Recipe recipe(std::string_view optimizer, const nb::typed<nb::dict, nb::str, double>& given,
              std::size_t slots, std::uint64_t seed) {
    Recipe made{.rule = named<Rule>(optimizer), .slots = slots, .seed = seed};
    for (const auto& [key, value] : given) {
        const auto name = nb::cast<std::string_view>(key);
        const auto* const found = std::ranges::find(constants, name, &Constant::first);
        if (found == std::end(constants)) {
            throw std::invalid_argument("no optimizer has the constant '" + std::string(name) + "'");
        }
        made.*found->second = nb::cast<double>(value);
    }
    return made;
}

void bind_options(nb::module_& m) {
    nb::class_<Curve>(m, "Curve").def(nb::new_(&curve), "activation"_a, "alpha"_a, "groups"_a);
    nb::class_<RowLosses>(m, "LossOptions")
        .def(nb::new_(&row_losses), "loss"_a, "from_logits"_a, "label_smoothing"_a, "parameter"_a,
             "groups"_a);
    nb::class_<Recipe>(m, "Recipe").def(nb::new_(&recipe), "optimizer"_a, "constants"_a, "slots"_a, "seed"_a);
}

}  // namespace

void bind_networks(nb::module_& m) {
    bind_options(m);
    bind_sparse<float>(m, "Sparse32");
    bind_sparse<double>(m, "Sparse64");
    bind_network<float>(m, "Network32");
    bind_network<double>(m, "Network64");
}

}  // namespace fastdense::bindings
