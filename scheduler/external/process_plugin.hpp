// ProcessPlugin: the place in a profile of a plugin that is a program (kind ExternalProcessArgs of
// pluginConfig). It says nothing itself: who decides asks the program, between the filters and the
// scores, and hands the answer to the cycle. Value and stand-in. Pure.
#pragma once

#include <string>
#include <vector>

#include "framework/plugin.hpp"

namespace coracle::scheduler {

// One program, as the file names it.
struct ProcessSpec {
  enum class OnFailure { kStop, kSkip };
  std::string key;  // "profile/plugin": whose program it is
  std::string name;
  std::vector<std::string> command;
  json::value args = nullptr;                         // handed over at its start, untouched
  Duration timeout = std::chrono::seconds(1);         // for an answer
  Duration start_timeout = std::chrono::seconds(10);  // for the answer to the greeting
  OnFailure on_failure = OnFailure::kStop;            // the decision, or the plugin's say in it
  bool node_pods = false;                             // it is told the pods of each node
};

class ProcessPlugin final : public Plugin {
 public:
  explicit ProcessPlugin(ProcessSpec spec) : spec_(std::move(spec)) {}
  std::string_view name() const override { return spec_.name; }
  bool is_asked_outside() const override { return true; }
  const ProcessSpec& spec() const { return spec_; }
  // What turns its mind is its own affair.
  Events helped_by() const override { return ~Events{0}; }

 private:
  const ProcessSpec spec_;
};

}  // namespace coracle::scheduler
