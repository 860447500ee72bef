// One dense layer as a function of arrays, for weights that are used once.
#pragma once

#include "engine/curve.h"
#include "engine/matrix.h"

namespace fastdense {

// out = g(A_in @ W + B), row by row; W is row-major, `bias` may be null.
template <class T>
void dense(const KernelsOf<T>& kernels, const Rows<T>& in, View<const T> W, const T* bias, const Curve& curve,
           T* out);

}  // namespace fastdense
