// NumPy arrays as nanobind passes them to the bindings.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/variant.h>

#include <optional>
#include <variant>

#include "engine/program.h"

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

// A sparse matrix in compressed rows; it keeps the arrays that it was made from alive.
template <class T>
struct SparseMatrix {
    List<T> values;
    List<std::int32_t> numbers;
    List<std::int64_t> starts;
    std::size_t columns;
};

template <class T>
using Source = std::variant<const SparseMatrix<T>*, AnyMatrix<T>>;

template <class T>
Rows<T> rows_of(const Source<T>& source) {
    if (const auto* dense = std::get_if<AnyMatrix<T>>(&source)) return rows_of(*dense);
    const SparseMatrix<T>& sparse = *std::get<const SparseMatrix<T>*>(source);
    return {sparse.values.data(),  sparse.starts.size() - 1, sparse.columns, 0, 0,
            sparse.numbers.data(), sparse.starts.data()};
}

// A matrix of targets, or class numbers.
template <class T>
using TargetArray = std::variant<List<std::int64_t>, AnyMatrix<T>>;

template <class T>
Targets<T> targets_of(const TargetArray<T>& y) {
    if (const auto* labels = std::get_if<List<std::int64_t>>(&y)) return {{}, labels->data()};
    return {rows_of(std::get<AnyMatrix<T>>(y)), nullptr};
}

template <class A>
auto data_or_null(const std::optional<A>& array) {
    return array ? array->data() : nullptr;
}

}  // namespace fastdense::bindings
