// DomainSums: numbers by topology domain (key and value of a node label). For plugins. Pure.
#pragma once

#include <map>
#include <string>

#include "framework/node_info.hpp"

namespace coracle::scheduler {

class DomainSums {
 public:
  // A node without the label belongs to no domain: nothing is added. What sums up to nothing is
  // not there.
  void add(const std::string& key, const NodeInfo& node, std::int64_t amount) {
    const auto value = node.facts().topology(key);
    if (!value || amount == 0) return;
    std::int64_t& sum = slot(key, *value);
    sum += amount;
    if (sum != 0) return;
    const auto domains = sums_.find(key);
    domains->second.erase(domains->second.find(*value));
    if (domains->second.empty()) sums_.erase(domains);
  }
  std::int64_t& slot(const std::string& key, std::string_view value) {
    auto& domains = sums_[key];
    const auto at = domains.find(value);
    return at != domains.end() ? at->second : domains[std::string(value)];
  }
  std::int64_t at(std::string_view key, const NodeInfo& node) const {
    const auto domains = sums_.find(key);
    const auto value = node.facts().topology(key);
    if (domains == sums_.end() || !value) return 0;
    const auto at = domains->second.find(*value);
    return at == domains->second.end() ? 0 : at->second;
  }
  // Over the node's domains of all keys.
  std::int64_t total(const NodeInfo& node) const {
    std::int64_t sum = 0;
    for (const auto& [key, domains] : sums_) sum += at(key, node);
    return sum;
  }
  bool empty() const { return sums_.empty(); }

 private:
  std::map<std::string, std::map<std::string, std::int64_t, std::less<>>, std::less<>> sums_;
};

}  // namespace coracle::scheduler
