// A loop that does nothing but multiply-adds: the ceiling that every kernel is measured against.
#include "kernels/kernels.h"

namespace fastdense::FASTDENSE_ISA {
namespace {

// Chains enough to cover latency times units: 4 cycles x 2 units on x86 since Haswell and Zen, 4 x 4 on
// Apple's cores. Two more registers hold the constants. (Without a fused multiply-add the two roundings are a
// chain of 8 cycles, and a processor with two units for each would need 16 chains; those that lack the fused
// instruction have one of each.)
constexpr std::size_t chains = vector_registers == 32 ? 16 : 12;

}  // namespace

template <class T>
double fma_loop(std::size_t steps) {
    using V = Vector<T>;
    // x <- x * scale + shift tends to 1 from anywhere: no overflow, no subnormals, nothing to fold away.
    volatile T fraction = T(0.25);
    const V scale = V{} + fraction;
    const V shift = V{} + (T(1) - fraction);
    V x[chains];
    for (std::size_t i = 0; i < chains; ++i) x[i] = V{} + T(i);
    for (std::size_t step = 0; step < steps; ++step) {
#pragma GCC unroll 16
        for (std::size_t i = 0; i < chains; ++i) x[i] = x[i] * scale + shift;
    }
    V sum{};
    for (std::size_t i = 0; i < chains; ++i) sum += x[i];
    volatile V sink = sum;  // the loop's result is used
    (void)sink;
    return 2.0 * double(steps) * double(chains * lanes<T>);
}

template double fma_loop<float>(std::size_t steps);
template double fma_loop<double>(std::size_t steps);

}  // namespace fastdense::FASTDENSE_ISA
