#include "driver/permits.hpp"

#include <fmt/format.h>

#include <vector>

namespace coracle::scheduler {

std::optional<Permits::Outcome> Permits::ask(const Profile& profile, const PodInfo& pod,
                                             const std::string& node, Due* due) const {
  bool waits = false;
  for (const Plugin* plugin : profile.at(Point::kPermit)) {
    Permission said = plugin->permit(pod, node, world_);
    if (said.verdict.is_yes()) continue;
    if (said.verdict.kind() != Verdict::Kind::kNotNow || said.wait == Duration(0)) {
      return Outcome{std::move(said.verdict), plugin};
    }
    if (due->plugin == nullptr || said.wait < due->wait) {
      *due = {plugin, std::min(said.wait, kPermitWaitMax)};
    }
    waits = true;
  }
  if (waits) return std::nullopt;
  return Outcome{};
}

bool Permits::begin(const Profile& profile, const PodPtr& pod, const std::string& node,
                    Outcome* outcome) {
  Due due;
  auto said = ask(profile, *pod, node, &due);
  if (said) {
    *outcome = std::move(*said);
    return true;
  }
  Waiting& waiting = waiting_[pod->key];
  waiting = {&profile, pod, node, executor_.now(), 0};
  waiting.timer = executor_.after(due.wait, [this, key = pod->key, due] {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(due.wait).count();
    finish(key,
           {Verdict::not_now(fmt::format("rejected due to timeout after waiting {}s at plugin {}",
                                         seconds, due.plugin->name())),
            due.plugin});
  });
  return false;
}

void Permits::look_again() {
  std::vector<std::string> keys;
  for (const auto& [key, waiting] : waiting_) keys.push_back(key);
  for (const std::string& key : keys) {
    const auto found = waiting_.find(key);
    if (found == waiting_.end()) continue;  // ended by what another's end set off
    const Waiting& waiting = found->second;
    Due due;
    auto said = ask(*waiting.profile, *waiting.pod, waiting.node, &due);
    if (said) finish(key, std::move(*said));
  }
}

bool Permits::reject(const std::string& key, const std::string& reason) {
  if (!waiting_.contains(key)) return false;
  finish(key, {Verdict::not_now(reason), nullptr});
  return true;
}

size_t Permits::fall_with(const PodInfo& failed) {
  std::vector<std::pair<std::string, const Plugin*>> falling;
  for (const auto& [key, waiting] : waiting_) {
    for (const Plugin* plugin : waiting.profile->at(Point::kPermit)) {
      if (!plugin->falls_with(*waiting.pod, failed, world_)) continue;
      falling.emplace_back(key, plugin);
      break;
    }
  }
  for (const auto& [key, plugin] : falling) {
    if (!waiting_.contains(key)) continue;  // ended by what another's end set off
    finish(key, {Verdict::not_now(fmt::format("pod {} found no node", failed.key)), plugin});
  }
  return falling.size();
}

void Permits::drop(const std::string& key) {
  const auto found = waiting_.find(key);
  if (found == waiting_.end()) return;
  executor_.cancel(found->second.timer);
  waiting_.erase(found);
}

void Permits::finish(const std::string& key, Outcome outcome) {
  const Waiting waiting = waiting_.at(key);
  drop(key);
  done_(waiting.pod, waiting.node, outcome);
}

}  // namespace coracle::scheduler
