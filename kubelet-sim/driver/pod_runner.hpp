// PodRunner: carries out what pods' machines wish: volumes and files, processes, probes, hooks; and
// decides which containers are processes. Answers come by `seen`, never inside carry_out().
//
// Strand: the executor's. Bound: what runs is bounded by ProcessRuntime; file volumes are looked at
// again every kRefreshEvery.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "client/object_cache.hpp"
#include "kubelet/local_storage.hpp"
#include "kubelet/pod_devices.hpp"
#include "kubelet/pod_files.hpp"
#include "kubelet/pod_machine.hpp"
#include "kubelet/streams.hpp"
#include "kubelet_driver/host_ports.hpp"
#include "kubelet_driver/node_agent.hpp"
#include "kubelet_driver/pod_sources.hpp"
#include "kubelet_driver/start_turns.hpp"
#include "kubelet_runtime/container_order.hpp"
#include "kubelet_runtime/prober.hpp"
#include "kubelet_runtime/process_runtime.hpp"

namespace coracle::kubelet {

enum class RuntimeMode {
  kScripted,  // no processes
  kAuto,      // images with a program in the catalog, and commands that busybox knows
  kProcess,   // all; an image without a program waits to be stopped
};

struct RunnerOptions {
  RuntimeMode mode = RuntimeMode::kAuto;
  std::string root_dir;
  ClusterDns dns;
  HostPorts::Arrives arrives;
};

struct RunnerPod {
  std::string uid;
  client::ObjectPtr object;
  const NodeFacts* node = nullptr;
  PodPlace place;
};

class PodRunner {
 public:
  struct Events {
    std::function<void(const std::string& uid, Seen)> seen;
    std::function<void(const std::string& uid, const std::string& container, LogLine)> print;
    std::function<void(const std::string& uid, PodEvent)> report;
  };
  // Scripted only.
  PodRunner(Executor& executor, client::Api& api, const ImageCatalog& catalog,
            RunnerOptions options);
  // `runtime` null: scripted only.
  PodRunner(net::AsioExecutor& executor, client::Api& api, const ImageCatalog& catalog,
            RunnerOptions options, std::unique_ptr<ProcessRuntime> runtime);
  ~PodRunner();

  void start(Events events);
  PodTraits traits_of(const json::value& pod) const;
  void carry_out(const RunnerPod& pod, const Wish& wish);
  // A newer version of the object.
  void update(const std::string& uid, const client::ObjectPtr& object);
  // The pod is gone: its processes and files go too.
  void forget(const std::string& uid);
  // All its containers have ended for good: what held their processes together goes.
  void over(const std::string& uid);
  // Its processes end now and nothing more is told of them; its files stay.
  void stop(const std::string& uid);
  bool any_process(const std::string& uid) const;
  // What the files of its processes and its emptyDir volumes take. O(files), with a bound.
  StorageUse storage_use(const std::string& uid) const;
  // Probes of the node's pods are answered so much later.
  void set_lag(const std::string& node, Duration lag);
  // Files of pods that are none of ours any more.
  void forget_all_but(const std::set<std::string>& uids);
  ProcessRuntime* runtime() const { return runtime_.get(); }

 private:
  struct Known {
    RunnerPod pod;
    std::uint64_t life = 0;                      // another one after stop(): answers to it are old
    TimePoint since{};                           // it came
    std::map<std::string, std::string> volumes;  // name -> folder
    std::map<std::string, PodSources::Token> tokens;
    std::set<std::string> starting, cancelled;  // containers
    DeviceClaims devices;
    std::vector<std::function<void(bool)>> waits_for_holder;
    bool has_file_volumes = false;
  };

  ContainerKind kind_of(const json::value& container) const;
  std::string folder_of(const std::string& uid) const;
  Owner volume_owner(const json::value& pod) const;
  // Whether it is still the one that wished.
  bool lives(const std::string& uid, std::uint64_t life) const;
  void tell(const std::string& uid, std::uint64_t life, const Wish& wish, Seen seen);

  Task<Seen> prepare(std::string uid);
  // Reads the pod's claims to devices.
  Task<Status> prepare_devices(std::string uid);
  Task<Result<std::string>> prepare_volume(std::string uid, json::value volume);
  Task<Result<bool>> write_files(std::string uid, json::value volume);
  Task<Result<std::string>> claim_folder(std::string uid, std::string claim);
  Result<std::string> host_folder(const RunnerPod& pod, const json::value& host_path) const;
  Status pod_files(const RunnerPod& pod) const;
  Task<Seen> pull(std::string uid, Wish wish);
  // Where the pod's containers share their processes: starts the one that holds them.
  Task<Status> hold_processes(std::string uid);
  Status start_holder(const std::string& uid, Known& known);
  void holder_changed(const std::string& uid, std::uint64_t life, bool runs);
  Status share_processes(const Known& known, const json::value& container, StartOrder* order) const;
  Task<std::optional<Seen>> start_container(std::string uid, Wish wish);
  std::optional<Seen> start_process(Known& known, const json::value& container,
                                    const Environment& environment, const Wish& wish);
  ContainerEvents events_of(const std::string& uid, std::uint64_t life, const Wish& wish,
                            const std::string& log);
  void probe(const Known& known, const Wish& wish);
  void refresh();
  Task<bool> refresh_pod(std::string uid);

  // What processes need of their machine.
  struct Real {
    Prober prober;
    HostPorts ports;
  };

  Executor& executor_;
  const ImageCatalog& catalog_;
  const RunnerOptions options_;
  std::unique_ptr<ProcessRuntime> runtime_;
  std::unique_ptr<Real> real_;  // with a runtime
  PodSources sources_;
  Events events_;
  std::map<std::string, Known> pods_;
  std::map<std::string, Duration> lags_;  // by node
  Executor::TimerId refresh_timer_ = 0;
  std::uint64_t stamps_ = 0, lives_ = 0;
  StartTurns start_turns_;  // the last: who waits is told before the rest goes
};

}  // namespace coracle::kubelet
