#include "driver/extenders.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "extender/messages.hpp"

namespace coracle::scheduler {
namespace {

// Stands for all extenders among the plugins that rejected a pod: anything may change their mind.
class AnyExtender final : public Plugin {
 public:
  std::string_view name() const override { return "Extender"; }
  Events helped_by() const override { return ~Events{0}; }
};
const AnyExtender kAnyExtender;

}  // namespace

Extenders::Extenders(std::vector<ExtenderConfig> configs, ExtenderPort* port,
                     ProcessPort* processes, Objects objects)
    : configs_(std::move(configs)),
      port_(port),
      processes_(processes),
      objects_(std::move(objects)) {
  CHECK(configs_.empty() || port_ != nullptr);
}

bool Extenders::decide_on(const Profile& profile, const PodInfo& pod) const {
  if (profile.asks_programs) return true;
  return std::any_of(configs_.begin(), configs_.end(), [&](const ExtenderConfig& e) {
    const bool says =
        !e.filter_verb.empty() || !e.prioritize_verb.empty() || !e.preempt_verb.empty();
    return says && e.is_interested(pod);
  });
}

bool Extenders::bind(const PodInfo& pod) const {
  return std::any_of(configs_.begin(), configs_.end(), [&](const ExtenderConfig& e) {
    return !e.bind_verb.empty() && e.is_interested(pod);
  });
}

std::vector<std::string> Extenders::names() const {
  std::vector<std::string> all;
  for (const ExtenderConfig& extender : configs_) all.push_back(extender.url_prefix);
  return all;
}

Task<Result<std::string>> Extenders::ask(const ExtenderConfig& extender, const std::string& verb,
                                         json::value body) {
  const std::string url = extender_url(extender, verb);
  auto answer = co_await port_->post(extender, url, json::serialize(body));
  if (!answer.ok()) co_return answer.status().with_context(fmt::format("Post \"{}\"", url));
  if (answer->http != 200) {
    co_return Status(Code::kUnavailable, fmt::format("failed {} with extender at URL {}, code {}",
                                                     verb, url, answer->http));
  }
  co_return std::move(answer->body);
}

json::value Extenders::question(const ExtenderConfig& extender, const json::value& pod,
                                const std::vector<std::string>& names) {
  json::array nodes;
  if (!extender.node_cache_capable) {
    for (const std::string& name : names) nodes.push_back(objects_.node(name));
  }
  return extender_args(extender, pod, names, nodes);
}

Task<Status> Extenders::filter(const ExtenderConfig& extender, const json::value& pod,
                               Cycle& cycle) {
  const std::vector<std::string> asked = cycle.fitting_names();
  auto body = co_await ask(extender, extender.filter_verb, question(extender, pod, asked));
  if (!body.ok()) co_return body.status();
  auto answer = read_filter_answer(extender, *body, asked);
  if (!answer.ok()) co_return answer.status();
  for (const auto& [node, why] : answer->unresolvable) {
    cycle.reject(node, Verdict::never(why), &kAnyExtender);
  }
  for (const auto& [node, why] : answer->failed) {
    if (answer->unresolvable.contains(node)) continue;
    cycle.reject(node, Verdict::not_now(why), &kAnyExtender);
  }
  if (answer->kept.size() != asked.size()) cycle.note_rejection(&kAnyExtender);
  cycle.keep(answer->kept);
  co_return Status();
}

Task<Decision> Extenders::decide(const Profile& profile, PodPtr pod, const Snapshot& world,
                                 Rotation& rotation) {
  Cycle cycle(profile, pod, world, rotation);
  const json::value object = objects_.pod(pod->key);
  const bool judged = std::any_of(configs_.begin(), configs_.end(), [&](const auto& extender) {
    return (!extender.filter_verb.empty() || !extender.prioritize_verb.empty()) &&
           extender.is_interested(*pod);
  });
  cycle.filter(judged || profile.asks_programs);
  if (profile.asks_programs) co_await processes_.ask_all(profile, object, cycle, world);
  for (const ExtenderConfig& extender : configs_) {
    if (cycle.fitting().empty() || extender.filter_verb.empty()) continue;
    if (!extender.is_interested(*pod)) continue;
    const Status said = co_await filter(extender, object, cycle);
    if (said.ok()) continue;
    log::warn("extender {}: {}", extender.url_prefix, said.message());
    if (!extender.ignorable) cycle.fail(said.message());
  }
  if (cycle.fitting().empty()) {
    auto candidates = cycle.post_filter();
    if (candidates.empty()) co_return cycle.take();
    for (const ExtenderConfig& extender : configs_) {
      if (extender.preempt_verb.empty() || !extender.is_interested(*pod)) continue;
      auto body = co_await ask(
          extender, extender.preempt_verb,
          preemption_args(extender, object, candidates,
                          [this](const PodInfo& victim) { return objects_.pod(victim.key); }));
      auto judged = body.ok() ? read_preemption_answer(extender, *body, world)
                              : Result<Candidates>(body.status());
      if (judged.ok()) {
        candidates = std::move(*judged);
        if (candidates.empty()) break;
      } else if (!extender.ignorable) {
        cycle.end_preemption("preemption: " + judged.status().message());
        co_return cycle.take();
      }
    }
    cycle.nominate(candidates);
    co_return cycle.take();
  }
  // Scores are asked for first: between our own and the choice the world must stand still.
  const std::vector<std::string> names = cycle.fitting_names();
  std::vector<std::pair<const ExtenderConfig*, std::map<std::string, std::int64_t>>> said;
  for (const ExtenderConfig& extender : configs_) {
    if (names.size() < 2 || extender.prioritize_verb.empty()) continue;
    if (!extender.is_interested(*pod)) continue;
    auto body = co_await ask(extender, extender.prioritize_verb, question(extender, object, names));
    auto scores = body.ok() ? read_priorities(*body)
                            : Result<std::map<std::string, std::int64_t>>(body.status());
    if (scores.ok()) said.emplace_back(&extender, std::move(*scores));
  }
  cycle.keep(names);
  if (cycle.fitting().empty()) cycle.fail("the nodes that fitted are gone");
  if (!cycle.broken()) cycle.score();
  for (const auto& [extender, scores] : said) {
    if (!cycle.broken()) {
      cycle.add_extender_scores(extender->url_prefix, extender->weight, scores);
    }
  }
  if (!cycle.broken()) cycle.choose();
  co_return cycle.take();
}

Task<Result<bool>> Extenders::bind_to(PodPtr pod, std::string node) {
  for (const ExtenderConfig& extender : configs_) {
    if (extender.bind_verb.empty() || !extender.is_interested(*pod)) continue;
    auto body = co_await ask(extender, extender.bind_verb, binding_args(*pod, node));
    const Status bound = body.ok() ? read_binding_answer(*body) : body.status();
    if (bound.ok()) co_return true;
    if (!extender.ignorable) co_return bound;
  }
  co_return false;
}

}  // namespace coracle::scheduler
