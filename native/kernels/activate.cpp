// The activations over whole arrays: elementwise ones straight through, softmax row by row.
#include "kernels/activations.h"
#include "kernels/softmax.h"
#include "kernels/whole_vectors.h"

namespace fastdense::FASTDENSE_ISA {
namespace {

template <class T, class G>
void forward(G, const Activate<T>& f) {
    const auto blocks = [alpha = f.alpha](const T* const(&in)[1], T* const(&out)[1], std::size_t count)
                            __attribute__((noinline)) {
                                for (std::size_t i = 0; i < count; i += lanes<T>)
                                    store(out[0] + i, G::forward(load(in[0] + i), alpha));
                            };
    in_whole_vectors<T, 1, 1>({f.z}, {f.a}, f.rows * f.columns, blocks);
}

template <class T>
void forward(Softmax<T>, const Activate<T>& f) {
    for (std::size_t row = 0; row < f.rows; ++row) {
        Softmax<T>::forward(f.z + row * f.columns, f.a + row * f.columns, f.columns);
    }
}

template <class T, class G>
void backward(G, const ActivateBackward<T>& b) {
    const auto blocks = [alpha = b.alpha](const T* const(&in)[3], T* const(&out)[1],
                                          std::size_t count) __attribute__((noinline)) {
        for (std::size_t i = 0; i < count; i += lanes<T>) {
            store(out[0] + i, load(in[2] + i) * G::slope(load(in[0] + i), load(in[1] + i), alpha));
        }
    };
    in_whole_vectors<T, 3, 1>({b.z, b.a, b.da}, {b.dz}, b.rows * b.columns, blocks);
}

template <class T>
void backward(Softmax<T>, const ActivateBackward<T>& b) {
    for (std::size_t row = 0; row < b.rows; ++row) {
        const std::size_t start = row * b.columns;
        Softmax<T>::backward(b.a + start, b.da + start, b.dz + start, b.columns);
    }
}

}  // namespace

template <class T>
void activate(const Activate<T>& f) {
    switch (f.activation) {
#define ACTIVATION(name, Definition, ...) \
    case Activation::name:                \
        return forward(Definition<T>{}, f);
#include "kernels/activations.inc"
    }
}

template <class T>
void activate_backward(const ActivateBackward<T>& b) {
    switch (b.activation) {
#define ACTIVATION(name, Definition, ...) \
    case Activation::name:                \
        return backward(Definition<T>{}, b);
#include "kernels/activations.inc"
    }
}

template void activate(const Activate<float>& f);
template void activate(const Activate<double>& f);
template void activate_backward(const ActivateBackward<float>& b);
template void activate_backward(const ActivateBackward<double>& b);

}  // namespace fastdense::FASTDENSE_ISA
