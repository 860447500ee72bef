// Counts the processors of the affinity mask (Linux) or of the machine (elsewhere).
#include "threads/cores.h"

#include <algorithm>
#include <cmath>
#include <thread>

#ifdef __linux__
#include <sched.h>

#include <cerrno>
#endif

namespace fastdense {
namespace {

int all_cores() {
    return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

#ifdef __linux__
int cores_in_mask() {
    // The kernel answers EINVAL while the mask is smaller than its own; a fixed cpu_set_t ends at 1024.
    for (int processors = CPU_SETSIZE; processors <= 1 << 20; processors *= 2) {
        cpu_set_t* mask = CPU_ALLOC(processors);
        if (mask == nullptr) break;
        const auto bytes = CPU_ALLOC_SIZE(processors);
        const int failed = sched_getaffinity(0, bytes, mask);
        const int error = errno;
        const int count = failed ? 0 : CPU_COUNT_S(bytes, mask);
        CPU_FREE(mask);
        if (!failed) return count;
        if (error != EINVAL) break;
    }
    return all_cores();
}
#else
int cores_in_mask() {
    return all_cores();
}
#endif

}  // namespace

int usable_cores() {
    const double granted = std::min<double>(cores_in_mask(), std::ceil(cgroup_cores()));
    return std::max(1, static_cast<int>(granted));
}

}  // namespace fastdense
