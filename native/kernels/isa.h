// The instruction sets that this processor and its operating system offer.
#pragma once

#include <string_view>
#include <vector>

namespace fastdense {

// Names as /proc/cpuinfo has them on x86 ("sse2", "avx2", "fma", "avx512f"); "neon" on 64-bit ARM.
std::vector<std::string_view> instruction_sets();

// Whether the kernels built as `isa` ("avx512", "avx2", "sse2", "neon", "scalar") run here.
bool runs(std::string_view isa);

}  // namespace fastdense
