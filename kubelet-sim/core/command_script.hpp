// What a container's command would do, guessed from its text by the scripted runtime: how long it
// runs, how it ends, what it prints. Pure. It knows the commands course material uses: sleep, exit,
// true, false, echo, loops. A program it does not know runs for ever where it is restarted anyway,
// and ends after half a second where it is not (a Job's worker).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "kubelet/image_catalog.hpp"

namespace coracle::kubelet {

struct Script {
  std::optional<Duration> run_for;  // nothing: until it is stopped
  int exit_code = 0;
  std::vector<std::string> output;
};

// `command` and `args` of the container, as the pod's spec has them.
Script script_of(const ImageBehaviour& image, const std::vector<std::string>& command,
                 const std::vector<std::string>& args, bool always_restarted);

}  // namespace coracle::kubelet
