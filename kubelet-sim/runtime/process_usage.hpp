// What a process and its descendants use, as the kernel tells it in /proc.
#pragma once

#include <sys/types.h>

#include "kubelet_runtime/process_runtime.hpp"

namespace coracle::kubelet {

// All zero when it is gone.
Usage usage_of_tree(pid_t root);

}  // namespace coracle::kubelet
