// The Runtime port: what a pod's machine asks of what really runs its containers, and what it is
// told back. The machine is pure: it returns wishes and is given what was seen. A scripted
// container asks nothing; a process asks for everything (docs/kubelet-sim.md).
//
// Every wish is answered once: kPull by kPulled, kPrepare by kPrepared or kNotPrepared, kStart by
// kStarted, kRefused or kBroken, kProbe and kHook by their kind. kExited comes once for every run
// that was started, or terminated before it was. `run` is the number of the container's run; what
// is seen of an earlier run is ignored.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace coracle::kubelet {

struct PodEvent {
  bool warning = false;
  std::string reason, message, field_path;
};

enum class ProbeKind { kStartup, kLiveness, kReadiness };
enum class HookKind { kPostStart, kPreStop };
inline constexpr int kProbeKinds = 3;

struct Wish {
  enum class Kind {
    kPrepare,  // of the pod: volumes and files; also tells which containers' sources are there
    kPull,     // may the image be pulled? Only of registries that ask for credentials
    kStart,
    kTerminate,  // the stop signal
    kKill,       // SIGKILL, to all of its processes
    kProbe,
    kHook,
  };
  Kind kind = Kind::kPrepare;
  std::string container;  // empty with kPrepare
  int run = 0;
  ProbeKind probe = ProbeKind::kStartup;
  HookKind hook = HookKind::kPostStart;
};

struct Seen {
  enum class Kind {
    kPrepared,
    kNotPrepared,  // message; the machine asks again
    kPulled,       // good, message
    kStarted,
    kRefused,  // reason and message of the waiting state; the machine asks again
    kBroken,   // the command cannot be run: exit_code, reason, message
    kExited,   // exit_code, reason if it is neither Completed nor Error, message of its termination
    kProbe,    // good, message
    kHook,     // good, message
  };
  Kind kind = Kind::kPrepared;
  std::string container;
  int run = 0;
  bool good = true;
  int exit_code = 0;
  std::string reason, message;
  ProbeKind probe = ProbeKind::kStartup;
  HookKind hook = HookKind::kPostStart;
  std::vector<PodEvent> events = {};  // to be reported along with it
};

// What a step of a machine asks its driver to do.
struct Effects {
  std::vector<PodEvent> events;
  std::vector<Wish> wishes;
};

}  // namespace coracle::kubelet
