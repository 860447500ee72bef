// The table of one instruction set's kernels.
#include "kernels/tile.h"

#define FASTDENSE_QUOTE(name) #name
#define FASTDENSE_NAME(name) FASTDENSE_QUOTE(name)

namespace fastdense::FASTDENSE_ISA {

template <class T>
inline constexpr KernelsOf<T> kernels_of{
    .lanes = lanes<T>,
    .panel_columns = panel_columns<T>,
#define KERNEL(name, ...) .name = name<T>,
#include "kernels/kernels.inc"
};

extern const Kernels kernels;
constinit const Kernels kernels{
    .isa = FASTDENSE_NAME(FASTDENSE_ISA),
    .dropout_mask = dropout_mask,
    .f32 = kernels_of<float>,
    .f64 = kernels_of<double>,
};

}  // namespace fastdense::FASTDENSE_ISA
