// SharedLines: the trees of watch events that were sent a moment ago. Processes of a world are sent
// the same lines, each of which is parsed once and its tree looked at by all
// (client::SharedEvents). That nobody can tell, for the trees are immutable and equal to what each
// would have parsed.
//
// Pure; one owner, the world's Site. Bound: kBytesMax of text, the oldest lines go first; whoever
// holds a tree keeps it.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/json.hpp"

namespace coracle::cluster_sim {

class SharedLines {
 public:
  static constexpr std::size_t kBytesMax = 256 << 10;
  using Tree = std::shared_ptr<const json::value>;

  // Of the event, without its object's metadata.managedFields; null: it is not JSON.
  Tree event(std::string_view line);
  std::uint64_t parsed() const { return parsed_; }

 private:
  struct Line {
    std::string text;
    Tree tree;
  };
  std::list<Line> lines_;                                                    // the oldest first
  std::unordered_map<std::string_view, std::list<Line>::iterator> by_text_;  // looked up only
  std::size_t bytes_ = 0;
  std::uint64_t parsed_ = 0;
};

}  // namespace coracle::cluster_sim
