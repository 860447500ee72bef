// NumPy arrays as nanobind hands them to the bindings.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

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

}  // namespace fastdense::bindings
