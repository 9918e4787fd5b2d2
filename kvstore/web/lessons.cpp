#include "web/lessons.hpp"

#include "web/raft_page.hpp"

namespace coracle::store {
namespace {

constexpr std::string_view kRoot = "/debug/raft/";

Result<Duration> duration_of(const net::Query& query, std::string_view name, Duration now) {
  if (!query.has(name)) return now;
  const auto parsed = parse_duration(query.get(name));
  RETURN_IF_ERROR(parsed.status().with_context(name));
  return *parsed;
}

Result<Lesson> lesson_of(Member& member, std::string_view name, const net::Query& query) {
  if (name == "pause") return Lesson(lesson::Pause{});
  if (name == "resume") return Lesson(lesson::Resume{});
  if (name == "campaign") return Lesson(lesson::Campaign{});
  if (name == "step") {
    const std::string_view what = query.get("what");
    if (what == "tick") return Lesson(lesson::StepTick{});
    if (what == "message") return Lesson(lesson::StepMessage{});
    return invalid_argument("step: ?what=tick or ?what=message");
  }
  if (name == "cut" || (name == "heal" && query.has("peer"))) {
    if (!query.has("peer")) return invalid_argument("cut: ?peer=NAME is needed");
    ASSIGN_OR_RETURN(const NodeId peer, find_member(member, std::string(query.get("peer"))));
    return name == "cut" ? Lesson(lesson::Cut{peer}) : Lesson(lesson::Heal{peer});
  }
  if (name == "heal") return Lesson(lesson::Heal{});
  if (!query.has("heartbeat") && !query.has("election")) {
    return invalid_argument("timing: ?heartbeat=DURATION or ?election=DURATION, or both");
  }
  const Inside& inside = member.inside;
  ASSIGN_OR_RETURN(const Duration heartbeat, duration_of(query, "heartbeat", inside.heartbeat));
  ASSIGN_OR_RETURN(const Duration election, duration_of(query, "election", inside.election));
  return Lesson(lesson::Timing{heartbeat, election});
}

}  // namespace

bool is_lesson(std::string_view path) {
  if (!path.starts_with(kRoot)) return false;
  path.remove_prefix(kRoot.size());
  for (const std::string_view name :
       {"pause", "resume", "campaign", "step", "cut", "heal", "timing"}) {
    if (path == name) return true;
  }
  return false;
}

Status turn_knob(Member& member, std::string_view path, const net::Query& query) {
  // First of all: may it? A locked knob says nothing else.
  if (!member.options().teaching) return member.teach(lesson::Pause{});
  ASSIGN_OR_RETURN(const Lesson asked, lesson_of(member, path.substr(kRoot.size()), query));
  return member.teach(asked);
}

}  // namespace coracle::store
