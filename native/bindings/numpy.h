// NumPy's C interface, by which an array's address takes nanoseconds to read. One file imports it for all.
#pragma once

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL fastdense_numpy
#ifndef FASTDENSE_IMPORTS_NUMPY
#define NO_IMPORT_ARRAY
#endif
#include <nanobind/nanobind.h>
#include <numpy/arrayobject.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace fastdense::bindings {

namespace nb = nanobind;

template <class T>
constexpr int type_number = std::is_same_v<T, float>    ? NPY_FLOAT
                            : std::is_same_v<T, double> ? NPY_DOUBLE
                                                        : NPY_INT64;

// A plain array's numbers: aligned, in one piece, of this type.
template <class T>
struct Numbers {
    T* data = nullptr;
    std::size_t count = 0;
};

// Returns the numbers of an array, or of None, which has none. Throws Python's TypeError unless it is a
// plain one.
template <class T>
Numbers<T> numbers(nb::handle object) {
    if (object.is_none()) return {};
    using Number = std::remove_const_t<T>;
    if (!PyArray_Check(object.ptr())) throw nb::type_error("an array of NumPy's or None is needed");
    auto* array = reinterpret_cast<PyArrayObject*>(object.ptr());
    const bool plain = PyArray_EquivTypenums(PyArray_TYPE(array), type_number<Number>) &&
                       PyArray_ISNOTSWAPPED(array) &&
                       PyArray_CHKFLAGS(array, std::is_const_v<T> ? NPY_ARRAY_CARRAY_RO : NPY_ARRAY_CARRAY);
    if (!plain) throw nb::type_error("an array is not plain, or not of the type that is needed");
    return {static_cast<T*>(PyArray_DATA(array)), std::size_t(PyArray_SIZE(array))};
}

// The same for an array that must have `count` numbers, or be None.
template <class T>
T* numbers(nb::handle object, std::size_t count) {
    const Numbers<T> found = numbers<T>(object);
    if (found.data && found.count != count) throw nb::value_error("an array has another size than needed");
    return found.data;
}

}  // namespace fastdense::bindings
