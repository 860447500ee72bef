// The table of one instruction set's kernels.
#include "kernels/tile.h"

#define FASTDENSE_QUOTE(name) #name
#define FASTDENSE_NAME(name) FASTDENSE_QUOTE(name)

namespace fastdense::FASTDENSE_ISA {

template <class T>
inline constexpr KernelsOf<T> kernels_of{
    .lanes = lanes<T>,
    .panel_columns = panel_columns<T>,
    .fma_loop = fma_loop<T>,
    .read_loop = read_loop<T>,
    .activate = activate<T>,
    .activate_backward = activate_backward<T>,
    .panels_size = panels_size<T>,
    .pack = pack<T>,
    .unpack = unpack<T>,
    .transpose = transpose<T>,
    .product = product<T>,
    .sparse_product = sparse_product<T>,
    .stream = stream<T>,
    .update = update<T>,
    .step = step<T>,
    .losses = losses<T>,
};

extern const Kernels kernels;
constinit const Kernels kernels{
    .isa = FASTDENSE_NAME(FASTDENSE_ISA),
    .dropout_mask = dropout_mask,
    .f32 = kernels_of<float>,
    .f64 = kernels_of<double>,
};

}  // namespace fastdense::FASTDENSE_ISA
