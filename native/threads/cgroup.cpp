// Reads CPU quotas as control groups publish them: cpu.max (version 2), cpu.cfs_*_us (version 1).
#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "threads/cores.h"

namespace fastdense {
namespace {

namespace fs = std::filesystem;

constexpr double unlimited = std::numeric_limits<double>::infinity();

bool lists_cpu(const std::string& controllers) {
    return ("," + controllers + ",").find(",cpu,") != std::string::npos;
}

std::vector<std::string> words(const std::string& line) {
    std::istringstream stream(line);
    std::vector<std::string> found;
    for (std::string word; stream >> word;) found.push_back(word);
    return found;
}

// Where the groups of one hierarchy are mounted, and the group that is mounted there.
struct Mount {
    fs::path point;
    fs::path group;
};

// A line of mountinfo: "id parent device group point options [tags...] - type source super-options".
std::optional<Mount> cpu_mount(const std::string& line, bool version2) {
    const auto fields = words(line);
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (dash - fields.begin() < 6 || fields.end() - dash < 4) return std::nullopt;
    const bool matches = version2 ? dash[1] == "cgroup2" : dash[1] == "cgroup" && lists_cpu(dash[3]);
    return matches ? std::optional<Mount>({fields[4], fields[3]}) : std::nullopt;
}

// The quota set on one group itself. A missing file means that the group sets none.
double group_quota(const fs::path& group) {
    double quota = 0, period = 0;
    if (std::ifstream(group / "cpu.max") >> quota >> period) {  // "max 100000" fails to parse: no limit
        return period > 0 ? quota / period : unlimited;
    }
    std::ifstream(group / "cpu.cfs_quota_us") >> quota;
    std::ifstream(group / "cpu.cfs_period_us") >> period;
    return quota > 0 && period > 0 ? quota / period : unlimited;  // -1: no limit
}

// In a container the mount may show only the process's own group while `group` is still its outside path;
// the part they share is dropped, and whatever of the rest does not exist is skipped.
double tightest_quota(const fs::path& root, const Mount& mount, const fs::path& group) {
    fs::path below = group.lexically_relative(mount.group);
    if (below.empty() || *below.begin() == "..") below = group.relative_path();
    fs::path directory = root / mount.point.relative_path();
    double quota = group_quota(directory);
    for (const auto& part : below) {
        directory /= part;
        quota = std::min(quota, group_quota(directory));
    }
    return quota;
}

}  // namespace

double cgroup_cores(const fs::path& root) {
    double cores = unlimited;
    std::ifstream groups(root / "proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {  // "hierarchy:controllers:group"
        const auto first = line.find(':'), second = line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const auto controllers = line.substr(first + 1, second - first - 1);
        if (!controllers.empty() && !lists_cpu(controllers)) continue;
        std::ifstream mounts(root / "proc/self/mountinfo");
        for (std::string entry; std::getline(mounts, entry);) {
            if (const auto mount = cpu_mount(entry, controllers.empty())) {
                cores = std::min(cores, tightest_quota(root, *mount, line.substr(second + 1)));
            }
        }
    }
    return cores;
}

}  // namespace fastdense
