// How many cores this process may really use.
#pragma once

namespace fastdense {

// The processors in the affinity mask, or the control groups' CPU quota rounded up, whichever is fewer;
// at least 1. Read at each call: both may change while the process runs.
int usable_cores();

}  // namespace fastdense
