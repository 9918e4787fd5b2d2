#include <algorithm>
#include <ostream>

#include "api/jsonpath.hpp"
#include "api/object.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "kubectl/await.hpp"
#include "kubectl/output.hpp"
#include "kubectl/target.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

// kubectl takes about this long to start, reading its discovery cache and building its types, so of
// `scale --replicas=0 && wait --for=delete` it never sees pods that go at once, and prints nothing
// for them. We look sooner: what goes within this time of our start counts as gone before we
// looked.
constexpr Duration kStartUp = std::chrono::milliseconds(200);

struct Condition {
  enum class Kind { kDelete, kCreate, kCondition, kJsonPath };
  Kind kind = Kind::kDelete;
  std::string name;   // of the status condition, in lower case
  std::string value;  // wanted; empty with a jsonpath: any
  std::optional<api::JsonPath> path;
};

Result<Condition> parse_jsonpath(const std::string& text) {
  Condition out{.kind = Condition::Kind::kJsonPath};
  // {path}=value: the = outside of the braces parts them.
  size_t depth = 0, equals = text.npos;
  for (size_t i = 0; i < text.size() && equals == text.npos; ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && depth > 0) --depth;
    if (text[i] == '=' && depth == 0) equals = i;
  }
  const std::string path = text.substr(0, equals);
  if (equals != text.npos) {
    out.value = text.substr(equals + 1);
    if (out.value.size() > 1 && (out.value.front() == '"' || out.value.front() == '\'') &&
        out.value.front() == out.value.back()) {
      out.value = out.value.substr(1, out.value.size() - 2);
    }
    if (out.value.empty()) return fail("jsonpath wait value cannot be empty");
  }
  if (path.empty()) return fail("jsonpath expression cannot be empty");
  auto parsed = api::JsonPath::parse_relaxed(path);
  if (!parsed.ok()) return fail(parsed.status().message());
  out.path = std::move(*parsed);
  return out;
}

Result<Condition> parse_condition(const std::string& text) {
  const std::string lower = to_lower(text);
  if (lower == "delete") return Condition{};
  if (lower == "create") return Condition{.kind = Condition::Kind::kCreate};
  if (lower.rfind("condition=", 0) == 0) {
    Condition out{.kind = Condition::Kind::kCondition, .value = "true"};
    out.name = lower.substr(10);
    if (const size_t equals = out.name.find('='); equals != out.name.npos) {
      out.value = out.name.substr(equals + 1);
      out.name = out.name.substr(0, equals);
    }
    return out;
  }
  if (lower.rfind("jsonpath=", 0) == 0) return parse_jsonpath(text.substr(9));
  return fail("unrecognized condition: " + quoted(text));
}

bool condition_holds(const Condition& condition, const json::value& object) {
  for (const json::value& status : get_array(object, "status.conditions")) {
    if (to_lower(get_string(status, "type")) != condition.name) continue;
    const std::int64_t seen =
        get_int(status, "observedGeneration", get_int(object, "status.observedGeneration"));
    if (seen != 0 && seen < api::generation_of(object)) return false;
    return to_lower(get_string(status, "status")) == condition.value;
  }
  return false;
}

bool path_holds(const Condition& condition, const json::value& object) {
  const auto found = condition.path->find(object, {.allow_missing_keys = true});
  if (!found.ok() || found->empty() || found->front().empty()) return false;
  if (condition.value.empty()) return true;
  for (const json::value* value : found->front()) {
    if (value->is_object() || value->is_array()) return false;
    if (api::jsonpath_text(*value) != condition.value) return false;
  }
  return true;
}

class Wait {
 public:
  explicit Wait(Invocation& call)
      : call_(call), session_(call.session), options_(target_options(call.flags, call.args)) {}

  Status run() {
    const std::string text = call_.flags.get("for");
    if (text.empty()) return fail("unrecognized condition: \"\"");
    ASSIGN_OR_RETURN(Condition parsed, parse_condition(text));
    condition_ = std::move(parsed);
    Duration timeout = call_.flags.get_duration("timeout");
    if (timeout < Duration::zero()) timeout = std::chrono::hours(24 * 7);
    const TimePoint start = session_.now();
    deadline_ = start + timeout;
    if (condition_.kind == Condition::Kind::kCreate) return wait_created();
    ASSIGN_OR_RETURN(const auto targets, find_targets(session_, options_));
    const bool gone = condition_.kind == Condition::Kind::kDelete;
    std::vector<Target> objects;
    for (const Target& target : targets) {
      Status status = visit_objects(session_, {target}, options_, [&objects](Target& one) {
        objects.push_back(one);
        return Status();
      });
      if (gone && status.code() == Code::kNotFound) continue;
      RETURN_IF_ERROR(status);
    }
    if (objects.empty() && !gone) return fail("no matching resources found");
    if (gone) RETURN_IF_ERROR(drop_gone_by(std::min(start + kStartUp, deadline_), objects));
    return wait_for_all(objects);
  }

 private:
  // Watches them until `end`, or until the last is gone if that is sooner; keeps those that stay.
  Status drop_gone_by(TimePoint end, std::vector<Target>& objects) {
    std::vector<Target> staying;
    for (Target& target : objects) {
      const Status status = await_object(
          session_, target.resource, target.ns, target.name, end, [&](const json::value* object) {
            return !object || api::uid_of(*object) != api::uid_of(target.object);
          });
      if (status.ok()) continue;
      if (status.code() != Code::kDeadlineExceeded) return status;
      staying.push_back(std::move(target));
    }
    objects = std::move(staying);
    return {};
  }

  Status wait_for_all(const std::vector<Target>& objects) {
    std::vector<Status> failures;
    for (const Target& target : objects) {
      Status status = wait_for(target);
      if (status.code() == Code::kDeadlineExceeded) {
        status = fail("timed out waiting for the condition on " + target.resource.plural + "/" +
                      target.name);
        status = Status(Code::kDeadlineExceeded, status.message());
      }
      if (!status.ok()) failures.push_back(std::move(status));
    }
    return join_failures(failures);
  }

  Status wait_for(const Target& target) {
    const std::string uid(api::uid_of(target.object));
    bool vanished = false;
    json::value last;
    Status status = await_object(session_, target.resource, target.ns, target.name, deadline_,
                                 [&](const json::value* object) {
                                   if (condition_.kind == Condition::Kind::kDelete) {
                                     return !object || api::uid_of(*object) != uid;
                                   }
                                   if (!object) return vanished = true, true;
                                   last = *object;
                                   return condition_.kind == Condition::Kind::kCondition
                                              ? condition_holds(condition_, *object)
                                              : path_holds(condition_, *object);
                                 });
    RETURN_IF_ERROR(status);
    if (vanished) {
      return {Code::kNotFound, "Error from server (NotFound): " + target.resource.group_resource() +
                                   " " + quoted(target.name) + " not found"};
    }
    print(target);
    return {};
  }

  void print(const Target& target) {
    const std::string output = call_.flags.get("output");
    session_.io.out << target.resource.object_name(target.name)
                    << (output == "name" ? "" : " condition met") << "\n"
                    << std::flush;
  }

  Status wait_created() {
    ASSIGN_OR_RETURN(const auto targets, find_targets(session_, options_));
    for (const Target& target : targets) {
      if (target.name.empty()) return fail("a resource name is needed to wait for its creation");
      Status status = await_object(session_, target.resource, target.ns, target.name, deadline_,
                                   [](const json::value* object) { return object != nullptr; });
      if (status.code() == Code::kDeadlineExceeded) {
        return {Code::kDeadlineExceeded, "error: timed out waiting for the condition on " +
                                             target.resource.plural + "/" + target.name};
      }
      RETURN_IF_ERROR(status);
      print(target);
    }
    return {};
  }

  Invocation& call_;
  Session& session_;
  TargetOptions options_;
  Condition condition_;
  TimePoint deadline_;
};

}  // namespace

Command wait_command() {
  Command command{.name = "wait",
                  .usage = "(-f FILE | TYPE NAME | TYPE/NAME | TYPE -l LABEL) --for=CONDITION",
                  .summary = "Wait until resources are as --for says",
                  .examples =
                      "  kubectl wait --for=condition=Ready pod/web\n"
                      "  kubectl wait --for=delete pod -l app=web --timeout=60s\n"
                      "  kubectl wait --for=jsonpath='{.status.phase}'=Running pod/web\n"};
  command.flags = file_flags() + selector_flags() + output_flags();
  command.flags.push_back({"for", 0, FlagType::kString, "",
                           "create, delete, condition=NAME[=VALUE], jsonpath='{PATH}'[=VALUE]"});
  command.flags.push_back({"timeout", 0, FlagType::kDuration, "30s", "Negative: a week"});
  command.run = [](Invocation& call) { return Wait(call).run(); };
  return command;
}

}  // namespace coracle::kubectl
