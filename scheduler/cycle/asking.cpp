#include "cycle/asking.hpp"

#include <algorithm>

namespace coracle::scheduler {

FilterAsking::FilterAsking(const Profile& profile, const PodInfo& pod, const Snapshot& world,
                           bool shares, Filters& filters, Explanation& why)
    : pod_(pod),
      world_(world),
      filters_(filters),
      why_(why),
      nominations_(!world.nominations.empty()) {
  SharedWork::Plugins shared;
  for (const Filters::Active& one : filters.active()) {
    const bool sees_one = shares && one.plugin->sees_one_node();
    places_.push_back(sees_one ? static_cast<std::uint16_t>(shared.size()) : kAlone);
    if (sees_one) shared.push_back(profile.owner_of(one.plugin));
  }
  if (shared.empty()) return;
  all_shared_ = shared.size() == places_.size();
  kept_ = &world.shared().filtered(pod, shared, world.nodes.slots_end());
  numbers_.assign(kept_->texts.size(), -1);
}

bool FilterAsking::refresh(const NodeInfo& node, std::uint32_t slot) {
  const std::uint64_t stamp = world_.nodes.stamp(slot);
  if (kept_->stamps[slot] == stamp) return true;
  bool fits = true;
  for (size_t column = 0; column < places_.size(); ++column) {
    if (places_[column] == kAlone) continue;
    const Verdict verdict = filters_.active()[column].plugin->filter(pod_, node, nullptr);
    std::uint16_t number = SharedWork::kPassed;
    if (!verdict.is_yes()) {
      if (verdict.kind() == Verdict::Kind::kBroken) return false;
      fits = false;
      auto& texts = kept_->texts;
      const auto found = std::find(texts.begin(), texts.end(), verdict);
      number = static_cast<std::uint16_t>(found - texts.begin());
      if (found == texts.end()) {
        if (texts.size() >= SharedWork::kTextsMax) return false;
        texts.push_back(verdict);
        numbers_.push_back(-1);
      }
    }
    kept_->verdicts[slot * kept_->plugins.size() + places_[column]] = number;
  }
  kept_->fits[slot] = fits ? stamp : 0;
  kept_->stamps[slot] = stamp;
  return true;
}

size_t FilterAsking::known_to_fit(size_t index, size_t count) const {
  if (!all_shared_ || nominations_) return 0;
  const std::uint64_t* const fits = kept_->fits.data();
  const NodeTable& nodes = world_.nodes;
  size_t known = 0;
  for (; known < count; ++known) {
    const std::uint32_t slot = nodes.slot(index + known);
    if (fits[slot] != nodes.stamp(slot)) break;
  }
  return known;
}

Verdict FilterAsking::look(const NodeInfo& node, size_t* column) {
  if (kept_ == nullptr || has_nominated(node) || !refresh(node, node.slot())) {
    return filters_.look(node, column);
  }
  const std::uint16_t* said = &kept_->verdicts[node.slot() * kept_->plugins.size()];
  for (*column = 0; *column < places_.size(); ++*column) {
    const std::uint16_t place = places_[*column];
    if (place != kAlone) {
      if (said[place] != SharedWork::kPassed) return kept_->texts[said[place]];
      continue;
    }
    const Filters::Active& one = filters_.active()[*column];
    Verdict verdict = one.plugin->filter(pod_, node, one.state.get());
    if (!verdict.is_yes()) return verdict;
  }
  return Verdict::yes();
}

std::uint16_t FilterAsking::ask(const NodeInfo& node, size_t column) {
  const std::uint32_t slot = node.slot();
  if (kept_ != nullptr && places_[column] != kAlone &&
      kept_->stamps[slot] == world_.nodes.stamp(slot)) {
    const std::uint16_t text = kept_->verdicts[slot * kept_->plugins.size() + places_[column]];
    return text == SharedWork::kPassed ? Explanation::kPassed : number_of(text);
  }
  const Filters::Active& one = filters_.active()[column];
  const Verdict verdict = one.plugin->filter(pod_, node, one.state.get());
  return verdict.is_yes() ? Explanation::kPassed : why_.number(verdict);
}

std::uint16_t FilterAsking::number_of(std::uint16_t text) {
  if (numbers_[text] < 0) numbers_[text] = why_.number(kept_->texts[text]);
  return static_cast<std::uint16_t>(numbers_[text]);
}

void ask_scores(const Profile& profile, const Plugin& plugin, const PodInfo& pod,
                const PluginState* state, const Snapshot& world, const ScoredNodes& nodes,
                bool shares, std::vector<std::int64_t>& scores) {
  const size_t count = nodes.indexes.size();
  scores.resize(count);
  if (!shares || !plugin.sees_one_node()) {
    for (size_t i = 0; i < count; ++i) {
      scores[i] = plugin.score(pod, world.nodes[nodes.indexes[i]], state);
    }
    return;
  }
  SharedWork::Scored& kept =
      world.shared().scored(pod, {profile.owner_of(&plugin)}, world.nodes.slots_end());
  std::uint64_t* const stamps = kept.stamps.data();
  std::int64_t* const raw = kept.raw.data();
  std::int64_t* const out = scores.data();
  const std::uint32_t* const slots = nodes.slots.data();
  const auto ask = [&](size_t i, std::uint64_t stamp) {
    raw[slots[i]] = plugin.score(pod, world.nodes[nodes.indexes[i]], nullptr);
    stamps[slots[i]] = stamp;
  };
  for (size_t i = 0; i < count; ++i) {
    const std::uint32_t slot = slots[i];
    const std::uint64_t stamp = world.nodes.stamp(slot);
    if (stamps[slot] != stamp) [[unlikely]]
      ask(i, stamp);
    out[i] = raw[slot];
  }
}

}  // namespace coracle::scheduler
