#include "metrics_driver/scraper.hpp"

#include <fmt/format.h>

#include <set>

#include "api/object.hpp"
#include "base/log.hpp"

namespace coracle::metrics {
namespace {

std::string address_of(const json::value& node) {
  for (const char* type : {"InternalIP", "ExternalIP", "Hostname"}) {
    for (const json::value& address : get_array(node, "status.addresses")) {
      if (get_string(address, "type") == type) return std::string(get_string(address, "address"));
    }
  }
  return {};
}

std::int64_t port_of(const json::value& node) {
  return get_int(node, "status.daemonEndpoints.kubeletEndpoint.Port");
}

std::string client_key(const json::value& node) {
  return fmt::format("{}:{}", address_of(node), port_of(node));
}

}  // namespace

struct Scraper::Round {
  std::vector<client::ObjectPtr> nodes;
  size_t next = 0;
  int workers = 0;
  std::map<std::string, NodeScrape> said;
};

Scraper::Scraper(net::AsioExecutor& executor, const client::ObjectCache& nodes, UsageStore& store,
                 Metrics& metrics, ScraperOptions options)
    : executor_(executor),
      nodes_(nodes),
      store_(store),
      options_(std::move(options)),
      good_(metrics.counter("metrics_server_kubelet_request_total", "Scrapes of kubelets",
                            {{"success", "true"}})),
      bad_(metrics.counter("metrics_server_kubelet_request_total", "Scrapes of kubelets",
                           {{"success", "false"}})) {}

Scraper::~Scraper() { executor_.cancel(timer_); }

void Scraper::start() { begin_round(); }

void Scraper::begin_round() {
  timer_ = executor_.after(options_.resolution, [this] { begin_round(); });
  if (round_) return;  // the last one is not over: it ends before its time-out
  round_ = std::make_shared<Round>();
  round_->nodes = nodes_.all();
  std::set<std::string> known;
  for (const client::ObjectPtr& node : round_->nodes) known.insert(client_key(*node));
  std::erase_if(clients_, [&](const auto& entry) { return !known.contains(entry.first); });
  round_->workers =
      static_cast<int>(std::clamp<size_t>(round_->nodes.size(), 1, static_cast<size_t>(kAtOnce)));
  const int workers = round_->workers;
  for (int i = 0; i < workers; ++i) {
    spawn<bool>(worker(round_), [this, round = round_](bool) {
      if (--round->workers > 0) return;
      store_.store(round->said);
      round_ = nullptr;
    });
    if (!round_) return;  // there was nobody to ask
  }
}

Task<bool> Scraper::worker(std::shared_ptr<Round> round) {
  while (round->next < round->nodes.size()) {
    const client::ObjectPtr node = round->nodes[round->next++];
    auto said = co_await scrape(node);
    const std::string name(api::name_of(*node));
    if (said.ok()) {
      good_.add();
      round->said[name] = *std::move(said);
    } else {
      bad_.add();
      log::warn("node {} does not say what it uses: {}", name, said.status().message());
    }
  }
  co_return true;
}

net::Client* Scraper::client_of(const json::value& node) {
  auto& slot = clients_[client_key(node)];
  if (slot) return slot.get();
  net::ClientConfig config = options_.kubelet;
  config.host = address_of(node);
  config.port = static_cast<std::uint16_t>(port_of(node));
  config.connect_timeout = config.request_timeout = options_.resolution * 9 / 10;
  config.max_connections = 1;
  auto made = net::Client::create(executor_, std::move(config));
  if (!made.ok()) return nullptr;
  slot = std::move(*made);
  return slot.get();
}

Task<Result<NodeScrape>> Scraper::scrape(client::ObjectPtr node) {
  if (address_of(*node).empty() || port_of(*node) == 0) {
    co_return failed_precondition("it has no server");
  }
  net::Client* client = client_of(*node);
  if (client == nullptr) co_return failed_precondition("it cannot be reached");
  const auto answer = co_await client->request({.target = "/metrics/resource"});
  if (!answer.ok()) co_return answer.status();
  if (answer->status != 200) {
    co_return unavailable(fmt::format("request failed, status: \"{}\"", answer->status));
  }
  std::string page = answer->body;
  for (const net::Bytes& chunk : answer->chunks) page += *chunk;
  co_return parse_resource_page(page, executor_.wall_now());
}

}  // namespace coracle::metrics
