// One row of a table as the features that a network takes. Numbers are scaled here and all other cells are
// looked up among those met before; what is neither is asked of Python, which holds the definition.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "bindings/bindings.h"
#include "bindings/numpy.h"

namespace fastdense::bindings {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

// The features of at most this many different cells per column are remembered; others are asked of Python
// each time.
constexpr Py_ssize_t most_remembered = 4096;
// Beyond this a number is refused, by Python.
constexpr double largest = 1e300;

// The features of a column are at `places` in the matrix.
struct Column {
    nb::object name;
    std::vector<std::size_t> places;
    bool scales;  // whether it has one feature, a number less `center`, over `spread`, clipped
    double center, spread;
    nb::dict remembered;  // the features of texts and whole numbers, as bytes
};

class RowEncoder {
public:
    // `columns` holds (name, places, None or (center, spread)). `otherwise(column, cell)` returns the bytes
    // of a cell's features, float32, and `cells(row)` the cells of a row that is neither a dict, a list nor a
    // tuple, and raises for one that lacks a column.
    RowEncoder(const nb::object& columns, std::size_t features, nb::object otherwise, nb::object cells)
        : features_(features), otherwise_(std::move(otherwise)), cells_(std::move(cells)) {
        for (const nb::handle given : columns) {
            Column column{given[0], nb::cast<std::vector<std::size_t>>(given[1]), !given[2].is_none(), 0, 1,
                          {}};
            if (column.scales) {
                column.center = nb::cast<double>(given[2][0]);
                column.spread = nb::cast<double>(given[2][1]);
            }
            for (const std::size_t place : column.places) {
                if (place >= features_) throw nb::value_error("a feature's place is beyond the last one");
            }
            columns_.push_back(std::move(column));
        }
    }

    // Returns the features of a row, an array of shape (1, features).
    nb::object encode(nb::handle row) const {
        npy_intp shape[] = {1, npy_intp(features_)};
        const nb::object made = nb::steal(PyArray_ZEROS(2, shape, NPY_FLOAT, 0));
        if (!made.is_valid()) throw nb::python_error();
        auto* out = static_cast<float*>(PyArray_DATA(reinterpret_cast<PyArrayObject*>(made.ptr())));
        if (PyDict_CheckExact(row.ptr())) {
            encode_each(out, [&](const Column& column, std::size_t) -> nb::object {
                PyObject* cell = PyDict_GetItemWithError(row.ptr(), column.name.ptr());
                if (cell) return nb::borrow(cell);
                if (PyErr_Occurred()) throw nb::python_error();
                cells_(row);  // which raises
                throw nb::key_error("the row lacks a column");
            });
            return made;
        }
        const bool listed = PyList_CheckExact(row.ptr()) || PyTuple_CheckExact(row.ptr());
        const nb::object cells = listed ? nb::borrow(row) : cells_(row);
        if (std::size_t(nb::len(cells)) != columns_.size()) cells_(row);  // which raises
        encode_each(out, [&](const Column&, std::size_t i) { return nb::object(cells[i]); });
        return made;
    }

private:
    template <class Cell>
    void encode_each(float* out, Cell cell_of) const {
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            const Column& column = columns_[i];
            if (column.places.empty()) continue;
            const nb::object cell = cell_of(column, i);
            if (column.scales && scaled(column, cell, out[column.places[0]])) continue;
            const nb::object bytes = features_of(column, i, cell);
            const char* from = PyBytes_AsString(bytes.ptr());
            for (std::size_t k = 0; k < column.places.size(); ++k) {
                std::memcpy(out + column.places[k], from + k * sizeof(float), sizeof(float));
            }
        }
    }

    // Writes the feature of a number, or of a missing one, and returns true; false for other cells.
    static bool scaled(const Column& column, nb::handle cell, float& out) {
        double number;
        if (PyFloat_Check(cell.ptr())) {
            number = PyFloat_AsDouble(cell.ptr());
        } else if (PyLong_CheckExact(cell.ptr())) {
            number = PyLong_AsDouble(cell.ptr());
            if (number == -1 && PyErr_Occurred()) return PyErr_Clear(), false;
        } else if (cell.is_none()) {
            number = std::numeric_limits<double>::quiet_NaN();
        } else {
            return false;
        }
        if (std::fabs(number) > largest) return false;
        const double z = std::fmin(std::fmax((number + 0.0 - column.center) / column.spread, -1e100), 1e100);
        out = float(std::isnan(number) ? number : z / std::sqrt(1 + (z / 3) * (z / 3)));
        return true;
    }

    // Returns the bytes of a cell's features, remembered if the cell is a text or a whole number: no other
    // equal cell then means another thing, as True and 1.0 would.
    nb::object features_of(const Column& column, std::size_t i, nb::handle cell) const {
        const bool lasts = PyUnicode_CheckExact(cell.ptr()) || PyLong_CheckExact(cell.ptr());
        if (lasts) {
            PyObject* found = PyDict_GetItemWithError(column.remembered.ptr(), cell.ptr());
            if (found) return nb::borrow(found);
            if (PyErr_Occurred()) throw nb::python_error();
        }
        nb::object bytes = otherwise_(i, cell);
        if (!PyBytes_CheckExact(bytes.ptr()) ||
            std::size_t(PyBytes_Size(bytes.ptr())) != column.places.size() * sizeof(float)) {
            throw nb::type_error("a column's features are bytes, four for each");
        }
        if (lasts && PyDict_Size(column.remembered.ptr()) < most_remembered &&
            PyDict_SetItem(column.remembered.ptr(), cell.ptr(), bytes.ptr()) != 0) {
            throw nb::python_error();
        }
        return bytes;
    }

    const std::size_t features_;
    const nb::object otherwise_, cells_;
    std::vector<Column> columns_;
};

}  // namespace

void bind_rows(nb::module_& m) {
    nb::class_<RowEncoder>(m, "RowEncoder")
        .def(nb::init<const nb::object&, std::size_t, nb::object, nb::object>(), "columns"_a, "features"_a,
             "otherwise"_a, "cells"_a)
        .def("encode", &RowEncoder::encode, "row"_a.none());
}

}  // namespace fastdense::bindings
