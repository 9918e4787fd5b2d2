#include "why/what_if.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/object.hpp"

namespace coracle::scheduler {
namespace {

Status change_world(const WhatIf& question, const PodInfo& pod, Cache& world) {
  for (const std::string& name : question.without_nodes) {
    if (world.find_node(name) == nullptr) {
      return invalid_argument(fmt::format("spec.withoutNodes: node \"{}\" not found", name));
    }
    world.remove_node(name);
  }
  for (const std::string& key : question.without_pods) {
    if (!world.remove_pod(key)) {
      return invalid_argument(fmt::format("spec.withoutPods: no pod \"{}\" is on a node", key));
    }
  }
  for (const json::value& node : question.nodes) {
    if (api::name_of(node).empty()) {
      return invalid_argument("spec.nodes: metadata.name: Required value");
    }
    world.set_node(parse_node(node));
  }
  // If it has a node already, the question is where it would go now.
  world.remove_pod(pod.key);
  world.surroundings().nominations.remove(pod.uid);
  return {};
}

Result<Profile> changed_profile(const WhatIf& question, const Profile& profile) {
  Profile changed = profile;
  changed.percentage_of_nodes = 100;
  for (const auto& [name, weight] : question.weights) {
    const auto scorer =
        std::find_if(changed.scorers.begin(), changed.scorers.end(),
                     [&](const Profile::Scorer& s) { return s.plugin->name() == name; });
    if (scorer == changed.scorers.end()) {
      std::vector<std::string> known;
      for (const Profile::Scorer& s : changed.scorers) known.emplace_back(s.plugin->name());
      return invalid_argument(
          fmt::format("spec.weights: profile {} has no score plugin \"{}\"; it "
                      "has {}",
                      profile.name, name, fmt::join(known, ", ")));
    }
    if (weight < 0 || weight > 1'000'000) {
      return invalid_argument(
          fmt::format("spec.weights.{}: {}: not in valid range [0, 1000000]", name, weight));
    }
    scorer->weight = weight;
  }
  return changed;
}

// The n-th copy of a pod.
PodPtr copy_of(const PodPtr& pod, std::int64_t n) {
  if (n == 0) return pod;
  auto copy = std::make_shared<PodInfo>(*pod);
  copy->name = fmt::format("{}-{}", pod->name, n);
  copy->key = pod->ns + "/" + copy->name;
  copy->uid = fmt::format("{}-{}", pod->uid, n);
  return copy;
}

}  // namespace

Result<WhatIfAnswer> answer_what_if(const WhatIf& question, const Profile& profile,
                                    const Cache& cache) {
  if (question.copies < 1 || question.copies > kCopiesMax) {
    return invalid_argument(
        fmt::format("spec.copies: {}: not in valid range [1, {}]", question.copies, kCopiesMax));
  }
  ASSIGN_OR_RETURN(const Profile changed, changed_profile(question, profile));
  Cache world = cache;
  const PodPtr pod = placed_on(*parse_pod(question.pod), "");
  RETURN_IF_ERROR(change_world(question, *pod, world));
  WhatIfAnswer answer;
  Rotation rotation;  // of our own: the live one does not move
  for (const auto& plugin : changed.plugins) {
    if (!plugin->is_asked_outside()) continue;
    answer.not_asked.emplace_back(plugin->name());
  }
  for (std::int64_t i = 0; i < question.copies; ++i) {
    const PodPtr copy = copy_of(pod, i);
    answer.decision = decide(changed, copy, world.snapshot(), rotation);
    if (answer.decision.kind != Decision::Kind::kPlaced) break;
    ++answer.placed;
    ++answer.pods_by_node[answer.decision.node];
    world.assume(*copy, answer.decision.node);
  }
  if (question.suggest && answer.decision.kind == Decision::Kind::kFitsNowhere) {
    answer.changes = single_changes(changed, question.pod, *answer.decision.pod, world);
  }
  return answer;
}

}  // namespace coracle::scheduler
