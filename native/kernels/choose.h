// Chooses among the tables of kernels that this processor can run.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/table.h"

namespace fastdense {

// The instruction sets that this processor and its operating system offer, named as in /proc/cpuinfo on x86
// ("sse2", "avx2", "fma", "avx512f"); "neon" on 64-bit ARM.
std::vector<std::string_view> instruction_sets();

// Best first; never empty.
const std::vector<const Kernels*>& runnable_kernels();

// Throws std::invalid_argument if no such kernels run here.
const Kernels& kernels_for(std::string_view isa);

}  // namespace fastdense
