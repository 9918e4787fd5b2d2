// Scraper: asks every node's kubelet for /metrics/resource, once in a resolution, and stores what
// they say. A node that does not answer in time is left out of the round.
//
// Strand: the executor's. Bound: kAtOnce nodes are asked at a time; a kept connection a node.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/metrics.hpp"
#include "client/object_cache.hpp"
#include "metrics_core/usage_store.hpp"
#include "net/asio_executor.hpp"
#include "net/client.hpp"

namespace coracle::metrics {

struct ScraperOptions {
  Duration resolution = std::chrono::seconds(15);
  net::ClientConfig kubelet;  // credentials and CA; host and port are the node's
};

class Scraper {
 public:
  static constexpr int kAtOnce = 64;

  // `nodes`: the Node objects there are. All must outlive it.
  Scraper(net::AsioExecutor& executor, const client::ObjectCache& nodes, UsageStore& store,
          Metrics& metrics, ScraperOptions options);
  ~Scraper();
  void start();

 private:
  struct Round;
  Task<bool> worker(std::shared_ptr<Round> round);
  Task<Result<NodeScrape>> scrape(client::ObjectPtr node);
  void begin_round();
  net::Client* client_of(const json::value& node);

  net::AsioExecutor& executor_;
  const client::ObjectCache& nodes_;
  UsageStore& store_;
  const ScraperOptions options_;
  Counter &good_, &bad_;
  std::map<std::string, std::unique_ptr<net::Client>> clients_;  // by "address:port"
  std::shared_ptr<Round> round_;
  Executor::TimerId timer_ = 0;
};

}  // namespace coracle::metrics
