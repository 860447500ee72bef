// Runs a dense layer on weights as the caller stores them.
#include "engine/dense.h"

#include <vector>

#include "engine/blocks.h"

namespace fastdense {
namespace {

// From this many rows on it pays to put the weights into panels first.
constexpr std::size_t packed_from = 13;

template <class T>
void few(const KernelsOf<T>& kernels, const Rows<T>& in, View<const T> W, const T* bias, View<T> out) {
    const Block<T> room(in.count, W.rows, kernels.lanes);
    kernels.stream({in.view(nullptr, 0, room.all()), W, bias, out});
}

}  // namespace

template <class T>
void dense(const KernelsOf<T>& kernels, const Rows<T>& in, View<const T> W, const T* bias, const Curve& curve,
           T* out) {
    if (in.count < packed_from) {
        const View<T> to{out, in.count, W.columns, W.columns};
        few(kernels, in, W, bias, to);
        return curve.forward<T>(kernels, to, to);
    }
    const Blocks blocks(in.count, in.count * W.rows * W.columns);
    const bool relu = curve.kind == Activation::relu;
    const Buffer<T> panels(kernels.panels_size(W.rows, W.columns));
    kernels.pack({W.data, bias, W.rows, W.columns, W.stride}, panels.data());
    std::vector<Block<T>> rooms;
    for (int thread = 0; thread < blocks.threads; ++thread) {
        rooms.emplace_back(blocks.rows, W.rows, kernels.lanes);
    }
    blocks.each([&](int thread, std::size_t first, std::size_t count) {
        const View<T> to{out + first * W.columns, count, W.columns, W.columns};
        const View<const T> a = in.view(nullptr, first, rooms[thread].rows(0, count));
        kernels.product({a, panels.data(), W.columns, to, relu});
        if (!relu) curve.forward<T>(kernels, to, to);
    });
}

template void dense(const KernelsOf<float>&, const Rows<float>&, View<const float>, const float*,
                    const Curve&, float*);
template void dense(const KernelsOf<double>&, const Rows<double>&, View<const double>, const double*,
                    const Curve&, double*);

}  // namespace fastdense
