// What the people's machine sees of pods and nodes, told to the ledger.
#include "api/object.hpp"
#include "base/strings.hpp"
#include "cluster_engine/cluster_engine.hpp"

namespace coracle::sim {
namespace {

std::string_view condition(const json::value& object, std::string_view type,
                           std::string_view member) {
  for (const json::value& one : get_array(object, "status.conditions")) {
    if (get_string(one, "type") == type) return get_string(one, member);
  }
  return {};
}

// Of a pod that is over or gone. `asked`: somebody wanted its end.
PodEnd end_of(const json::value& pod, bool asked) {
  const std::string_view reason = condition(pod, "DisruptionTarget", "reason");
  if (reason == "PreemptionByScheduler") return PodEnd::kPreempted;
  if (reason == "DeletionByPodGC") return PodEnd::kLost;
  if (!reason.empty()) return PodEnd::kEvicted;
  if (asked) return PodEnd::kDeleted;
  return get_string(pod, "status.phase") == "Succeeded" ? PodEnd::kFinished : PodEnd::kFailed;
}

}  // namespace

const Arrival* ClusterEngine::arrival_of(const json::value& pod) const {
  const json::value* text = find_keys(pod, {"metadata", "annotations", kArrivalAnnotation});
  long long index = -1;
  if (text == nullptr || !text->is_string() || !parse_int(text->get_string(), &index)) return {};
  const auto& arrivals = input_.plan->arrivals;
  if (index < 0 || static_cast<size_t>(index) >= arrivals.size()) return nullptr;
  return &arrivals[static_cast<size_t>(index)];
}

// The scheduler's watch and the people's bring a pod in any order.
ClusterEngine::Seen& ClusterEngine::meet(const scheduler::PodInfo& pod) {
  const auto [seen, fresh] = seen_.try_emplace(pod.uid);
  if (fresh) {
    newest_[pod.key] = pod.uid;
    ledger_.pod_created(now(), pod, "");
  }
  return seen->second;
}

ClusterEngine::Seen* ClusterEngine::newest(const json::value& pod) {
  const auto found = newest_.find(client::object_key(pod));
  if (found == newest_.end() || found->second != api::uid_of(pod)) return nullptr;
  return &seen_.at(found->second);
}

void ClusterEngine::on_decision(const scheduler::Decision& decision) {
  meet(*decision.pod);
  ledger_.decided(now(), decision);
  decided_ = true;
  if (decision.kind == scheduler::Decision::Kind::kBroken) {
    fail(internal_error(fmt::format("the decision about pod {} failed at {}: {}", decision.pod->key,
                                    human_duration(now()), decision.message)));
  }
}

void ClusterEngine::on_pod(const client::ObjectPtr& before, const client::ObjectPtr& after) {
  // A name that is used again may come as a change.
  const bool other = before && after && api::uid_of(*before) != api::uid_of(*after);
  if (before && (!after || other)) {
    Seen* gone = newest(*before);
    if (gone != nullptr && !gone->over) {
      ledger_.pod_ended(now(), client::object_key(*before), end_of(*before, true));
      gone->over = true;
    }
  }
  if (!after) return;
  const json::value& pod = *after;
  const std::string key = client::object_key(pod);
  const scheduler::PodPtr info = scheduler::parse_pod(pod);
  meet(*info);
  Seen* const seen = newest(pod);
  if (seen == nullptr || seen->over) return;
  const Arrival* arrival = arrival_of(pod);
  if (!std::exchange(seen->attributed, true)) {
    ledger_.pod_source(key, arrival == nullptr ? "cluster" : arrival->source);
  }
  const std::string_view node = get_string(pod, "spec.nodeName");
  if (!node.empty() && !std::exchange(seen->bound, true)) {
    ledger_.pod_bound(now(), key, std::string(node));
  }
  const std::string_view phase = get_string(pod, "status.phase");
  seen->over = phase == "Succeeded" || phase == "Failed";
  if ((phase == "Running" || seen->over) && !std::exchange(seen->started, true)) {
    Resources usage = info->requests;
    if (arrival != nullptr) override_usage(arrival->usage, &usage);
    ledger_.pod_started(now(), key, usage);
  }
  const bool leaving = find(pod, "metadata.deletionTimestamp") != nullptr;
  if (seen->over) return ledger_.pod_ended(now(), key, end_of(pod, leaving));
  // Nobody can tell when it ends on a machine that is not heard of; its owner counts it no more.
  if (!leaving || node.empty() || ready_.contains(std::string(node))) return;
  seen->over = true;
  ledger_.pod_ended(now(), key, end_of(pod, leaving));
}

void ClusterEngine::on_node(const client::ObjectPtr& before, const client::ObjectPtr& after) {
  const std::string name(api::name_of(after ? *after : *before));
  const bool ready = after && condition(*after, "Ready", "status") == "True";
  if (ready) {
    ready_.insert(name);
  } else {
    ready_.erase(name);
  }
  if (!after) return ledger_.node_gone(name);
  const json::value* node_class =
      find_keys(*after, {"metadata", "labels", "sim.coracle.dev/class"});
  const bool said = node_class != nullptr && node_class->is_string();
  ledger_.node(*scheduler::parse_node(*after),
               said ? std::string(node_class->get_string()) : std::string(), ready);
}

}  // namespace coracle::sim
