"""CPU quotas, read from made-up trees of the files that Linux publishes.

They can only be tested on the compiled module itself: a real quota needs an administrator.
"""

import math

import pytest

from fastdense.native._core import cgroup_cores

V2 = "30 20 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = (
    "31 20 0:28 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
    "32 20 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
)


@pytest.fixture
def cores(tmp_path):
    """Return a function that writes a tree of files and reads its quota."""

    def read(groups, mounts, files):
        for name, text in ({"proc/self/cgroup": groups, "proc/self/mountinfo": mounts} | files).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return cgroup_cores(str(tmp_path))

    return read


def test_version_2(cores):
    assert cores("0::/job\n", V2, {"sys/fs/cgroup/job/cpu.max": "150000 100000\n"}) == 1.5


def test_version_2_without_a_limit(cores):
    assert cores("0::/job\n", V2, {"sys/fs/cgroup/job/cpu.max": "max 100000\n"}) == math.inf


def test_the_tightest_ancestor_counts(cores):
    files = {
        "sys/fs/cgroup/a/cpu.max": "200000 100000\n",
        "sys/fs/cgroup/a/b/cpu.max": "max 100000\n",
        "sys/fs/cgroup/a/b/c/cpu.max": "400000 100000\n",
    }
    assert cores("0::/a/b/c\n", V2, files) == 2


def test_version_1(cores):
    group = "sys/fs/cgroup/cpu,cpuacct/job"
    files = {f"{group}/cpu.cfs_quota_us": "25000\n", f"{group}/cpu.cfs_period_us": "50000\n"}
    assert cores("5:cpuset:/\n4:cpu,cpuacct:/job\n", V1, files) == 0.5


def test_version_1_without_a_limit(cores):
    group = "sys/fs/cgroup/cpu,cpuacct/job"
    files = {f"{group}/cpu.cfs_quota_us": "-1\n", f"{group}/cpu.cfs_period_us": "100000\n"}
    assert cores("4:cpu,cpuacct:/job\n", V1, files) == math.inf


def test_a_container_that_sees_its_own_group_as_the_root(cores):
    mounts = V1.replace("0:29 /", "0:29 /docker/1234")
    group = "sys/fs/cgroup/cpu,cpuacct"
    files = {f"{group}/cpu.cfs_quota_us": "300000\n", f"{group}/cpu.cfs_period_us": "100000\n"}
    assert cores("4:cpu,cpuacct:/docker/1234\n", mounts, files) == 3


def test_a_system_without_control_groups(cores):
    assert cores("", "", {}) == math.inf
