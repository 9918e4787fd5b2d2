// PodCounts: how many placed pods of a kind each topology domain has, kept up to date pod by pod,
// so that no decision walks over the pods of the cluster.
//
// A Key is a node label whose values are domains, numbered. A Counter counts, by the domains of one
// key, the pods that some terms are about (made when first asked for, and kept while it is asked
// for). A Demand is a term that placed pods have, with how many have it where. Owner: the Snapshot,
// which tells it of every change. Bounds: kCountersMax counters and kKeysMax unused keys, the
// longest unused go; demands are those of the placed pods. Cost of a pod that comes or goes: one
// match per counter. Numbers of domains are given again when nobody is in them. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "framework/node_table.hpp"

namespace coracle::scheduler {

class Snapshot;

class PodCounts {
 public:
  using Domain = std::uint32_t;
  static constexpr Domain kNowhere = 0xffff'ffff;  // the node has no such label
  static constexpr size_t kCountersMax = 256, kKeysMax = 64;

  class Key {
   public:
    Domain of(const NodeInfo& node) const { return of_slot_[node.slot()]; }
    size_t domains_end() const { return nodes_in_.size(); }
    // 0: the number is nobody's.
    int nodes_in(Domain domain) const { return nodes_in_[domain]; }
    int nodes() const { return nodes_; }  // with the label

   private:
    friend class PodCounts;
    void place(const NodeInfo& node, const std::string& value);
    void remove(const NodeInfo& node);
    std::vector<Domain> of_slot_;
    std::unordered_map<std::string, Domain> numbers_;  // by value; never iterated
    std::vector<int> nodes_in_;                        // by domain
    std::vector<std::string> values_;
    std::vector<Domain> free_;
    int nodes_ = 0;
  };
  using KeyPtr = std::shared_ptr<const Key>;

  class Counter {
   public:
    explicit Counter(KeyPtr key) : key_(std::move(key)) {}
    const Key& key() const { return *key_; }
    const KeyPtr& key_ptr() const { return key_; }
    std::int64_t in(Domain domain) const { return domain < in_.size() ? in_[domain] : 0; }
    std::int64_t at(const NodeInfo& node) const { return in(key_->of(node)); }
    std::int64_t sum() const { return sum_; }

   private:
    friend class PodCounts;
    void add(const NodeInfo& node, int amount);
    KeyPtr key_;
    std::vector<std::int32_t> in_;  // by domain; what is beyond its end is 0
    std::int64_t sum_ = 0;
  };
  using CounterPtr = std::shared_ptr<const Counter>;

  // What a term of a placed pod is to it: required or preferred, near or apart.
  enum class Role : std::uint8_t { kRequires, kRefuses, kPrefers, kAvoids };
  struct Demand {
    std::shared_ptr<Counter> pods;
    std::int64_t holders = 0;  // also on nodes without the label
  };
  using Demands = std::map<PodTerm, Demand>;

  PodCounts() = default;
  // Shares nothing with the other.
  PodCounts(const PodCounts& other);
  PodCounts& operator=(const PodCounts& other) {
    *this = PodCounts(other);
    return *this;
  }
  PodCounts(PodCounts&&) = default;
  PodCounts& operator=(PodCounts&&) = default;
  ~PodCounts() = default;

  // The empty label: every node is a domain of its own.
  KeyPtr key(const NodeTable& nodes, const std::string& label);
  // Pods that each of the terms is about; their topology keys and weights say nothing here.
  CounterPtr matching(const Snapshot& world, std::span<const PodTerm> terms,
                      const std::string& label, bool with_deleting = true);
  const Demands& demands(Role role) const { return demands_[static_cast<size_t>(role)]; }

  // The node is in the table, with its pods; or about to leave it.
  void add_node(const Snapshot& world, const NodeInfo& node) { count_node(world, node, 1); }
  void remove_node(const Snapshot& world, const NodeInfo& node) { count_node(world, node, -1); }
  void add_pod(const Snapshot& world, const NodeInfo& node, const PodInfo& pod) {
    count_pod(world, node, pod, 1);
  }
  void remove_pod(const Snapshot& world, const NodeInfo& node, const PodInfo& pod) {
    count_pod(world, node, pod, -1);
  }
  // Whether `fresh`, which was told of everything just now, agrees.
  bool says_the_same(const Snapshot& world, PodCounts& fresh) const;
  // Labels of namespaces changed.
  void forget_namespace_labels();

 private:
  struct Question {
    std::span<const PodTerm> terms;
    std::string_view label;
    bool with_deleting;
  };
  struct Kept {
    std::vector<PodTerm> terms;
    std::string label;
    bool with_deleting = true;
    Question question() const { return {terms, label, with_deleting}; }
  };
  struct Less {
    using is_transparent = void;
    static bool less(const Question& a, const Question& b);
    bool operator()(const Kept& a, const Kept& b) const { return less(a.question(), b.question()); }
    bool operator()(const Kept& a, const Question& b) const { return less(a.question(), b); }
    bool operator()(const Question& a, const Kept& b) const { return less(a, b.question()); }
  };
  struct Counted {
    std::shared_ptr<Counter> counter;
    std::uint64_t used = 0;
  };
  // The same counts by a key of ours.
  std::shared_ptr<Counter> copy_of(const Counter& counter, const std::string& label) const;
  static int amount(const Snapshot& world, const Kept& kept, const PodInfo& pod);
  void count_node(const Snapshot& world, const NodeInfo& node, int sign);
  void count_pod(const Snapshot& world, const NodeInfo& node, const PodInfo& pod, int sign);
  void count_demands(const NodeTable& nodes, const NodeInfo& node, Role role,
                     const std::vector<PodTerm>& terms, int sign);
  void drop_longest_unused();

  std::map<std::string, std::shared_ptr<Key>> keys_;  // by label
  std::map<Kept, Counted, Less> counters_;
  std::array<Demands, 4> demands_;
  std::uint64_t uses_ = 0;
};

}  // namespace coracle::scheduler
