// Predictions at the least overhead per call. Passing nanobind's arrays takes half a microsecond; here
// NumPy's C interface gives the matrix's address and shape, and makes the result.
#define FASTDENSE_IMPORTS_NUMPY
#include <nanobind/nanobind.h>

#include <algorithm>
#include <functional>

#include "bindings/bindings.h"
#include "bindings/gil.h"
#include "bindings/numpy.h"

namespace fastdense::bindings {

namespace nb = nanobind;
using namespace nb::literals;

namespace {

// For fewer multiply-adds than this, releasing the interpreter's lock takes longer than the work.
constexpr std::size_t unlocked_from = 1 << 17;

// Returns the array if it is a plain one with two axes, of this type and readable in place; otherwise null.
template <class T>
PyArrayObject* matrix(nb::handle object) {
    if (!PyArray_CheckExact(object.ptr())) return nullptr;
    auto* array = reinterpret_cast<PyArrayObject*>(object.ptr());
    const bool plain = PyArray_NDIM(array) == 2 && PyArray_TYPE(array) == type_number<T> &&
                       PyArray_CHKFLAGS(array, NPY_ARRAY_ALIGNED) && PyArray_ISNOTSWAPPED(array);
    return plain ? array : nullptr;
}

// Reads an array's rows. Returns false unless its strides are whole numbers of elements.
template <class T>
bool read(PyArrayObject* array, Rows<T>& rows) {
    const npy_intp *shape = PyArray_DIMS(array), *strides = PyArray_STRIDES(array);
    constexpr auto size = npy_intp(sizeof(T));
    if (strides[0] % size || strides[1] % size) return false;
    rows = {static_cast<const T*>(PyArray_DATA(array)), std::size_t(shape[0]), std::size_t(shape[1]),
            strides[0] / size, strides[1] / size};
    return true;
}

// Returns true if the two may share memory.
template <class T>
bool may_overlap(const Rows<T>& rows, const T* out, std::size_t count) {
    if (rows.count == 0 || rows.columns == 0) return false;
    const std::ptrdiff_t down = std::ptrdiff_t(rows.count - 1) * rows.row_step,
                         across = std::ptrdiff_t(rows.columns - 1) * rows.column_step;
    const T* first = rows.data + std::min<std::ptrdiff_t>(down, 0) + std::min<std::ptrdiff_t>(across, 0);
    const T* last = rows.data + std::max<std::ptrdiff_t>(down, 0) + std::max<std::ptrdiff_t>(across, 0);
    const std::less<const T*> before;
    return !before(last, out) && before(first, out + count);
}

// `P` is what predicts: a program, or the mean of several.
template <class T, template <class> class P>
class Predictor {
public:
    Predictor(std::shared_ptr<const P<T>> program, nb::object otherwise)
        : program_(std::move(program)), otherwise_(std::move(otherwise)) {}

    nb::object predict(nb::handle X, nb::handle out) const {
        PyArrayObject* array = matrix<T>(X);
        Rows<T> rows;
        if (!array || !read(array, rows) || rows.columns != program_->inputs()) return otherwise_(X, out);
        if (out.is_none()) {
            npy_intp shape[] = {npy_intp(rows.count), npy_intp(program_->outputs())};
            const nb::object made = nb::steal(PyArray_SimpleNew(2, shape, type_number<T>));
            if (!made.is_valid()) throw nb::python_error();
            run(rows, static_cast<T*>(PyArray_DATA(reinterpret_cast<PyArrayObject*>(made.ptr()))));
            return made;
        }
        PyArrayObject* given = matrix<T>(out);
        if (!given || !takes(given, rows)) return otherwise_(X, out);
        run(rows, static_cast<T*>(PyArray_DATA(given)));
        return nb::borrow(out);
    }

private:
    bool takes(PyArrayObject* out, const Rows<T>& rows) const {
        const std::size_t columns = program_->outputs();
        return PyArray_CHKFLAGS(out, NPY_ARRAY_CARRAY) && std::size_t(PyArray_DIM(out, 0)) == rows.count &&
               std::size_t(PyArray_DIM(out, 1)) == columns &&
               !may_overlap(rows, static_cast<const T*>(PyArray_DATA(out)), rows.count * columns);
    }

    void run(const Rows<T>& rows, T* out) const {
        if (rows.count * program_->work() < unlocked_from) return program_->predict(rows, out);
        const Unlocked unlocked;
        program_->predict(rows, out);
    }

    const std::shared_ptr<const P<T>> program_;
    const nb::object otherwise_;
};

template <class T, template <class> class P>
void bind(nb::module_& m, const char* name) {
    using Bound = Predictor<T, P>;
    nb::class_<Bound>(m, name).def("predict", &Bound::predict, "X"_a.none(), "out"_a = nb::none());
}

int import_numpy() {
    import_array1(-1);
    return 0;
}

}  // namespace

template <class T>
nb::object predictor(std::shared_ptr<const Program<T>> program, nb::object otherwise) {
    return nb::cast(Predictor<T, Program>(std::move(program), std::move(otherwise)));
}

template <class T>
nb::object predictor(std::shared_ptr<const Mean<T>> mean, nb::object otherwise) {
    return nb::cast(Predictor<T, Mean>(std::move(mean), std::move(otherwise)));
}

template nb::object predictor(std::shared_ptr<const Program<float>>, nb::object);
template nb::object predictor(std::shared_ptr<const Program<double>>, nb::object);
template nb::object predictor(std::shared_ptr<const Mean<float>>, nb::object);
template nb::object predictor(std::shared_ptr<const Mean<double>>, nb::object);

void bind_predictors(nb::module_& m) {
    if (import_numpy() != 0) throw nb::python_error();
    bind<float, Program>(m, "Predictor32");
    bind<double, Program>(m, "Predictor64");
    bind<float, Mean>(m, "MeanPredictor32");
    bind<double, Mean>(m, "MeanPredictor64");
}

}  // namespace fastdense::bindings
