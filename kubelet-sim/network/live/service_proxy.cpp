#include "network_live/service_proxy.hpp"

#include <algorithm>

#include "kubelet/low_ports.hpp"

namespace coracle::network {
namespace {

std::optional<net::HostPort> to_host_port(const std::optional<Endpoint>& endpoint) {
  if (!endpoint) return std::nullopt;
  return net::HostPort{endpoint->address, endpoint->port};
}

bool has(const Frontend& frontend, const net::HostPort& target) {
  return std::find(frontend.endpoints.begin(), frontend.endpoints.end(),
                   Endpoint{target.host, target.port}) != frontend.endpoints.end();
}

constexpr int kTries = 6;  // three endpoints, each on two ports

// A pod may have been given another port in place of a low one: its own first, then that.
std::optional<net::HostPort> moved_target(const std::vector<net::HostPort>& refused) {
  if (refused.empty() || refused.back().port >= kubelet::kLowPorts) return std::nullopt;
  return net::HostPort{refused.back().host, kubelet::moved_port(refused.back().port)};
}

}  // namespace

ServiceProxy::ServiceProxy(net::AsioExecutor& executor, Failed failed)
    : executor_(executor), failed_(std::move(failed)) {
  retry();
}

ServiceProxy::~ServiceProxy() { executor_.cancel(retry_); }

void ServiceProxy::apply(ServiceTable table) {
  std::erase_if(entries_, [&](const auto& entry) { return !table.contains(entry.first); });
  for (auto& [at, frontend] : table) {
    Entry& entry = entries_[at];
    if (!entry.balancer) {
      entry.balancer = std::make_shared<Balancer>(std::move(frontend));
      open(at, entry);
      continue;
    }
    if (entry.balancer->frontend() == frontend) continue;
    entry.balancer->update(std::move(frontend));
    if (!entry.udp) continue;
    entry.udp->forget(
        [&entry](const net::HostPort& target) { return !has(entry.balancer->frontend(), target); });
  }
}

void ServiceProxy::open(const Listening& at, Entry& entry) {
  Status why;
  if (at.transport == Transport::kTcp) {
    auto opened = net::TcpForwarder::listen(
        executor_, {.address = at.address, .port = at.port, .tries = kTries},
        [this, balancer = entry.balancer](const net::TcpForwarder::Arrival& arrival) {
          Balancer::Arrival asked{arrival.client.host, arrival.local.host, {}};
          if (const auto moved = moved_target(arrival.refused)) return moved;
          for (const net::HostPort& dead : arrival.refused) {
            asked.dead.push_back({dead.host, kubelet::unmoved_port(dead.port)});
          }
          return to_host_port(balancer->choose(asked, executor_.now()));
        });
    why = opened.status();
    if (opened.ok()) entry.tcp = std::move(*opened);
  } else {
    auto opened = net::UdpForwarder::listen(
        executor_, {.address = at.address, .port = at.port},
        [this, balancer = entry.balancer, at](const net::HostPort& client) {
          return to_host_port(balancer->choose({client.host, at.address, {}}, executor_.now()));
        });
    why = opened.status();
    if (opened.ok()) entry.udp = std::move(*opened);
  }
  if (why.ok() || entry.told) return;
  entry.told = true;
  failed_(entry.balancer->frontend().service, why);
}

void ServiceProxy::retry() {
  retry_ = executor_.after(kRetryEvery, [this] {
    for (auto& [at, entry] : entries_) {
      if (!entry.open()) open(at, entry);
    }
    retry();
  });
}

std::size_t ServiceProxy::listening() const {
  return static_cast<std::size_t>(std::count_if(
      entries_.begin(), entries_.end(), [](const auto& entry) { return entry.second.open(); }));
}

std::size_t ServiceProxy::connections() const {
  std::size_t all = 0;
  for (const auto& [at, entry] : entries_) {
    if (entry.tcp) all += entry.tcp->connections();
  }
  return all;
}

}  // namespace coracle::network
