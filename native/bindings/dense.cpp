// The dense layer as a function of NumPy arrays.
#include "engine/dense.h"

#include <nanobind/stl/string_view.h>

#include <string_view>

#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "bindings/gil.h"
#include "bindings/names.h"
#include "kernels/choose.h"

namespace fastdense::bindings {

using namespace nb::literals;

namespace {

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
void bind(nb::module_& m) {
    m.def("dense", &dense<T>, "isa"_a, "A_in"_a.noconvert(), "W"_a.noconvert(), "B"_a.noconvert().none(),
          "activation"_a, "alpha"_a, "out"_a.noconvert());
}

}  // namespace

void bind_dense(nb::module_& m) {
    bind<float>(m);
    bind<double>(m);
}

}  // namespace fastdense::bindings
