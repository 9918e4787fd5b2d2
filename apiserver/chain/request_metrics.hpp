// RequestMetrics: the apiserver's requests and objects in numbers, under upstream's names:
// apiserver_request_total, apiserver_request_duration_seconds, apiserver_current_inflight_requests,
// apiserver_storage_objects.
//
// Thread: apiserver strand. Bound: a series a kind of request that was seen; what clients made up
// (verbs, resources) has none of its own.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "api/catalog.hpp"
#include "apiserver/cache/feed.hpp"
#include "apiserver/chain/request_info.hpp"
#include "base/clock.hpp"
#include "base/metrics.hpp"

namespace coracle::apiserver {

class RequestMetrics {
 public:
  // Both outlive it.
  RequestMetrics(Metrics& metrics, const api::Catalog& catalog);

  // Counts the request as under way as long as it lives; null for one that may take long.
  std::shared_ptr<void> begin(const net::Request& request, const RequestInfo& info);
  void observe(const net::Request& request, const RequestInfo& info, int code, Duration took);
  // Objects by resource, as the caches hold them now.
  void count_objects(const StoreFeed& feed) const;

 private:
  // verb, group, version, resource, subresource, scope
  using Text = std::string;
  using Kind = std::tuple<Text, Text, Text, Text, Text, Text>;
  struct Series {
    Histogram* latency = nullptr;
    std::map<int, Counter*> by_code;
  };
  Kind kind_of(const net::Request& request, const RequestInfo& info) const;

  Metrics& metrics_;
  const api::Catalog& catalog_;
  Gauge &mutating_, &read_only_;
  std::map<Kind, Series> series_;
};

}  // namespace coracle::apiserver
