#include "cycle/filters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/strings.hpp"

namespace coracle::scheduler {

// A plain no does not end it: with what the others compute, preemption may turn it.
Filters::Filters(const Profile& profile, const PodInfo& pod, const Snapshot& world)
    : profile_(profile), pod_(pod), world_(world) {
  std::vector<Active> prepared;
  for (const Plugin* plugin : profile.at(Point::kPreFilter)) {
    prepared.push_back({plugin, nullptr});
    if (!pre_filter(*plugin, &prepared.back().state)) return;
    prepared.back().rejected = by_ == plugin;
  }
  const auto skips = [this](const Plugin* plugin) {
    return std::find(skipped_.begin(), skipped_.end(), plugin) != skipped_.end();
  };
  for (const Plugin* plugin : profile.at(Point::kFilter)) {
    if (skips(plugin)) continue;
    active_.push_back({plugin, nullptr});
    for (Active& one : prepared) {
      if (one.plugin == plugin) active_.back() = std::move(one);
    }
  }
}

bool Filters::pre_filter(const Plugin& plugin, StatePtr* state) {
  Verdict verdict = plugin.pre_filter(pod_, world_, state);
  if (verdict.is_skip()) {
    skipped_.push_back(&plugin);
    return true;
  }
  if (verdict.is_yes()) return narrow(plugin);
  verdict_ = std::move(verdict);
  by_ = &plugin;
  return verdict_.kind() == Verdict::Kind::kNotNow;
}

// False: no node is left.
bool Filters::narrow(const Plugin& plugin) {
  auto names = plugin.only_nodes(pod_);
  if (!names) return true;
  narrowed_by_.emplace(plugin.name());
  if (only_) {
    std::set<std::string> both;
    std::set_intersection(only_->begin(), only_->end(), names->begin(), names->end(),
                          std::inserter(both, both.end()));
    names = std::move(both);
  }
  only_ = std::move(names);
  if (!only_->empty()) return true;
  const std::string who = join({narrowed_by_.begin(), narrowed_by_.end()}, " ");
  verdict_ = Verdict::never(
      narrowed_by_.size() == 1
          ? fmt::format("node(s) didn't satisfy plugin {}", who)
          : fmt::format("node(s) didn't satisfy plugin(s) [{}] simultaneously", who));
  by_ = &plugin;
  return false;
}

Verdict Filters::run(const NodeInfo& node, size_t* column) const {
  for (size_t i = 0; i < active_.size(); ++i) {
    const auto& [plugin, state, rejected] = active_[i];
    Verdict verdict = rejected ? verdict_ : plugin->filter(pod_, node, state.get());
    if (verdict.is_yes()) continue;
    *column = i;
    return verdict;
  }
  return Verdict::yes();
}

// With the pods that wait for the node, if they are as important, and without: an affinity to them
// must not count before they are there.
Verdict Filters::look(const NodeInfo& node, size_t* column) {
  if (world_.nominations.empty()) return run(node, column);
  std::vector<PodPtr> nominated;
  for (const PodPtr& other : world_.nominations.on(node.name())) {
    if (other->uid != pod_.uid && other->priority >= pod_.priority) nominated.push_back(other);
  }
  if (!nominated.empty()) {
    NodeInfo with_them = node;
    for (const PodPtr& other : nominated) add_pod(other, with_them);
    Verdict verdict = run(with_them, column);
    for (const PodPtr& other : nominated) remove_pod(other, with_them);
    if (!verdict.is_yes()) return verdict;
  }
  return run(node, column);
}

std::optional<SharedWork::Plugins> Filters::if_all_see_one_node() const {
  SharedWork::Plugins plugins;
  for (const auto& [plugin, state, rejected] : active_) {
    if (rejected || !plugin->sees_one_node()) return std::nullopt;
    plugins.push_back(profile_.owner_of(plugin));
  }
  return plugins;
}

Verdict Filters::filter(const NodeInfo& node) {
  size_t column = 0;
  return look(node, &column);
}

void Filters::add_pod(const PodPtr& other, NodeInfo& node) {
  node.add(other);
  for (const auto& [plugin, state, rejected] : active_) {
    if (!rejected) plugin->add_pod(pod_, *other, node, state.get());
  }
}

void Filters::remove_pod(const PodPtr& other, NodeInfo& node) {
  node.remove(other->key);
  for (const auto& [plugin, state, rejected] : active_) {
    if (!rejected) plugin->remove_pod(pod_, *other, node, state.get());
  }
}

}  // namespace coracle::scheduler
