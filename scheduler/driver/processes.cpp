#include "driver/processes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/log.hpp"

namespace coracle::scheduler {
namespace {

// In the order of the filters, then those that only score.
std::vector<const ProcessPlugin*> programs_of(const Profile& profile) {
  std::vector<const ProcessPlugin*> found;
  for (const Point point : {Point::kFilter, Point::kScore}) {
    for (const Plugin* plugin : profile.at(point)) {
      const auto* program = dynamic_cast<const ProcessPlugin*>(plugin);
      if (program == nullptr) continue;
      if (std::find(found.begin(), found.end(), program) == found.end()) found.push_back(program);
    }
  }
  return found;
}

std::vector<const NodeInfo*> nodes_named(const Snapshot& world,
                                         const std::vector<std::string>& names) {
  const std::unordered_set<std::string_view> wanted(names.begin(), names.end());
  std::vector<const NodeInfo*> nodes;
  for (const NodeInfo& node : world.nodes) {
    if (node.known() && wanted.contains(node.name())) nodes.push_back(&node);
  }
  return nodes;
}

}  // namespace

Task<Status> Processes::greet(const ProcessSpec& spec, Wanted wanted) {
  const auto answer = co_await port_->exchange(spec, hello_line(spec), spec.start_timeout);
  if (!answer.ok()) co_return answer.status();
  const Status said = read_hello(*answer, wanted);
  if (!said.ok()) port_->discard(spec, said);
  co_return said;
}

Task<Result<ProcessAnswer>> Processes::ask(const ProcessSpec& spec, Wanted wanted,
                                           const json::value& pod, std::vector<std::string> names,
                                           const Snapshot& world) {
  const auto life = co_await port_->ready(spec);
  if (!life.ok()) co_return life.status();
  if (talks_[spec.key].life != *life) {
    const Status greeted = co_await greet(spec, wanted);
    if (!greeted.ok()) co_return greeted;
    talks_[spec.key] = Talk{*life, 0, {}};
  }
  Talk& talk = talks_[spec.key];
  const std::uint64_t id = ++talk.questions;
  // The world may have changed meanwhile: nodes that went are not asked about.
  const auto nodes = nodes_named(world, names);
  std::set<std::string> asked;
  for (const NodeInfo* node : nodes) asked.insert(node->name());
  const auto line = co_await port_->exchange(
      spec, question_line(id, wanted, pod, nodes, world, spec.node_pods, &talk.known),
      spec.timeout);
  if (!line.ok()) co_return line.status();
  auto answer = read_process_answer(*line, id, wanted, asked);
  // Its own "error" is an answer; anything else means that it is lost.
  if (!answer.ok() && answer.status().code() == Code::kInvalidArgument) {
    port_->discard(spec, answer.status());
  }
  co_return answer;
}

Task<bool> Processes::ask_all(const Profile& profile, const json::value& pod, Cycle& cycle,
                              const Snapshot& world) {
  for (const ProcessPlugin* program : programs_of(profile)) {
    std::vector<std::string> names = cycle.fitting_names();
    const Wanted enabled{profile.runs(Point::kFilter, program),
                         profile.runs(Point::kScore, program)};
    if (names.empty() || (!enabled.filter && names.size() < 2)) continue;
    auto answer = co_await ask(program->spec(), enabled, pod, names, world);
    cycle.keep(names);  // in the world as it is now
    if (!answer.ok()) {
      const std::string what =
          fmt::format("running plugin \"{}\" ({}): {}", program->name(),
                      program->spec().command.front(), answer.status().message());
      const bool stop = program->spec().on_failure == ProcessSpec::OnFailure::kStop;
      log::warn("{}; the pod's decision {}", what, stop ? "fails" : "is made without it");
      if (stop) {
        cycle.fail(what);
        co_return false;
      }
      cycle.leave_out(*program, what + "; decided without it");
      continue;
    }
    if (answer->skip) {
      cycle.leave_out(*program);
      continue;
    }
    std::map<std::string, Verdict> noes;
    for (const auto& [node, reason] : answer->noes) noes.emplace(node, Verdict::never(reason));
    cycle.take_answer(*program, noes, std::move(answer->scores));
  }
  co_return true;
}

}  // namespace coracle::scheduler
