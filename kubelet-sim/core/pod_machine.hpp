// PodMachine: a pod's life on its node: init containers in turn, containers, restarts, deletion.
// Pure: a pod object and time in, status, events and "it is gone" out (upstream: kubelet's pod
// worker, status generation as in pkg/kubelet/kubelet_pods.go).
//
// Owner: the node's driver. Invariant: the phase never leaves Succeeded or Failed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "kubelet/container_machine.hpp"
#include "kubelet/image_catalog.hpp"

namespace coracle::kubelet {

struct PodPlace {
  std::string host_ip, pod_ip;
};

struct PodStep {
  bool changed = false;  // status() tells something new
  std::vector<PodEvent> events;
  std::optional<TimePoint> next;  // call step() again then
  bool finished = false;          // deleted and all containers ended: remove the object
};

class PodMachine {
 public:
  // A pod with a status of an earlier process is continued where that left off.
  PodMachine(const json::value& pod, PodPlace place, const ImageCatalog& catalog, Instant now);

  // A newer version of the object: only its deletion matters to what runs.
  void observe(const json::value& pod, Instant now, PodStep* step);
  PodStep step(Instant now);
  // Stops everything, as after an eviction: the pod fails with this reason.
  void fail(Instant now, std::string reason, std::string message, PodStep* step);

  // What is patched into the object's status: our conditions and everything of the kubelet.
  json::value status(Instant now) const;
  const PodPlace& place() const { return place_; }
  // Null when there is no such container.
  const ContainerMachine* container(std::string_view name) const;

 private:
  struct Conditions {
    bool initialized = false, ready = false, containers_ready = false;
    friend bool operator==(const Conditions&, const Conditions&) = default;
  };
  bool init_done() const;
  bool sidecar(size_t init) const { return sidecars_[init]; }
  void advance(Instant now, PodStep* step);
  void stop_all(Instant now, Duration grace, PodStep* step);
  bool all_ended() const;
  std::string phase() const;
  Conditions conditions(TimePoint now) const;
  void note_transitions(Instant now);
  json::value condition(const char* type, bool value, WallTime since) const;
  std::vector<std::string> unready(TimePoint now) const;

  // Constant after construction.
  PodPlace place_;
  RestartPolicy policy_;
  std::vector<bool> sidecars_;
  WallTime start_time_;

  std::vector<ContainerMachine> inits_, mains_;
  bool deleting_ = false, stopped_ = false;
  std::string failed_reason_, failed_message_;
  Conditions shown_;
  WallTime since_initialized_, since_ready_, since_containers_ready_;
  bool first_ = true;
};

}  // namespace coracle::kubelet
