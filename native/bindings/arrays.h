// NumPy arrays as nanobind hands them to the bindings.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>

#include <optional>

#include "engine/matrix.h"

namespace fastdense::bindings {

namespace nb = nanobind;

template <class T, class... Config>
using Array = nb::ndarray<T, nb::numpy, nb::c_contig, nb::device::cpu, Config...>;
template <class T>
using Matrix = Array<T, nb::ndim<2>>;
template <class T>
using AnyMatrix = nb::ndarray<const T, nb::ndim<2>, nb::device::cpu>;  // any strides
template <class T>
using List = Array<const T, nb::ndim<1>>;

template <class T>
Rows<T> rows_of(const AnyMatrix<T>& matrix) {
    return {matrix.data(), matrix.shape(0), matrix.shape(1), matrix.stride(0), matrix.stride(1)};
}

template <class A>
auto data_or_null(const std::optional<A>& array) {
    return array ? array->data() : nullptr;
}

}  // namespace fastdense::bindings
