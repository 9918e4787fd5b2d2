// The sentence that says why a pod fits nowhere, as upstream writes it. Pure.
#pragma once

#include <map>
#include <string>

#include "framework/verdict.hpp"

namespace coracle::scheduler {

// "0/3 nodes are available: <pre_filter>. <reasons>. <post_filter>": reasons counted, sorted as
// text; those of nodes are left out when pre_filter spoke for all.
struct FitError {
  int nodes = 0;
  std::string pre_filter, post_filter;
  std::map<std::string, int> reasons;

  void add(const Verdict& verdict, int count);
  std::string text() const;
};

}  // namespace coracle::scheduler
