// Preemptor: makes the victims of a pod leave: the condition DisruptionTarget, then the deletion,
// then the event on the victim. Strand: the Executor's.
//
// Bounds: a victim is asked to leave by one at a time; what is asked already, or is leaving, is
// left alone. Failures: the first ends it, for the place may not become free; told to Done, once a
// pod; what went well stays so.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "client/events.hpp"
#include "client/resource.hpp"
#include "framework/pod_info.hpp"

namespace coracle::scheduler {

class Preemptor {
 public:
  // With an error: the pod is worth another look at once.
  using Done = std::function<void(const PodPtr& pod, const Status& outcome)>;
  using Tell =
      std::function<void(const PodInfo& victim, const PodInfo& by, const std::string& message)>;
  Preemptor(Executor& executor, client::Api& api, Tell tell, Done done);

  void begin(const PodPtr& pod, const std::string& node, const std::vector<PodPtr>& victims);
  size_t busy() const { return busy_.size(); }
  // Not all that are to leave for the pod have been asked.
  bool works_for(const std::string& pod_uid) const { return preempting_.contains(pod_uid); }

 private:
  Task<Status> evict_all(PodPtr pod, std::string node, std::vector<PodPtr> victims);
  Task<Status> evict(PodPtr pod, std::string node, PodPtr victim);

  Executor& executor_;
  client::ResourceClient pods_;
  Tell tell_;
  Done done_;
  std::set<std::string> busy_;             // uids of victims
  std::multiset<std::string> preempting_;  // uids of those for whom
};

}  // namespace coracle::scheduler
