// PodMachine: a pod's life on its node: init containers in turn, containers, restarts, deletion.
// Pure: a pod object and time in, status, events and "it is gone" out (upstream: kubelet's pod
// worker, status generation as in pkg/kubelet/kubelet_pods.go).
//
// Owner: the node's driver. Invariant: the phase never leaves Succeeded or Failed.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "kubelet/container_machine.hpp"
#include "kubelet/image_catalog.hpp"
#include "kubelet/pod_environment.hpp"

namespace coracle::kubelet {

// How the containers of a pod are run, which the node's driver decides.
enum class ContainerKind {
  kScripted,
  kAsking,  // scripted, but its start is asked for: it refers to what may be missing
  kReal,
};
struct PodTraits {
  bool prepare = false;  // wishes kPrepare before anything starts
  bool lost = false;     // its machine was started anew: nothing of it runs any more
  std::function<ContainerKind(const json::value& container)> kind_of;  // none: all are scripted
};

struct PodStep : Effects {
  bool changed = false;           // status() tells something new
  std::optional<TimePoint> next;  // call step() again then
  bool finished = false;          // deleted and all containers ended: remove the object
};

class PodMachine {
 public:
  // A pod with a status of an earlier process is continued where that left off.
  // The catalog must outlive it.
  PodMachine(const json::value& pod, PodPlace place, const ImageCatalog& catalog, Instant now,
             PodTraits traits = {});

  // A newer version of the object: its deletion, images, new ephemeral containers and the
  // conditions that its readiness gates name matter.
  void observe(const json::value& pod, Instant now, PodStep* step);
  PodStep step(Instant now);
  // What a wish was answered. Followed by a step().
  void see(const Seen& seen, Instant now, PodStep* step);
  // Pulls and starts take so much longer from now on: its node is slow.
  void set_lag(Duration lag);
  // What a process of the container printed.
  void print(std::string_view container, LogLine line);
  // Stops everything, as after an eviction: the pod fails with this reason. `disrupted`: the node
  // did it, which the condition DisruptionTarget tells.
  void fail(Instant now, std::string reason, std::string message, PodStep* step,
            Duration grace = Duration(0), bool disrupted = false);

  // All of its containers have ended for good: it takes nothing of its node any more.
  bool over() const { return all_ended(); }
  // What is patched into the object's status: our conditions and everything of the kubelet.
  json::value status(Instant now) const;
  const PodPlace& place() const { return place_; }
  // Null when there is no such container.
  const ContainerMachine* container(std::string_view name) const;
  // All of them: init, main, ephemeral.
  std::vector<const ContainerMachine*> containers() const;
  WallTime start_time() const { return start_time_; }

 private:
  struct Conditions {
    bool initialized = false, ready = false, containers_ready = false;
    friend bool operator==(const Conditions&, const Conditions&) = default;
  };
  using Containers = std::vector<ContainerMachine>;
  ContainerTraits traits_of(const json::value& spec, const char* list, RestartPolicy policy) const;
  void add_ephemeral(const json::value& pod, Instant now);
  void set_deadline(const json::value& pod);
  void see_gates(const json::value& pod, PodStep* step);
  void change_images(const json::value& pod, Instant now, PodStep* step);
  bool prepare(Instant now, PodStep* step);
  ContainerMachine* find_container(std::string_view name);
  bool init_done() const;
  bool sidecar(size_t init) const { return sidecars_[init]; }
  void advance(Instant now, PodStep* step);
  void stop_all(Instant now, Duration grace, PodStep* step);
  void stop_sidecars(Instant now, PodStep* step);
  bool all_ended() const;
  std::string phase() const;
  Conditions conditions(TimePoint now) const;
  void note_transitions(Instant now);
  json::array all_conditions(TimePoint now) const;
  json::value condition(const char* type, bool value, WallTime since) const;
  std::vector<std::string> unready(TimePoint now) const;

  // Constant after construction.
  PodPlace place_;
  const ImageCatalog& catalog_;
  PodTraits traits_;
  RestartPolicy policy_;
  std::string id_;
  Duration grace_;
  std::optional<Duration> deadline_;  // of the pod, since its start
  std::vector<bool> sidecars_;
  WallTime start_time_;

  Containers inits_, mains_, ephemerals_;
  enum class Prepare { kNotYet, kWished, kDone } prepared_ = Prepare::kNotYet;
  TimePoint prepare_due_;
  int prepare_failures_ = 0;
  bool deleting_ = false, stopped_ = false;
  std::optional<TimePoint> sidecars_until_;  // stopping: they go when the others have, or then
  std::string failed_reason_, failed_message_;
  std::optional<WallTime> disrupted_;
  std::string gates_shut_;  // which readiness gates are, and why; empty: none
  Conditions shown_;
  WallTime since_initialized_, since_ready_, since_containers_ready_;
  bool first_ = true;
};

}  // namespace coracle::kubelet
