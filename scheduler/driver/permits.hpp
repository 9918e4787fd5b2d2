// Permits: pods whose node is reserved and whose bind a Permit plugin holds up. The plugins are
// asked again whenever something changes, until all say yes, one says no, or one's time is up.
//
// Strand: the Executor's. Bound: the assumed pods.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/executor.hpp"
#include "framework/profile.hpp"

namespace coracle::scheduler {

inline constexpr Duration kPermitWaitMax = std::chrono::minutes(15);  // upstream's

class Permits {
 public:
  struct Outcome {
    Verdict verdict = Verdict::yes();
    const Plugin* by = nullptr;  // of a no
  };
  // Told once for each pod that had to wait.
  using Done = std::function<void(const PodPtr& pod, const std::string& node, const Outcome&)>;
  Permits(Executor& executor, const Snapshot& world, Done done)
      : executor_(executor), world_(world), done_(std::move(done)) {}

  // True: the outcome is known, and Done is not called.
  bool begin(const Profile& profile, const PodPtr& pod, const std::string& node, Outcome* outcome);
  void look_again();
  // It waits no more. True if it did.
  bool reject(const std::string& key, const std::string& reason);
  // `failed` has no node, or lost it: those that plugins say fall with it wait no more. How many.
  size_t fall_with(const PodInfo& failed);
  void drop(const std::string& key);
  size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    const Profile* profile = nullptr;
    PodPtr pod;
    std::string node;
    TimePoint since;
    Executor::TimerId timer = 0;
  };
  // Nothing: it has to wait; `due` says for whom and how long.
  struct Due {
    const Plugin* plugin = nullptr;
    Duration wait = kPermitWaitMax;
  };
  std::optional<Outcome> ask(const Profile& profile, const PodInfo& pod, const std::string& node,
                             Due* due) const;
  void finish(const std::string& key, Outcome outcome);

  Executor& executor_;
  const Snapshot& world_;
  Done done_;
  std::map<std::string, Waiting> waiting_;  // by pod key
};

}  // namespace coracle::scheduler
