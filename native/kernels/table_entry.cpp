// The table of one instruction set's kernels.
#include "kernels/kernels.h"

#define FASTDENSE_QUOTE(name) #name
#define FASTDENSE_NAME(name) FASTDENSE_QUOTE(name)

namespace fastdense::FASTDENSE_ISA {

extern const Kernels kernels;
constinit const Kernels kernels{
    .isa = FASTDENSE_NAME(FASTDENSE_ISA),
    .fma_loop_f32 = fma_loop_f32,
    .fma_loop_f64 = fma_loop_f64,
    .dropout_mask = dropout_mask,
    .activate_f32 = activate<float>,
    .activate_f64 = activate<double>,
    .activate_backward_f32 = activate_backward<float>,
    .activate_backward_f64 = activate_backward<double>,
};

}  // namespace fastdense::FASTDENSE_ISA
