// Runs a dense layer of several programs, in the order of sums of DenseLayer.
#include "engine/lane_dense.h"

namespace fastdense {

template <class T>
LaneDense<T>::LaneDense(const KernelsOf<T>& kernels, const std::vector<DenseWeights<T>*>& of_lanes,
                        const Curve& curve)
    : LaneLayer<T>(of_lanes.front()->inputs(), of_lanes.front()->units()),
      kernels_(kernels),
      weights_(kernels, of_lanes),
      curve_(kernels, curve, this->units) {}

template <class T>
void LaneDense<T>::prepare(std::size_t rows) {
    curve_.prepare(rows);
    if (curve_.curve().needs_z()) z_ = Buffer<T>(rows * this->units * kernels_.lanes);
}

template <class T>
void LaneDense<T>::forward(const LanePlace& place, const LaneInput<T>& in, T* out) {
    const bool relu = curve_.curve().kind == Activation::relu;
    T* z = curve_.curve().needs_z() ? z_.data() : out;
    kernels_.lane_product({place.rows,
                           this->units,
                           this->inputs,
                           in.rows,
                           weights_.kernel(),
                           weights_.bias(),
                           {z, this->units * kernels_.lanes, kernels_.lanes},
                           in.shared,
                           relu});
    if (!relu) curve_.forward(z, out, place.rows);
}

template <class T>
void LaneDense<T>::backward(const LanePlace& place, const LaneInput<T>& in, const T* out, T* d_out, T* d_in) {
    curve_.backward(curve_.curve().needs_z() ? z_.data() : nullptr, out, d_out, place.rows);
    weights_.add_gradient(place.rows, in.rows, in.shared, d_out);
    if (!d_in) return;
    const LaneMatrix<const T> kernel = weights_.kernel();
    const std::size_t lanes = kernels_.lanes;
    kernels_.lane_product({place.rows,
                           this->inputs,
                           this->units,
                           {d_out, this->units * lanes, lanes},
                           {kernel.data, kernel.column, kernel.row},
                           {},
                           {d_in, this->inputs * lanes, lanes},
                           false,
                           false});
}

template class LaneDense<float>;
template class LaneDense<double>;

}  // namespace fastdense
