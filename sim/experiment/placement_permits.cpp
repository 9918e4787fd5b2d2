// From a node that was decided on to the bind: what Permit plugins say, now or later.
#include <algorithm>

#include "cycle/reserve.hpp"
#include "experiment/placement_engine.hpp"

namespace coracle::sim {

using scheduler::PodInfo;
using scheduler::PodPtr;

void PlacementEngine::ask_permits(const PodPtr& pod, const std::string& node) {
  const auto held = held_.find(pod->key);
  const scheduler::Plugin* waits_for = nullptr;
  Duration wait{0};
  for (const scheduler::Plugin* plugin : profile_of(*pod)->at(scheduler::Point::kPermit)) {
    const scheduler::Permission said = plugin->permit(*pod, node, cache_.snapshot());
    if (said.verdict.is_yes()) continue;
    if (said.verdict.kind() != scheduler::Verdict::Kind::kNotNow || said.wait <= Duration(0)) {
      return undo(pod, node, plugin);
    }
    if (waits_for == nullptr || said.wait < wait) wait = said.wait;
    if (waits_for == nullptr) waits_for = plugin;
  }
  if (waits_for == nullptr) return bind(pod, node);
  if (held != held_.end()) return;  // its time runs since it was held first
  const Duration until = agenda_.now() + wait;
  held_[pod->key] = {pod, node, waits_for, until};
  agenda_.at(until, [this, key = pod->key, until] {
    const auto late = held_.find(key);
    if (late == held_.end() || late->second.until != until) return;
    const Held gone = late->second;
    undo(gone.pod, gone.node, gone.by);
  });
}

// Not again while it looks: what it binds changes something, and is seen in the same pass or later.
void PlacementEngine::look_again() {
  if (held_.empty() || looking_) return;
  looking_ = true;
  std::vector<std::string> keys;
  for (const auto& [key, held] : held_) keys.push_back(key);
  for (const std::string& key : keys) {
    const auto found = held_.find(key);
    if (found == held_.end()) continue;
    const Held held = found->second;
    ask_permits(held.pod, held.node);
  }
  looking_ = false;
}

void PlacementEngine::undo(const PodPtr& pod, const std::string& node,
                           const scheduler::Plugin* by) {
  held_.erase(pod->key);
  scheduler::unreserve_all(*profile_of(*pod), *pod, node, cache_.surroundings().reservations);
  cache_.forget(pod->key, pod->uid);
  queue_->park(pod->key, {by}, queue_now());
  changed({.events = scheduler::event::kPodGone, .pod = pod});
}

void PlacementEngine::bind(const PodPtr& pod, const std::string& node) {
  held_.erase(pod->key);
  queue_->remove(pod->key);
  const PodPtr* assumed = cache_.find_pod(pod->key);  // it knows the devices it was given
  auto placed = std::make_shared<PodInfo>(assumed == nullptr ? *pod : **assumed);
  placed->node_name = node;
  constexpr auto kBegin = std::chrono::hours(24 * 365 * 50);  // who started first: any day will do
  placed->start_time = format_micro_time(WallTime(kBegin + agenda_.now()));
  const PodPtr shown = placed;
  const auto events = cache_.set_pod(shown);
  ledger_.pod_bound(agenda_.now(), pod->key, node);
  start(pod->key);
  for (const scheduler::Plugin* plugin : profile_of(*pod)->at(scheduler::Point::kPostBind)) {
    plugin->post_bind(*pod, node, cache_.surroundings().reservations);
  }
  if (events != 0) changed({.events = events, .pod = shown});
}

}  // namespace coracle::sim
