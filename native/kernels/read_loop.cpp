// A loop that does nothing but read: the ceiling of whatever works on more numbers than fit in registers.
#include "kernels/kernels.h"

namespace fastdense::FASTDENSE_ISA {
namespace {

// Sums enough that the additions, of 3 to 4 cycles, wait for the loads and not for one another.
constexpr std::size_t sums = 8;

}  // namespace

template <class T>
double read_loop(const T* data, std::size_t count, std::size_t passes) {
    using V = Vector<T>;
    constexpr std::size_t block = sums * lanes<T>;
    const std::size_t blocks = count / block;
    V sum[sums] = {};
    for (std::size_t pass = 0; pass < passes; ++pass) {
        for (std::size_t b = 0; b < blocks; ++b) {
            const V* from = reinterpret_cast<const V*>(data + b * block);
#pragma GCC unroll 8
            for (std::size_t i = 0; i < sums; ++i) sum[i] += from[i];
        }
    }
    for (std::size_t i = 1; i < sums; ++i) sum[0] += sum[i];
    volatile V sink = sum[0];  // the loop's result is used
    (void)sink;
    return double(passes) * double(blocks * block * sizeof(T));
}

template double read_loop<float>(const float* data, std::size_t count, std::size_t passes);
template double read_loop<double>(const double* data, std::size_t count, std::size_t passes);

}  // namespace fastdense::FASTDENSE_ISA
