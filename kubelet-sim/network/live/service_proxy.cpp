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

ServiceProxy::ServiceProxy(net::AsioExecutor& executor, Failed failed, May may, Arrives arrives)
    : executor_(executor),
      failed_(std::move(failed)),
      may_(std::move(may)),
      arrives_(std::move(arrives)) {
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
  Status why = open_at(at, at.port, entry);
  const std::uint16_t moved = kubelet::moved_port(at.port);
  if (!why.ok() && moved != at.port && !at.address.empty()) {
    entry.moved = open_at(at, moved, entry).ok();
  }
  if (why.ok() || entry.told) return;
  entry.told = true;
  failed_(entry.balancer->frontend().service, why);
}

Status ServiceProxy::open_at(const Listening& at, std::uint16_t port, Entry& entry) {
  if (at.transport == Transport::kTcp) {
    ASSIGN_OR_RETURN(
        entry.tcp,
        net::TcpForwarder::listen(
            executor_, {.address = at.address, .port = port, .tries = kTries},
            [this, balancer = entry.balancer](const net::TcpForwarder::Arrival& arrival) {
              Balancer::Arrival asked{arrival.client.host, arrival.local.host, {}};
              if (const auto moved = moved_target(arrival.refused)) return moved;
              for (const net::HostPort& dead : arrival.refused) {
                asked.dead.push_back({dead.host, kubelet::unmoved_port(dead.port)});
              }
              return choose(*balancer, asked, Transport::kTcp);
            }));
    return {};
  }
  ASSIGN_OR_RETURN(entry.udp,
                   net::UdpForwarder::listen(
                       executor_, {.address = at.address, .port = port},
                       [this, balancer = entry.balancer, at](const net::HostPort& client) {
                         return choose(*balancer, {client.host, at.address, {}}, Transport::kUdp);
                       }));
  return {};
}

// The endpoint first, then whether the client may reach it: as where nodes choose and pods'
// networks drop. The client has its connection already; it goes where nobody answers.
std::optional<net::HostPort> ServiceProxy::choose(Balancer& balancer,
                                                  const Balancer::Arrival& arrival,
                                                  Transport transport) {
  const auto nowhere = transport == Transport::kTcp ? hole_.address() : std::nullopt;
  if (!arrives_(arrival.client, arrival.local)) return nowhere;
  const auto endpoint = balancer.choose(arrival, executor_.now());
  if (!endpoint) return std::nullopt;
  if (may_({arrival.client, endpoint->address, endpoint->port, transport})) {
    return to_host_port(endpoint);
  }
  return nowhere;
}

const Frontend* ServiceProxy::find(const Listening& at, std::uint16_t* port) const {
  const auto found = entries_.find(at);
  if (found == entries_.end()) return nullptr;
  *port = found->second.moved ? kubelet::moved_port(at.port) : at.port;
  return &found->second.balancer->frontend();
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
