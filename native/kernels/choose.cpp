// Gathers the tables compiled in and keeps those that this processor runs.
#include "kernels/choose.h"

#include <stdexcept>
#include <string>

#include "kernels/isa.h"

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

namespace {

const Kernels* const compiled[] = {// best first
#if defined(__x86_64__)
                                   &avx512::kernels, &avx2::kernels, &sse2::kernels,
#elif defined(__aarch64__)
                                   &neon::kernels,
#endif
                                   &scalar::kernels};

}  // namespace

const std::vector<const Kernels*>& runnable_kernels() {
    static const auto runnable = [] {
        std::vector<const Kernels*> kept;
        for (const Kernels* kernels : compiled) {
            if (runs(kernels->isa)) kept.push_back(kernels);
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
