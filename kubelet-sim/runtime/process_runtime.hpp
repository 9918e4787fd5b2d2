// ProcessRuntime: containers as processes, by their pod's uid and name: start, stop, exec, attach,
// what they use. Each runs under a starter of its own (lab-image), which dies with us and takes it
// along.
//
// Strand: the executor's. Bound: kContainersMax at a time; more are ResourceExhausted.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kubelet/streams.hpp"
#include "kubelet_runtime/container_root.hpp"
#include "kubelet_runtime/start_order.hpp"
#include "kubelet_runtime/started_process.hpp"

namespace coracle::kubelet {

inline constexpr size_t kContainersMax = 2000;

struct ContainerId {
  std::string pod_uid, name;
  friend auto operator<=>(const ContainerId&, const ContainerId&) = default;
};

struct RuntimeOptions {
  std::string root_dir;                                // where pods' files are
  std::string lab_image, busybox;                      // programs
  std::int64_t first_outside_id = 0, outside_ids = 0;  // of root; see StartOrder
  AskRoute route;                                      // asked at pods' connections
};

struct ContainerStart {
  StartOrder order;
  bool input = false, input_once = false;
  std::int64_t memory_limit_bytes = 0;  // 0: none
};

struct ContainerEvents {
  std::function<void()> on_started;
  std::function<void(const ProcessEnd&, bool out_of_memory)> on_end;
  // `whole`: it ended with a newline.
  std::function<void(std::string line, bool whole)> on_line;
  std::function<void(int port)> on_port_moved;
};

struct Usage {
  std::int64_t memory_bytes = 0;
  std::int64_t cpu_nanos = 0;  // since its start
};

class ProcessRuntime {
 public:
  // Looks what this user may do. FailedPrecondition says why processes cannot be run here.
  static Result<std::unique_ptr<ProcessRuntime>> create(net::AsioExecutor& executor,
                                                        RuntimeOptions options);
  ~ProcessRuntime();  // ends all

  bool isolated() const { return tools_.isolated; }
  const RootTools& tools() const { return tools_; }
  const RuntimeOptions& options() const { return options_; }
  bool has_applet(const std::string& name) const;
  size_t running() const { return running_.size(); }

  Status start(const ContainerId& id, ContainerStart start, ContainerEvents events);
  // Has a container that is not started yet run among the processes of another one. Where there is
  // only one user, that of the other is its own too. FailedPrecondition: the other does not run.
  Status share(const ContainerId& with, StartOrder* order) const;
  void terminate(const ContainerId& id);
  void kill(const ContainerId& id);
  void kill_pod(const std::string& pod_uid);
  bool runs(const ContainerId& id) const { return running_.contains(id); }
  bool runs_any(const std::string& pod_uid) const;

  // One more command in a running container, with the order's user, environment and place.
  Result<std::unique_ptr<StreamSession>> exec(const ContainerId& id, const ExecSpec& spec,
                                              std::shared_ptr<StreamSink> sink);
  // Runs a command to its end or the time-out; for probes and hooks. At most 10 KiB of output.
  struct Outcome {
    bool timed_out = false;
    ProcessEnd end;
    std::string output;
  };
  void run(const ContainerId& id, std::vector<std::string> command, Duration timeout,
           std::function<void(Outcome)> done);
  std::optional<Usage> usage(const ContainerId& id) const;

 private:
  struct Container;
  ProcessRuntime(net::AsioExecutor& executor, RuntimeOptions options);
  Result<std::unique_ptr<StreamSession>> attach(Container& container, const ExecSpec& spec,
                                                std::shared_ptr<StreamSink> sink);
  Result<StartOrder> enter_order(const ContainerId& id,
                                 const std::vector<std::string>& command) const;
  void watch_memory();

  net::AsioExecutor& executor_;
  const RuntimeOptions options_;
  RootTools tools_;
  std::vector<std::string> applets_;
  std::map<ContainerId, std::shared_ptr<Container>> running_;
  Executor::TimerId memory_timer_ = 0;
};

}  // namespace coracle::kubelet
