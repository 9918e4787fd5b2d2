// PreBind: what must happen between the choice of a node and the bind: the plugins' writes, and the
// wait for what follows from them (a volume that is bound, or made); what is taken back of it when
// the bind fails; and what is written for a pod that fits nowhere. Strand: the Executor's.
//
// Bounds: kWaitingMax pods wait at a time (one more is turned away and tried again later), each for
// the profile's bind_timeout, or until its writes are answered if that is later: what is taken back
// must not be overtaken. A pod that goes meanwhile is dropped. Failures: of the writes, told to
// Done; of what is taken back, logged: it is tried again when the next bind fails.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.hpp"
#include "client/resource.hpp"
#include "framework/profile.hpp"

namespace coracle::scheduler {

inline constexpr size_t kWaitingMax = 1000;

class PreBind {
 public:
  // Told once for each pod that had to wait; with an error it is not to be bound.
  using Done =
      std::function<void(const PodPtr& pod, const std::string& node, const Status& outcome)>;
  PreBind(Executor& executor, client::Api& api, const Snapshot& world, Done done)
      : executor_(executor), api_(api), world_(world), done_(std::move(done)) {}

  // True: there is nothing to wait for, the pod may be bound at once, and Done is not called.
  bool begin(const Profile& profile, const PodPtr& pod, const std::string& node);
  // For a pod that counts and will not be bound there: `then` follows, at once if nothing is to be
  // taken back. `wrote`: begin() was called for it.
  void take_back(const Profile& profile, const PodPtr& pod, bool wrote, std::function<void()> then);
  // For a pod that fits nowhere. Bound: kWaitingMax such pods at a time; over it nothing is written
  // for one, and its next try does it.
  void make_room(const PodPtr& pod, Writes writes, std::function<void(const Status&)> then);
  // Claims, volumes or classes changed.
  void look_again();
  // It is not to be bound there after all; Done is told when nothing of it is on its way any more.
  // True if it waited.
  bool cancel(const std::string& key, const std::string& reason);
  // The pod is gone, or counts elsewhere.
  void drop(const std::string& key);
  size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    const Profile* profile = nullptr;
    PodPtr pod;
    std::string node;
    const Plugin* by = nullptr;  // whose turn it is
    bool written = false, late = false;
    std::string cancelled;  // why; empty: it is not
    Executor::TimerId timer = 0;
  };
  using PluginWrites = std::vector<std::pair<const Plugin*, PreBindWrite>>;
  Task<Status> write(PluginWrites writes);
  Task<Status> write_all(Writes writes);
  Task<Status> write_one(const PreBindWrite& one);
  void stamp(PreBindWrite& write) const;
  void on_late(const std::string& key);
  void on_cancelled(const std::string& key);
  void on_written(const PodPtr& pod, const Status& outcome);
  void look(const std::string& key);
  void finish(const std::string& key, const Status& outcome);

  Executor& executor_;
  client::Api& api_;
  const Snapshot& world_;
  Done done_;
  std::map<std::string, Waiting> waiting_;  // by pod key
  size_t making_room_ = 0;
};

}  // namespace coracle::scheduler
