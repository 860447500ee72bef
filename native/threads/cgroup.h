// The CPU time that the container or service manager grants, in cores.
#pragma once

#include <filesystem>

namespace fastdense {

// The tightest CPU quota of this process's control groups (version 1 or 2) and of all their ancestors, as a
// number of cores; infinity if there is none. `root` is where /proc and the group files are looked up.
double cgroup_cores(const std::filesystem::path& root = "/");

}  // namespace fastdense
