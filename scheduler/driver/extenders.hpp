// Extenders: decisions that servers and programs of others take part in. Each is asked after the
// other, programs (driver/processes.hpp) before servers, in the order of the file; the decision
// waits, and so do all decisions after it.
//
// Strand: the Executor's. Failures: of an ignorable one, it is passed over; of another, the
// decision is broken. Scores that do not come count nothing, as upstream has it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/task.hpp"
#include "config/extender_config.hpp"
#include "cycle/cycle.hpp"
#include "driver/processes.hpp"

namespace coracle::scheduler {

// How an extender is reached. Owned by the driver; null where there are none.
class ExtenderPort {
 public:
  virtual ~ExtenderPort() = default;
  struct Answer {
    int http = 0;
    std::string body;
  };
  // A POST of JSON. No answer at all: Go's words, without the URL.
  virtual Task<Result<Answer>> post(const ExtenderConfig& extender, std::string url,
                                    std::string body) = 0;
};

class Extenders {
 public:
  // The whole objects of pods and nodes; null when they are gone.
  struct Objects {
    std::function<json::value(const std::string& key)> pod;
    std::function<json::value(const std::string& name)> node;
  };
  Extenders(std::vector<ExtenderConfig> configs, ExtenderPort* port, ProcessPort* processes,
            Objects objects);

  // Whether a decision about the pod, or its bind, concerns any of them.
  bool decide_on(const Profile& profile, const PodInfo& pod) const;
  bool bind(const PodInfo& pod) const;

  // Their URLs.
  std::vector<std::string> names() const;

  // As cycle/cycle.hpp's decide. All arguments outlive it.
  Task<Decision> decide(const Profile& profile, PodPtr pod, const Snapshot& world,
                        Rotation& rotation);
  // False: the plugins are to bind it.
  Task<Result<bool>> bind_to(PodPtr pod, std::string node);

 private:
  Task<Result<std::string>> ask(const ExtenderConfig& extender, const std::string& verb,
                                json::value body);
  Task<Status> filter(const ExtenderConfig& extender, const json::value& pod, Cycle& cycle);
  json::value question(const ExtenderConfig& extender, const json::value& pod,
                       const std::vector<std::string>& names);

  const std::vector<ExtenderConfig> configs_;
  ExtenderPort* const port_;
  Processes processes_;
  const Objects objects_;
};

}  // namespace coracle::scheduler
