// Ledger: what happened to pods and nodes in an experiment, and the metrics of it. An engine tells
// it; tables, reports and assertions read it. It decides nothing. Pure; one owner.
//
// Times are since the experiment's beginning and never go back. Amounts are scheduler::Resources.
// Bound: a row for each pod that ever was, each node, and each sample.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cycle/cycle.hpp"
#include "scenario/assertion.hpp"

namespace coracle::sim {

using scheduler::Resources;

enum class PodEnd : std::uint8_t {
  kNone,       // it waits or runs
  kFinished,   // its run ended well
  kFailed,     // its run ended badly
  kDeleted,    // by its owner
  kEvicted,    // its node was gone for too long, or had too little
  kPreempted,  // for a more important one
  kLost,       // its node was removed
};
inline constexpr std::array<std::string_view, 7> kPodEndNames = {
    "", "finished", "failed", "deleted", "evicted", "preempted", "lost"};

struct PodRow {
  std::string key, source, node;
  std::int64_t priority = 0;
  Resources requests, usage;
  Duration created{0};
  std::optional<Duration> bound, started, ended;
  int attempts = 0;
  PodEnd end = PodEnd::kNone;
  std::string message;  // of the last decision that found no node
};

struct NodeRow {
  std::string name, node_class, zone;
  bool there = false, ready = false, schedulable = true;
  Resources allocatable, requested, used;
  std::int64_t pods = 0;
};

// Of the queue; negative: the engine does not see it.
struct QueueSizes {
  std::int64_t active = -1, backoff = -1, parked = -1, gated = -1;
};

struct DecisionRow {
  Duration at{0};
  std::uint64_t number = 0;  // from 1 on
  int attempt = 0;           // of the pod, from 1 on
  const scheduler::Decision* decision = nullptr;
};

class Ledger final : public Measures {
 public:
  using OnDecision = std::function<void(const DecisionRow&)>;
  // `resources`: whose utilisation is sampled.
  explicit Ledger(std::vector<std::string> resources) : resources_(std::move(resources)) {}
  void on_decision(OnDecision hook) { on_decision_ = std::move(hook); }

  // ---- engines tell ----
  void node(const scheduler::NodeFacts& facts, const std::string& node_class, bool ready);
  void node_gone(const std::string& name);
  void pod_created(Duration at, const scheduler::PodInfo& pod, const std::string& source);
  void pod_source(const std::string& key, const std::string& source);  // known only now
  void pod_bound(Duration at, const std::string& key, const std::string& node);
  void pod_started(Duration at, const std::string& key, const Resources& usage);
  void pod_uses(const std::string& key, const Resources& usage);
  void pod_ended(Duration at, const std::string& key, PodEnd end);
  void decided(Duration at, const scheduler::Decision& decision);
  void happened(Duration at, std::string what) { events_.emplace_back(at, std::move(what)); }

  // ---- what was ----
  const std::vector<PodRow>& pods() const { return pods_; }
  const PodRow* find_pod(const std::string& key) const;         // the newest of that name
  const std::vector<NodeRow>& nodes() const { return nodes_; }  // as they became known
  const std::vector<std::pair<Duration, std::string>>& events() const { return events_; }
  std::int64_t waiting() const { return waiting_; }
  std::int64_t running() const { return running_; }

  // ---- samples ----
  void sample(Duration at, const QueueSizes& queue);
  const std::vector<std::string>& resources() const { return resources_; }
  const std::vector<std::string>& columns() const { return columns_; }
  const std::vector<Duration>& sample_times() const { return sample_times_; }
  // By column, then by sample. NaN: not seen.
  const std::vector<std::vector<double>>& samples() const { return samples_; }

  Result<double> number(std::string_view name) const override;
  Result<std::vector<Point>> points(std::string_view name) const override;

 private:
  PodRow* row(const std::string& key);
  NodeRow* node_row(const std::string& name);
  void leave(PodRow& pod);
  struct NodeSums;
  NodeSums sum_nodes() const;
  double column_value(std::string_view column, const QueueSizes& queue, const NodeSums& sums) const;
  std::int64_t ended_as(PodEnd end) const { return ends_[static_cast<size_t>(end)]; }

  const std::vector<std::string> resources_;
  OnDecision on_decision_;
  std::vector<PodRow> pods_;
  std::unordered_map<std::string, size_t> newest_;  // key -> pods_; never iterated
  std::vector<NodeRow> nodes_;
  std::unordered_map<std::string, size_t> node_index_;  // never iterated
  std::vector<std::pair<Duration, std::string>> events_;
  std::array<std::int64_t, 7> ends_{};
  std::int64_t waiting_ = 0, running_ = 0, scheduled_ = 0;
  std::uint64_t decisions_ = 0, failed_decisions_ = 0;
  std::vector<std::string> columns_;
  std::vector<Duration> sample_times_;
  std::vector<std::vector<double>> samples_;
};

// What a pod uses: its requests, but what `said` names.
void override_usage(const json::object& said, Resources* usage);

}  // namespace coracle::sim
