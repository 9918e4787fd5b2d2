#include "live_sim/shadow.hpp"

#include <optional>

#include "api/object.hpp"

namespace coracle::sim {

using scheduler::parse_pod;
using scheduler::PodInfo;
using scheduler::PodPtr;

bool ShadowVerdict::equally_good() const {
  if (same() || real_node.empty() || decision.node.empty()) return false;
  const scheduler::Explanation& why = decision.why;
  const auto total_of = [&](const std::string& node) -> std::optional<std::int64_t> {
    for (size_t row = 0; row < why.scored(); ++row) {
      if (why.scored_node(row).name == node) return why.totals[row];
    }
    return {};
  };
  const auto real = total_of(real_node);
  return real && real == total_of(decision.node);
}

Shadow::Shadow(Executor& executor, client::Api& api, Rng rng, scheduler::Config policy, Tell tell)
    : tell_(std::move(tell)),
      pods_(executor, api, rng.split(), {.gvr = {"", "v1", "pods"}}),
      nodes_(executor, api, rng.split(), {.gvr = {"", "v1", "nodes", false}}),
      surroundings_(executor, api, rng.split(), cache_.surroundings(), [](scheduler::Change) {}) {
  for (scheduler::Profile& profile : policy.profiles) {
    const std::string name = profile.name;
    profiles_.emplace(name, std::move(profile));
  }
  rotation_.chance = rng.split();
}

void Shadow::start() {
  const auto set_node = [this](const client::ObjectPtr& node) {
    cache_.set_node(scheduler::parse_node(*node));
  };
  nodes_.add_handler(
      {[set_node](const auto& node, bool) { set_node(node); },
       [set_node](const auto&, const auto& node) { set_node(node); },
       [this](const auto& node, bool) { cache_.remove_node(std::string(api::name_of(*node))); }});
  pods_.add_handler(
      {[this](const auto& pod, bool initial) { on_pod(nullptr, pod, initial); },
       [this](const auto& before, const auto& after) { on_pod(before, after, false); },
       [this](const auto& pod, bool) { on_pod_gone(pod); }});
  surroundings_.start();
  nodes_.start();
  // Pods after nodes: what is bound already must find its node.
  nodes_.when_synced([this] { surroundings_.when_synced([this] { pods_.start(); }); });
}

std::string Shadow::last_error() const {
  return pods_.last_error().empty() ? nodes_.last_error() : pods_.last_error();
}

void Shadow::on_pod(const client::ObjectPtr& before, const client::ObjectPtr& after, bool initial) {
  const PodPtr pod = parse_pod(*after);
  if (pod->finished) return on_pod_gone(after);
  if (!pod->node_name.empty()) {
    refused_.erase(pod->key);
    const bool fresh = cache_.find_pod(pod->key) == nullptr;
    const bool had_node = before != nullptr && !get_string(*before, "spec.nodeName").empty();
    // A Binding writes the condition with the node; whoever names the node itself asks nobody.
    const bool was_bound = pod->scheduled_status == "True";
    if (fresh && !had_node && was_bound && !initial && profiles_.contains(pod->scheduler_name)) {
      judge(after, pod->node_name, "");
    }
    cache_.set_pod(pod);
    return;
  }
  const bool says_nowhere =
      pod->scheduled_status == "False" && pod->scheduled_reason == "Unschedulable";
  if (!says_nowhere || initial || pod->deleting || !profiles_.contains(pod->scheduler_name)) return;
  std::string& told = refused_[pod->key];
  if (told == pod->scheduled_message) return;
  told = pod->scheduled_message;
  judge(after, "", pod->scheduled_message);
}

void Shadow::on_pod_gone(const client::ObjectPtr& pod) {
  const std::string key = client::object_key(*pod);
  refused_.erase(key);
  if (cache_.find_pod(key) != nullptr) cache_.remove_pod(key);
}

// As it was before it was bound: what the other policy would have seen.
void Shadow::judge(const client::ObjectPtr& object, const std::string& real_node,
                   const std::string& real_message) {
  auto waiting = std::make_shared<PodInfo>(*parse_pod(*object));
  waiting->node_name.clear();
  const PodPtr pod = waiting;
  ShadowVerdict verdict;
  verdict.pod = pod;
  verdict.real_node = real_node;
  verdict.real_message = real_message;
  verdict.decision =
      scheduler::decide(profiles_.at(pod->scheduler_name), pod, cache_.snapshot(), rotation_);
  tell_(verdict);
}

}  // namespace coracle::sim
