// PodStatus: what the scheduler writes into the status of pods that wait: the condition
// PodScheduled=False and the nominated node. Strand: the Executor's.
//
// Bounds: kStatusWorkers writes at a time; one pending a pod, the newest.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/executor.hpp"
#include "client/resource.hpp"
#include "client/work_queue.hpp"
#include "queue/queue.hpp"

namespace coracle::scheduler {

inline constexpr int kStatusWorkers = 8;

class PodStatus {
 public:
  PodStatus(Executor& executor, client::Api& api, const Queue& queue);
  void start() { writes_.start(); }
  void stop() { writes_.stop(); }

  // `nomination`: the node, or empty for none; nothing: as it is. What the status says already is
  // not written.
  void rejected(const PodPtr& pod, const std::string& reason, const std::string& message,
                std::optional<std::string> nomination);
  // It is about to be bound to the node, or (empty) is not.
  void nominate(const PodPtr& pod, const std::string& node);
  // Its bind begins: what is not written yet need not be.
  void hold(const std::string& key) { wanted_.erase(key); }
  // Placed, or gone.
  void drop(const std::string& key) {
    wanted_.erase(key);
    told_.erase(key);
  }

 private:
  using Finish = client::WorkQueueDriver::Finish;
  struct Wanted {
    std::string reason, message;  // of PodScheduled=False; empty: it stays as it is
    std::optional<std::string> nomination;
    friend bool operator==(const Wanted&, const Wanted&) = default;
  };
  Task<Finish> write(std::string key);
  json::value patch_of(const PodInfo& pod, const Wanted& wanted) const;
  // What its status says, or will when the informer shows what was written.
  const std::string& nominated_node_of(const PodInfo& pod) const;

  Executor& executor_;
  client::ResourceClient pods_;
  const Queue& queue_;
  std::map<std::string, Wanted> wanted_;     // by key
  std::map<std::string, std::string> told_;  // the node that was written, by key; not for none
  client::WorkQueueDriver writes_;           // keys of wanted_
};

}  // namespace coracle::scheduler
