// MetricsApi: metrics.k8s.io/v1beta1: NodeMetrics and PodMetrics by get and list, as objects and as
// tables, and the discovery of it. Pure: a request and what is known in, an answer out.
//
// Only nodes and pods that the caches hold are shown, pods only while they run.
#pragma once

#include <string>
#include <string_view>

#include "base/json.hpp"
#include "client/object_cache.hpp"
#include "metrics_core/usage_store.hpp"

namespace coracle::metrics {

// What a request asks of the API, for the authoriser.
struct ApiTarget {
  bool resource = false;  // else a path
  std::string verb;       // get, list, watch, create, ...; of a path: the method in lower case
  std::string resource_name, ns, name;
};
ApiTarget target_of(std::string_view method, std::string_view path, bool watch);

struct ApiAsk {
  std::string method, path, accept, label_selector, field_selector;
  bool watch = false;
  std::string include_object;  // of tables: None, Metadata, Object
};
struct ApiAnswer {
  int status = 200;
  json::value body;
};

class MetricsApi {
 public:
  MetricsApi(const client::ObjectCache& nodes, const client::ObjectCache& pods,
             const UsageStore& usage)
      : nodes_(nodes), pods_(pods), usage_(usage) {}

  ApiAnswer answer(const ApiAsk& ask, WallTime now) const;

 private:
  ApiAnswer list(const ApiAsk& ask, const ApiTarget& target, WallTime now) const;
  ApiAnswer get(const ApiAsk& ask, const ApiTarget& target, WallTime now) const;
  // Null: nothing is known of it.
  json::value metrics_of(const json::value& object, bool pod, WallTime now) const;

  const client::ObjectCache& nodes_;
  const client::ObjectCache& pods_;
  const UsageStore& usage_;
};

// As Go prints a duration: "15.02s", "1m0s", "500ms".
std::string go_duration(Duration d);

}  // namespace coracle::metrics
