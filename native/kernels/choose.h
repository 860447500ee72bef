// Chooses among the tables of kernels that this processor can run.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/table.h"

namespace fastdense {

// Best first; never empty.
const std::vector<const Kernels*>& runnable_kernels();

// Throws std::invalid_argument if no such kernels run here.
const Kernels& kernels_for(std::string_view isa);

}  // namespace fastdense
