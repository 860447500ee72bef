// Asks the processor through the compiler's run-time library, which also checks that the operating system
// saves the wider registers.
#include "kernels/isa.h"

#include <algorithm>
#include <initializer_list>

namespace fastdense {

std::vector<std::string_view> instruction_sets() {
    std::vector<std::string_view> found;
#if defined(__x86_64__)
    __builtin_cpu_init();
    // The builtin takes literals only.
#define FASTDENSE_ADD(name) \
    if (__builtin_cpu_supports(name)) found.emplace_back(name)
    FASTDENSE_ADD("sse2");
    FASTDENSE_ADD("avx");
    FASTDENSE_ADD("avx2");
    FASTDENSE_ADD("fma");
    FASTDENSE_ADD("avx512f");
    FASTDENSE_ADD("avx512bw");
    FASTDENSE_ADD("avx512dq");
    FASTDENSE_ADD("avx512vl");
#undef FASTDENSE_ADD
#elif defined(__aarch64__)
    found.emplace_back("neon");  // part of the base architecture
#endif
    return found;
}

namespace {

bool offers(std::initializer_list<std::string_view> needed) {
    const auto found = instruction_sets();
    return std::all_of(needed.begin(), needed.end(), [&](std::string_view name) {
        return std::find(found.begin(), found.end(), name) != found.end();
    });
}

}  // namespace

bool runs(std::string_view isa) {  // what each needs is what CMakeLists.txt compiles it with
    if (isa == "scalar") return true;
    if (isa == "avx2") return offers({"avx2", "fma"});
    if (isa == "avx512") return offers({"avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl"});
    return offers({isa});
}

}  // namespace fastdense
