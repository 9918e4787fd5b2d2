#include "api/policy/expressions.hpp"

#include <algorithm>

namespace coracle::api::policy {
namespace {

using cel::Type;

Type text() { return Type::of_letter('s'); }

Type map_of(Type value) {
  Type out = Type::of_letter('m');
  out.of = {text(), std::move(value)};
  return out;
}

Type request_type() {
  const auto names = [](const char* last) {
    return Type::closed_object({{"group", text()}, {"version", text()}, {last, text()}});
  };
  const Type user = Type::closed_object({{"username", text()},
                                         {"uid", text()},
                                         {"groups", Type::list(text())},
                                         {"extra", map_of(Type::list(text()))}});
  return Type::closed_object({{"kind", names("kind")},
                              {"resource", names("resource")},
                              {"subResource", text()},
                              {"requestKind", names("kind")},
                              {"requestResource", names("resource")},
                              {"requestSubResource", text()},
                              {"name", text()},
                              {"namespace", text()},
                              {"operation", text()},
                              {"userInfo", user},
                              {"dryRun", Type::of_letter('b')},
                              {"options", Type::dyn()}});
}

Type namespace_type() {
  const Type time = Type::of_letter('t'), number = Type::of_letter('i');
  const Type metadata = Type::closed_object({{"name", text()},
                                             {"generateName", text()},
                                             {"namespace", text()},
                                             {"labels", map_of(text())},
                                             {"annotations", map_of(text())},
                                             {"UID", text()},
                                             {"creationTimestamp", time},
                                             {"deletionGracePeriodSeconds", number},
                                             {"deletionTimestamp", time},
                                             {"generation", number},
                                             {"resourceVersion", text()},
                                             {"finalizers", Type::list(text())}});
  const Type condition = Type::closed_object({{"status", text()},
                                              {"type", text()},
                                              {"lastTransitionTime", time},
                                              {"message", text()},
                                              {"reason", text()}});
  return Type::closed_object({{"metadata", metadata},
                              {"spec", Type::closed_object({{"finalizers", Type::list(text())}})},
                              {"status", Type::closed_object({{"conditions", Type::list(condition)},
                                                              {"phase", text()}})}});
}

// Each variable sees those before it.
Type variables_type(const json::value& policy, const Types& types, std::size_t count) {
  std::vector<std::pair<std::string, Type>> known;
  const json::array& list = get_array(policy, "spec.variables");
  for (std::size_t i = 0; i < std::min(count, list.size()); ++i) {
    cel::Environment seen = policy_environment(policy, Place::kVariable, types, 0);
    seen.declare("variables", Type::closed_object(known));
    const auto made = cel::Program::compile(get_string(list[i], "expression"), seen);
    known.emplace_back(get_string(list[i], "name"), made.ok() ? made->type() : Type::dyn());
  }
  return Type::closed_object(std::move(known));
}

}  // namespace

cel::Environment policy_environment(const json::value& policy, Place place, const Types& types,
                                    std::size_t variables) {
  cel::Environment out;
  out.declare("object", types.object);
  out.declare("oldObject", types.object);
  out.declare("request", request_type());
  out.declare("namespaceObject", namespace_type());
  if (find(policy, "spec.paramKind") != nullptr) out.declare("params", types.params);
  if (place != Place::kMessage) out.declare("authorizer", Type::of_letter('A'));
  const bool composed = !get_array(policy, "spec.variables").empty();
  if (composed && place != Place::kMatchCondition && variables > 0) {
    out.declare("variables", variables_type(policy, types, variables));
  }
  return out;
}

cel::Environment webhook_environment() {
  return policy_environment(json::value(json::object()), Place::kMatchCondition);
}

std::string expression_problem(std::string_view text, const cel::Environment& environment,
                               Place place) {
  const auto made = cel::Program::compile(text, environment);
  if (!made.ok()) return "compilation failed: " + made.status().message();
  const char got = made->type().letter;
  switch (place) {
    case Place::kVariable:
      return {};
    case Place::kMessage:
      return got == 's' ? "" : "must evaluate to string but got " + made->type().text();
    case Place::kAnnotation:
      return got == 's' || got == 'n'
                 ? ""
                 : "must evaluate to one of [string null_type] but got " + made->type().text();
    case Place::kMatchCondition:
    case Place::kValidation:
      return got == 'b' ? "" : "must evaluate to bool but got " + made->type().text();
  }
  return {};
}

}  // namespace coracle::api::policy
