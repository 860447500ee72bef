// The cores that this process may use. Both functions read them at each call: they may change meanwhile.
#pragma once

#include <filesystem>

namespace fastdense {

// The processors in the affinity mask or the CPU quota rounded up, whichever is fewer; at least 1.
int usable_cores();

// The tightest CPU quota of this process's control groups (version 1 or 2) and of all their ancestors, as a
// number of cores; infinity if there is none. `root` is where /proc and the group files are looked up.
double cgroup_cores(const std::filesystem::path& root = "/");

}  // namespace fastdense
