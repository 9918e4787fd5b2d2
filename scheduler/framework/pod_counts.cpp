#include "framework/pod_counts.hpp"

#include <algorithm>
#include <optional>

#include "base/check.hpp"
#include "framework/snapshot.hpp"

namespace coracle::scheduler {
namespace {

std::optional<std::string_view> value_of(const NodeInfo& node, const std::string& label) {
  if (label.empty()) return node.name();
  return node.facts().topology(label);
}

}  // namespace

void PodCounts::Key::place(const NodeInfo& node, const std::string& value) {
  auto found = numbers_.find(value);
  if (found == numbers_.end()) {
    Domain domain = static_cast<Domain>(nodes_in_.size());
    if (free_.empty()) {
      nodes_in_.push_back(0);
      values_.push_back(value);
    } else {
      domain = free_.back();
      free_.pop_back();
      values_[domain] = value;
    }
    found = numbers_.emplace(value, domain).first;
  }
  of_slot_[node.slot()] = found->second;
  ++nodes_in_[found->second];
  ++nodes_;
}

void PodCounts::Key::remove(const NodeInfo& node) {
  const Domain domain = of_slot_[node.slot()];
  of_slot_[node.slot()] = kNowhere;
  if (domain == kNowhere) return;
  --nodes_;
  if (--nodes_in_[domain] > 0) return;
  numbers_.erase(values_[domain]);
  free_.push_back(domain);
}

void PodCounts::Counter::add(const NodeInfo& node, int amount) {
  const Domain domain = key_->of(node);
  if (domain == kNowhere) return;
  if (domain >= in_.size()) in_.resize(domain + 1);
  in_[domain] += amount;
  sum_ += amount;
  CHECK(in_[domain] >= 0);
}

bool PodCounts::Less::less(const Question& a, const Question& b) {
  if (a.label != b.label) return a.label < b.label;
  if (a.with_deleting != b.with_deleting) return a.with_deleting < b.with_deleting;
  return std::lexicographical_compare(a.terms.begin(), a.terms.end(), b.terms.begin(),
                                      b.terms.end());
}

PodCounts::PodCounts(const PodCounts& other) : uses_(other.uses_) {
  for (const auto& [label, key] : other.keys_) keys_.emplace(label, std::make_shared<Key>(*key));
  for (const auto& [kept, counted] : other.counters_) {
    counters_.emplace(kept, Counted{copy_of(*counted.counter, kept.label), counted.used});
  }
  for (size_t role = 0; role < demands_.size(); ++role) {
    for (const auto& [term, demand] : other.demands_[role]) {
      demands_[role].emplace(term,
                             Demand{copy_of(*demand.pods, term.topology_key), demand.holders});
    }
  }
}

std::shared_ptr<PodCounts::Counter> PodCounts::copy_of(const Counter& counter,
                                                       const std::string& label) const {
  auto copy = std::make_shared<Counter>(counter);
  copy->key_ = keys_.at(label);  // a key that is in use is kept
  return copy;
}

PodCounts::KeyPtr PodCounts::key(const NodeTable& nodes, const std::string& label) {
  std::shared_ptr<Key>& key = keys_[label];
  if (key != nullptr) return key;
  key = std::make_shared<Key>();
  key->of_slot_.assign(nodes.slots_end(), kNowhere);
  for (const NodeInfo& node : nodes) {
    const auto value = value_of(node, label);
    if (value) key->place(node, std::string(*value));
  }
  const KeyPtr made = key;
  if (keys_.size() > kKeysMax) {
    std::erase_if(keys_, [](const auto& entry) { return entry.second.use_count() == 1; });
  }
  return made;
}

PodCounts::CounterPtr PodCounts::matching(const Snapshot& world, std::span<const PodTerm> terms,
                                          const std::string& label, bool with_deleting) {
  auto found = counters_.find(Question{terms, label, with_deleting});
  if (found == counters_.end()) {
    if (counters_.size() >= kCountersMax) drop_longest_unused();
    found = counters_
                .emplace(Kept{{terms.begin(), terms.end()}, label, with_deleting},
                         Counted{std::make_shared<Counter>(key(world.nodes, label))})
                .first;
    for (const NodeInfo& node : world.nodes) {
      for (const PodPtr& pod : node.pods()) {
        found->second.counter->add(node, amount(world, found->first, *pod));
      }
    }
  }
  found->second.used = ++uses_;
  return found->second.counter;
}

void PodCounts::drop_longest_unused() {
  counters_.erase(
      std::min_element(counters_.begin(), counters_.end(),
                       [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
}

int PodCounts::amount(const Snapshot& world, const Kept& kept, const PodInfo& pod) {
  if (pod.deleting && !kept.with_deleting) return 0;
  return std::all_of(kept.terms.begin(), kept.terms.end(),
                     [&](const PodTerm& term) { return world.matches(term, pod); });
}

// The node's domains are known while its pods are counted: first in, last out.
void PodCounts::count_node(const Snapshot& world, const NodeInfo& node, int sign) {
  if (sign > 0) {
    for (auto& [label, key] : keys_) {
      key->of_slot_.resize(world.nodes.slots_end(), kNowhere);
      const auto value = value_of(node, label);
      if (value) key->place(node, std::string(*value));
    }
  }
  for (const PodPtr& pod : node.pods()) count_pod(world, node, *pod, sign);
  if (sign > 0) return;
  for (auto& [label, key] : keys_) key->remove(node);
}

void PodCounts::count_pod(const Snapshot& world, const NodeInfo& node, const PodInfo& pod,
                          int sign) {
  for (auto& [kept, counted] : counters_) {
    if (const int pods = amount(world, kept, pod); pods != 0) {
      counted.counter->add(node, sign * pods);
    }
  }
  if (!pod.has_pod_affinity()) return;
  count_demands(world.nodes, node, Role::kRequires, pod.affinity, sign);
  count_demands(world.nodes, node, Role::kRefuses, pod.anti_affinity, sign);
  count_demands(world.nodes, node, Role::kPrefers, pod.preferred_affinity, sign);
  count_demands(world.nodes, node, Role::kAvoids, pod.preferred_anti_affinity, sign);
}

void PodCounts::count_demands(const NodeTable& nodes, const NodeInfo& node, Role role,
                              const std::vector<PodTerm>& terms, int sign) {
  Demands& demands = demands_[static_cast<size_t>(role)];
  for (const PodTerm& term : terms) {
    auto found = demands.find(term);
    if (found == demands.end()) {
      auto pods = std::make_shared<Counter>(key(nodes, term.topology_key));
      found = demands.emplace(term, Demand{std::move(pods)}).first;
    }
    found->second.pods->add(node, sign);
    found->second.holders += sign;
    if (found->second.holders == 0) demands.erase(found);
  }
}

bool PodCounts::says_the_same(const Snapshot& world, PodCounts& fresh) const {
  // Domains may be numbered otherwise: node by node.
  const auto same = [&world](const Counter& a, const Counter& b) {
    return a.sum() == b.sum() &&
           std::all_of(world.nodes.begin(), world.nodes.end(),
                       [&](const NodeInfo& node) { return a.at(node) == b.at(node); });
  };
  for (const auto& [kept, counted] : counters_) {
    const auto other = fresh.matching(world, kept.terms, kept.label, kept.with_deleting);
    if (!same(*counted.counter, *other)) return false;
  }
  for (size_t role = 0; role < demands_.size(); ++role) {
    if (demands_[role].size() != fresh.demands_[role].size()) return false;
    for (const auto& [term, demand] : demands_[role]) {
      const auto other = fresh.demands_[role].find(term);
      if (other == fresh.demands_[role].end() || other->second.holders != demand.holders ||
          !same(*demand.pods, *other->second.pods)) {
        return false;
      }
    }
  }
  return true;
}

void PodCounts::forget_namespace_labels() {
  std::erase_if(counters_, [](const auto& entry) {
    const auto& terms = entry.first.terms;
    return std::any_of(terms.begin(), terms.end(),
                       [](const PodTerm& term) { return term.by_namespace_labels; });
  });
}

}  // namespace coracle::scheduler
