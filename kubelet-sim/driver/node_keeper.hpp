// NodeKeeper: what nodes do to their pods: eviction when memory or disk runs short, or when a pod
// keeps more on the disk than it may, and the
// graceful shutdown of a node (annotation lab.coracle.dev/shutdown): first the ordinary pods, then
// the critical ones, then silence. Without the annotation the node starts again.
//
// Strand: the executor's. Each node is looked at once a period, a tenth of them at a time.
#pragma once

#include <map>
#include <set>
#include <string>

#include "base/executor.hpp"
#include "kubelet/eviction.hpp"
#include "kubelet_driver/node_agent.hpp"
#include "kubelet_driver/node_events.hpp"
#include "kubelet_driver/pod_manager.hpp"

namespace coracle::kubelet {

struct ShutdownGrace {
  Duration all = std::chrono::seconds(30);  // of which the last part is
  Duration critical = std::chrono::seconds(10);
};

// Pressure on each node is looked at so often; 0: never.
inline constexpr Duration kPressureEvery = std::chrono::seconds(10);

class NodeKeeper {
 public:
  static constexpr char kShutdown[] = "lab.coracle.dev/shutdown";
  static constexpr int kSlices = 10;
  // Where they are more than this they say only whether they are ready, and not at the start: all
  // of thousands of nodes nobody reads.
  static constexpr std::size_t kTellAllMax = 100;

  // All must outlive it.
  NodeKeeper(Executor& executor, client::Api& api, NodeAgent& nodes, PodManager& pods,
             ShutdownGrace grace, Duration period = kPressureEvery);
  ~NodeKeeper();
  void start();

 private:
  enum class Going { kOrdinary, kCritical };
  struct Shutdown {
    Going stage = Going::kOrdinary;
    TimePoint until;
  };

  std::optional<Rejection> refuse(const std::string& node, const json::value& pod) const;
  void on_health(const std::string& node, bool starts,
                 const std::vector<std::string_view>& reasons);
  void look();
  void look_at(const std::string& node);
  void look_at_storage(const std::string& node);
  void on_shutdown(const std::string& node, bool wanted);
  void begin_stage(const std::string& node, Going stage);
  void go_on(const std::string& node);

  Executor& executor_;
  NodeAgent& nodes_;
  PodManager& pods_;
  const ShutdownGrace grace_;
  const Duration period_;
  const int slices_;
  std::map<std::string, NodePressure> pressures_;
  std::map<std::string, Shutdown> going_;
  std::set<std::string> off_;
  int slice_ = 0;
  Executor::TimerId timer_ = 0;
  NodeEvents events_;
};

}  // namespace coracle::kubelet
