#include "network/balancer.hpp"

#include <algorithm>

namespace coracle::network {
namespace {

template <class T>
bool contains(const std::vector<T>& all, const T& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

// What came to localhost came to no node in particular.
const std::vector<Endpoint>& Balancer::candidates(const std::string& local) const {
  const auto node = frontend_.of_node.find(local);
  return frontend_.by_node && node != frontend_.of_node.end() ? node->second : frontend_.endpoints;
}

std::optional<Endpoint> Balancer::choose(const Arrival& arrival, TimePoint now) {
  const auto may = [&](const std::string& range) { return cidr_contains(range, arrival.client); };
  if (!frontend_.source_ranges.empty() &&
      std::none_of(frontend_.source_ranges.begin(), frontend_.source_ranges.end(), may)) {
    return std::nullopt;
  }
  const std::vector<Endpoint>& all = candidates(arrival.local);
  if (frontend_.affinity > Duration{0}) {
    const auto known = clients_.find(arrival.client);
    if (known != clients_.end() && now - known->second.last < frontend_.affinity &&
        contains(all, known->second.endpoint) && !contains(arrival.dead, known->second.endpoint)) {
      known->second.last = now;
      return known->second.endpoint;
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Endpoint& next = all[turn_++ % all.size()];
    if (contains(arrival.dead, next)) continue;
    if (frontend_.affinity > Duration{0}) remember(arrival.client, next, now);
    return next;
  }
  return std::nullopt;
}

void Balancer::remember(const std::string& client, const Endpoint& endpoint, TimePoint now) {
  clients_[client] = {endpoint, now};
  if (clients_.size() <= kClientsMax) return;
  clients_.erase(std::min_element(clients_.begin(), clients_.end(),
                                  [](auto& a, auto& b) { return a.second.last < b.second.last; }));
}

}  // namespace coracle::network
