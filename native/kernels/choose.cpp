// Gathers the tables compiled in and keeps those that this processor runs.
#include "kernels/choose.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace fastdense {

#define FASTDENSE_DECLARE(isa)    \
    namespace isa {               \
    extern const Kernels kernels; \
    }
#if defined(__x86_64__)
FASTDENSE_DECLARE(avx512)
FASTDENSE_DECLARE(avx2)
FASTDENSE_DECLARE(sse2)
#elif defined(__aarch64__)
FASTDENSE_DECLARE(neon)
#endif
FASTDENSE_DECLARE(scalar)
#undef FASTDENSE_DECLARE

// Asks the processor through the compiler's run-time library, which also checks that the operating system
// saves the wider registers.
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

const std::vector<const Kernels*>& runnable_kernels() {
    struct Build {
        const Kernels& kernels;
        std::vector<std::string_view> needs;  // what CMakeLists.txt compiles it with
    };
    static const auto runnable = [] {
        const Build best_first[] = {
#if defined(__x86_64__)
            {avx512::kernels, {"avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl"}},
            {avx2::kernels, {"avx2", "fma"}},
            {sse2::kernels, {"sse2"}},
#elif defined(__aarch64__)
            {neon::kernels, {"neon"}},
#endif
            {scalar::kernels, {}}};
        const auto offered = instruction_sets();
        const auto is_offered = [&](auto name) { return std::ranges::count(offered, name) > 0; };
        std::vector<const Kernels*> kept;
        for (const Build& build : best_first) {
            if (std::ranges::all_of(build.needs, is_offered)) kept.push_back(&build.kernels);
        }
        return kept;
    }();
    return runnable;
}

const Kernels& kernels_for(std::string_view isa) {
    std::string names;
    for (const Kernels* kernels : runnable_kernels()) {
        if (kernels->isa == isa) return *kernels;
        names += (names.empty() ? "" : ", ") + std::string(kernels->isa);
    }
    throw std::invalid_argument("isa must be one that runs on this processor (" + names + "), not '" +
                                std::string(isa) + "'");
}

}  // namespace fastdense
