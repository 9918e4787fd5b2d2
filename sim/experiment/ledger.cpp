#include "experiment/ledger.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/check.hpp"
#include "scenario/metric_names.hpp"
#include "scenario/scenario.hpp"

namespace coracle::sim {
namespace {

double in_seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

double share(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

void override_usage(const json::object& said, Resources* usage) {
  const Resources parsed = scheduler::parse_resources(said);
  for (const auto& amount : said) {
    const std::string_view name = amount.key();
    if (name == "cpu") usage->cpu_milli = parsed.cpu_milli;
    if (name == "memory") usage->memory = parsed.memory;
    if (name == "ephemeral-storage") usage->ephemeral_storage = parsed.ephemeral_storage;
    if (scheduler::is_extended(name)) {
      usage->scalar_slot(std::string(name)) = parsed.scalar(name);
    }
  }
}

PodRow* Ledger::row(const std::string& key) {
  const auto found = newest_.find(key);
  return found == newest_.end() ? nullptr : &pods_[found->second];
}

const PodRow* Ledger::find_pod(const std::string& key) const {
  const auto found = newest_.find(key);
  return found == newest_.end() ? nullptr : &pods_[found->second];
}

NodeRow* Ledger::node_row(const std::string& name) {
  const auto found = node_index_.find(name);
  return found == node_index_.end() ? nullptr : &nodes_[found->second];
}

void Ledger::node(const scheduler::NodeFacts& facts, const std::string& node_class, bool ready) {
  if (node_row(facts.name) == nullptr) {
    node_index_[facts.name] = nodes_.size();
    nodes_.emplace_back();
    nodes_.back().name = facts.name;
  }
  NodeRow& node = *node_row(facts.name);
  node.node_class = node_class;
  node.zone = facts.topology(kZoneLabel).value_or("");
  node.there = true;
  node.ready = ready;
  node.schedulable = !facts.unschedulable;
  node.allocatable = facts.allocatable;
}

void Ledger::node_gone(const std::string& name) {
  NodeRow* node = node_row(name);
  if (node == nullptr) return;
  node->there = node->ready = false;
}

void Ledger::pod_created(Duration at, const scheduler::PodInfo& pod, const std::string& source) {
  const PodRow* before = row(pod.key);
  if (before != nullptr && before->end == PodEnd::kNone) pod_ended(at, pod.key, PodEnd::kDeleted);
  newest_[pod.key] = pods_.size();
  PodRow row;
  row.key = pod.key;
  row.source = source;
  row.priority = pod.priority;
  row.requests = pod.requests;
  row.created = at;
  pods_.push_back(std::move(row));
  ++waiting_;
}

void Ledger::pod_source(const std::string& key, const std::string& source) {
  if (PodRow* pod = row(key)) pod->source = source;
}

void Ledger::pod_bound(Duration at, const std::string& key, const std::string& node) {
  PodRow* pod = row(key);
  if (pod == nullptr || pod->bound || pod->end != PodEnd::kNone) return;
  pod->bound = at;
  pod->node = node;
  pod->message.clear();
  --waiting_;
  ++running_;
  ++scheduled_;
  if (NodeRow* there = node_row(node)) {
    there->requested.add(pod->requests);
    ++there->pods;
  }
}

void Ledger::pod_started(Duration at, const std::string& key, const Resources& usage) {
  PodRow* pod = row(key);
  if (pod == nullptr || !pod->bound || pod->started || pod->end != PodEnd::kNone) return;
  pod->started = at;
  pod_uses(key, usage);
}

void Ledger::pod_uses(const std::string& key, const Resources& usage) {
  PodRow* pod = row(key);
  if (pod == nullptr || !pod->started || pod->end != PodEnd::kNone) return;
  if (NodeRow* node = node_row(pod->node)) {
    node->used.subtract(pod->usage);
    node->used.add(usage);
  }
  pod->usage = usage;
}

void Ledger::leave(PodRow& pod) {
  NodeRow* node = node_row(pod.node);
  if (node == nullptr) return;
  node->requested.subtract(pod.requests);
  if (pod.started) node->used.subtract(pod.usage);
  --node->pods;
}

void Ledger::pod_ended(Duration at, const std::string& key, PodEnd end) {
  PodRow* pod = row(key);
  if (pod == nullptr || pod->end != PodEnd::kNone) return;
  pod->ended = at;
  pod->end = end;
  ++ends_[static_cast<size_t>(end)];
  if (pod->bound) {
    --running_;
    leave(*pod);
  } else {
    --waiting_;
  }
}

void Ledger::decided(Duration at, const scheduler::Decision& decision) {
  ++decisions_;
  PodRow* pod = row(decision.pod->key);
  if (pod != nullptr) {
    ++pod->attempts;
    if (decision.kind != scheduler::Decision::Kind::kPlaced) pod->message = decision.message;
  }
  if (decision.kind != scheduler::Decision::Kind::kPlaced) ++failed_decisions_;
  if (on_decision_) {
    on_decision_({at, decisions_, pod == nullptr ? 1 : pod->attempts, &decision});
  }
}

// Over the nodes that are ready.
struct Ledger::NodeSums {
  std::int64_t ready = 0, empty = 0;
  double cpu = 0, cpu_squares = 0;  // shares of the CPU that is requested
  Resources allocatable, requested, used;
};

Ledger::NodeSums Ledger::sum_nodes() const {
  NodeSums sums;
  for (const NodeRow& node : nodes_) {
    if (!node.ready) continue;
    ++sums.ready;
    if (node.pods == 0) ++sums.empty;
    sums.allocatable.add(node.allocatable);
    sums.requested.add(node.requested);
    sums.used.add(node.used);
    const double cpu = share(node.requested.cpu_milli, node.allocatable.cpu_milli);
    if (std::isnan(cpu)) continue;
    sums.cpu += cpu;
    sums.cpu_squares += cpu * cpu;
  }
  return sums;
}

double Ledger::column_value(std::string_view column, const QueueSizes& queue,
                            const NodeSums& sums) const {
  const auto seen = [](std::int64_t size) {
    return size < 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(size);
  };
  if (column == "queue.active") return seen(queue.active);
  if (column == "queue.backoff") return seen(queue.backoff);
  if (column == "queue.parked") return seen(queue.parked);
  if (column == "queue.gated") return seen(queue.gated);
  if (column == "queue.pending") return static_cast<double>(waiting_);
  if (column == "pods.running") return static_cast<double>(running_);
  if (column == "nodes.ready") return static_cast<double>(sums.ready);
  if (column == "nodes.empty") return static_cast<double>(sums.empty);
  CHECK(column == "imbalance.cpu");
  if (sums.ready == 0) return std::numeric_limits<double>::quiet_NaN();
  const double mean = sums.cpu / static_cast<double>(sums.ready);
  return std::sqrt(std::max(0.0, sums.cpu_squares / static_cast<double>(sums.ready) - mean * mean));
}

void Ledger::sample(Duration at, const QueueSizes& queue) {
  if (columns_.empty()) {
    columns_ = plain_series();
    for (const std::string& resource : resources_) columns_.push_back("utilisation." + resource);
    for (const std::string& resource : resources_) columns_.push_back("usage." + resource);
    samples_.resize(columns_.size());
  }
  sample_times_.push_back(at);
  const NodeSums sums = sum_nodes();
  size_t column = 0;
  for (; column < plain_series().size(); ++column) {
    samples_[column].push_back(column_value(columns_[column], queue, sums));
  }
  for (const Resources* part : {&sums.requested, &sums.used}) {
    for (const std::string& resource : resources_) {
      samples_[column++].push_back(
          share(part->amount(resource), sums.allocatable.amount(resource)));
    }
  }
}

Result<double> Ledger::number(std::string_view name) const {
  const std::pair<std::string_view, std::int64_t> numbers[] = {
      {"pods.created", static_cast<std::int64_t>(pods_.size())},
      {"pods.scheduled", scheduled_},
      {"pods.finished", ended_as(PodEnd::kFinished)},
      {"pods.failed", ended_as(PodEnd::kFailed)},
      {"pods.deleted", ended_as(PodEnd::kDeleted)},
      {"pods.evicted", ended_as(PodEnd::kEvicted)},
      {"pods.lost", ended_as(PodEnd::kLost)},
      {"pods.preempted", ended_as(PodEnd::kPreempted)},
      {"unscheduled", waiting_},
      {"decisions", static_cast<std::int64_t>(decisions_)},
      {"decisions.failed", static_cast<std::int64_t>(failed_decisions_)},
  };
  for (const auto& [known, value] : numbers) {
    if (known == name) return static_cast<double>(value);
  }
  return not_found(
      fmt::format("\"{}\" is no single number: want a function of it, like mean({})", name, name));
}

Result<std::vector<Measures::Point>> Ledger::points(std::string_view name) const {
  std::vector<Point> points;
  if (name.starts_with("pod.")) {
    for (const PodRow& pod : pods_) {
      if (name == "pod.attempts") {
        points.push_back({pod.created, static_cast<double>(pod.attempts)});
      } else if (name == "pod.wait" && pod.bound) {
        points.push_back({*pod.bound, in_seconds(*pod.bound - pod.created)});
      } else if (name == "pod.start" && pod.started) {
        points.push_back({*pod.started, in_seconds(*pod.started - pod.created)});
      }
    }
    return points;
  }
  for (size_t c = 0; c < columns_.size(); ++c) {
    if (columns_[c] != name) continue;
    for (size_t i = 0; i < sample_times_.size(); ++i) {
      if (!std::isnan(samples_[c][i])) points.push_back({sample_times_[i], samples_[c][i]});
    }
    return points;
  }
  if (is_series(name)) return points;  // of a resource no node has
  return not_found(
      fmt::format("\"{}\" is one number: functions want a series or a distribution", name));
}

}  // namespace coracle::sim
