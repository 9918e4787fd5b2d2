// One entry of `extenders`: a server that filters, scores, binds and judges preemption over HTTP.
// Value. Pure.
#pragma once

#include <set>
#include <string>

#include "base/clock.hpp"
#include "framework/pod_info.hpp"

namespace coracle::scheduler {

struct ExtenderConfig {
  std::string url_prefix;
  std::string filter_verb, prioritize_verb, bind_verb, preempt_verb;  // empty: not asked
  std::int64_t weight = 0;
  bool enable_https = false;
  bool insecure = false;
  std::string server_name;
  std::string ca_file, cert_file, key_file;  // or their contents
  std::string ca_pem, cert_pem, key_pem;
  Duration timeout = std::chrono::seconds(5);
  bool node_cache_capable = false;             // it is sent names instead of nodes
  bool ignorable = false;                      // its failure does not fail the pod
  std::set<std::string> managed_resources;     // empty: it is asked about all pods
  std::set<std::string> ignored_by_scheduler;  // of them: NodeResourcesFit leaves them to it

  // Whether the pod asks for any of the managed resources.
  bool is_interested(const PodInfo& pod) const;
};

}  // namespace coracle::scheduler
