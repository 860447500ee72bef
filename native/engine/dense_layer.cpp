// Runs a dense layer's products and activation.
#include "engine/dense_layer.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "engine/lane_dense.h"
#include "threads/pool.h"

namespace fastdense {

template <class T>
DenseLayer<T>::DenseLayer(const KernelsOf<T>& kernels, std::size_t inputs, std::size_t units, Curve curve,
                          bool has_bias, const PerArray<Treatment<T>>& treatments, bool passes_gradient)
    : Layer<T>(inputs, units),
      kernels_(kernels),
      weights_(kernels, inputs, units, has_bias, treatments),
      curve_(std::move(curve)),
      passes_gradient_(passes_gradient) {}

// Whole vectors are quicker to write than parts of them, and nothing else uses the gaps between rows.
template <class T>
static View<T> with_gaps(View<T> rows) {
    return {rows.data, rows.rows, rows.stride, rows.stride};
}

template <class T>
void DenseLayer<T>::product(const Input<T>& in, View<T> out, bool relu) const {
    const View<T> to = with_gaps(out);
    if (in.sparse) {
        kernels_.sparse_product({*in.sparse, this->inputs, weights_.panels(), this->units, to, relu});
    } else {
        kernels_.product({in.dense, weights_.panels(), this->units, to, relu});
    }
}

template <class T>
void DenseLayer<T>::predict(const Input<T>& in, View<T> out) const {
    const bool relu = curve_.kind == Activation::relu;
    product(in, out, relu);
    if (!relu) curve_.forward<T>(kernels_, out, out);
}

// Computes some units of each row, from the first column of a panel on.
template <class T>
void DenseLayer<T>::predict_units(View<const T> in, View<T> out, std::size_t column,
                                  std::size_t units) const {
    const bool relu = curve_.kind == Activation::relu;
    const View<T> room = with_gaps(out), here{out.data + column, out.rows, room.columns - column, out.stride};
    const T* panels = weights_.panels() + (this->inputs + 1) * column;
    kernels_.product({in, panels, units, here, relu});
    if (relu || curve_.mixes_columns()) return;
    for (std::size_t row = 0; row < out.rows; ++row) {
        T* a = here.data + row * out.stride;
        kernels_.activate({curve_.kind, T(curve_.alpha), 1, units, a, a});
    }
}

template <class T>
void DenseLayer<T>::predict_shared(View<const T> in, View<T> out, int threads) const {
    const std::size_t together = 4 * kernels_.panel_columns;  // the widest tile of a row
    std::atomic<std::size_t> next{0};
    const auto work = [&](int) {
        for (std::size_t column; (column = together * next.fetch_add(1)) < this->units;) {
            predict_units(in, out, column, std::min(together, this->units - column));
        }
    };
    this->units > together ? run_crowd(threads, work) : work(0);
    if (curve_.mixes_columns()) curve_.forward<T>(kernels_, out, out);
}

template <class T>
void DenseLayer<T>::prepare(std::size_t batch_rows) {
    if (curve_.needs_z()) z_ = Block<T>(batch_rows, this->units, kernels_.lanes);
    if (passes_gradient_) weights_.keep_transpose();
}

template <class T>
void DenseLayer<T>::forward(const Place& place, const Input<T>& in, View<T> out) {
    if (!curve_.needs_z()) return predict(in, out);
    const View<T> z = z_.rows(place.row, out.rows);
    product(in, z, false);
    curve_.forward<T>(kernels_, z, out);
}

template <class T>
void DenseLayer<T>::backward(const Place& place, View<const T>, View<const T> out, View<T> d_out,
                             View<T> d_in) {
    const T* z = curve_.needs_z() ? z_.rows(place.row, out.rows).data : nullptr;
    curve_.backward<T>(kernels_, z, out, d_out);
    if (d_in.data) kernels_.product({d_out, weights_.transposed(), this->inputs, with_gaps(d_in), false});
}

template <class T>
std::unique_ptr<LaneLayer<T>> DenseLayer<T>::in_lanes(const std::vector<Layer<T>*>& alike) {
    std::vector<DenseWeights<T>*> of_lanes;
    for (Layer<T>* each : alike) {
        auto* const layer = dynamic_cast<DenseLayer*>(each);
        if (!layer || layer->inputs != this->inputs || layer->units != this->units ||
            layer->curve_ != curve_ || layer->weights_.has_bias() != weights_.has_bias() ||
            layer->weights_.slots() != weights_.slots())
            return nullptr;
        of_lanes.push_back(&layer->weights_);
    }
    return std::make_unique<LaneDense<T>>(kernels_, of_lanes, curve_);
}

template class DenseLayer<float>;
template class DenseLayer<double>;

}  // namespace fastdense
