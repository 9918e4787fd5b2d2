// What is said to a plugin that is a program, and what it answers: lines of JSON, one answer to
// each message (docs/formats/process-plugin.md). Pure.
//
// Nodes are told once and then only when they changed: KnownNodes is what this program has been
// told since it was started. Bound: the nodes of the cluster.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "external/process_plugin.hpp"

namespace coracle::scheduler {

inline constexpr int kProcessProtocol = 1;

// What the profile wants of it.
struct Wanted {
  bool filter = false, score = false;
};

class KnownNodes {
 public:
  // The node as the program is to see it, if it does not know it so already.
  bool tell(const NodeInfo& node, bool with_pods, json::array* changed);
  // Those it knows that are not in the world any more; it forgets them.
  json::array forget_gone(const Snapshot& world);

 private:
  struct Seen {
    std::shared_ptr<const NodeFacts> facts;
    Resources used;
    std::vector<PodPtr> pods;  // held, so that equal pointers are equal pods
  };
  std::map<std::string, Seen, std::less<>> seen_;
};

// {"hello":{"protocol":1,"plugin":NAME,"args":ARGS}}
std::string hello_line(const ProcessSpec& spec);
// InvalidArgument: it is not the answer, of another protocol, or a wanted point is missing.
Status read_hello(std::string_view line, Wanted wanted);

// {"id":N,"want":["filter","score"],"pod":POD,"nodes":[NAMES],"changed":[NODES],"gone":[NAMES]}
std::string question_line(std::uint64_t id, Wanted wanted, const json::value& pod,
                          const std::vector<const NodeInfo*>& nodes, const Snapshot& world,
                          bool with_pods, KnownNodes* known);

struct ProcessAnswer {
  bool skip = false;                           // it has no say about this pod
  std::map<std::string, std::string> noes;     // by node: the reason
  std::map<std::string, std::int64_t> scores;  // 0..kScoreMax, of each node it let
};
// InvalidArgument says what is wrong with the answer: it is checked whole, nothing is assumed.
// FailedPrecondition: its own {"error": TEXT}.
Result<ProcessAnswer> read_process_answer(std::string_view line, std::uint64_t id, Wanted wanted,
                                          const std::set<std::string>& asked);

}  // namespace coracle::scheduler
