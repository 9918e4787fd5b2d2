#include "apiserver/admission/policy_expressions.hpp"

#include "api/object.hpp"

namespace coracle::apiserver {

namespace {

namespace cel = api::cel;

cel::Type request_type() {
  const cel::Type text = cel::Type::of_letter('s'), flag = cel::Type::of_letter('b');
  const auto names = [&](const char* last) {
    return cel::Type::closed_object({{"group", text}, {"version", text}, {last, text}});
  };
  const cel::Type user = cel::Type::closed_object({{"username", text},
                                                   {"uid", text},
                                                   {"groups", cel::Type::list(text)},
                                                   {"extra", cel::Type::dyn()}});
  return cel::Type::closed_object({{"kind", names("kind")},
                                   {"resource", names("resource")},
                                   {"subResource", text},
                                   {"requestKind", names("kind")},
                                   {"requestResource", names("resource")},
                                   {"requestSubResource", text},
                                   {"name", text},
                                   {"namespace", text},
                                   {"operation", text},
                                   {"userInfo", user},
                                   {"dryRun", flag},
                                   {"options", cel::Type::dyn()}});
}

std::string place_of(std::string_view list, std::size_t index, std::string_view field) {
  return "spec." + std::string(list) + "[" + std::to_string(index) + "]." + std::string(field);
}

}  // namespace

cel::Environment admission_environment() {
  cel::Environment out;
  for (const char* name : {"object", "oldObject"}) out.declare(name, cel::Type::dyn());
  out.declare("request", request_type());
  return out;
}

PolicyExpressions::PolicyExpressions(AdmissionState& state, const json::value& policy)
    : state_(state), policy_(policy) {
  std::vector<std::pair<std::string, cel::Type>> known;
  for (const json::value& v : get_array(policy, "spec.variables")) {
    known.emplace_back(get_string(v, "name"), cel::Type::dyn());
  }
  environment_ = admission_environment();
  environment_.declare("namespaceObject", cel::Type::dyn());
  if (find(policy, "spec.paramKind") != nullptr) {
    environment_.declare("params", cel::Type::dyn());
  }
  environment_.declare("variables", cel::Type::closed_object(std::move(known)));
}

std::string PolicyExpressions::key_of(const std::string& place) const {
  return std::string(api::uid_of(policy_)) + "/" + std::to_string(api::generation_of(policy_)) +
         "/" + place;
}

ProgramPtr PolicyExpressions::program(const std::string& place, std::string_view text) const {
  const std::string key = key_of(place);
  if (const auto found = state_.programs.find(key); found != state_.programs.end()) {
    return found->second;
  }
  auto made =
      std::make_shared<const Result<cel::Program>>(cel::Program::compile(text, environment_));
  if (state_.programs.size() >= AdmissionState::kProgramsMax) state_.programs.clear();
  state_.programs[key] = made;
  return made;
}

api::FieldErrors PolicyExpressions::check() const {
  static constexpr std::pair<std::string_view, std::string_view> kPlaces[] = {
      {"matchConditions", "expression"},
      {"variables", "expression"},
      {"validations", "expression"},
      {"validations", "messageExpression"},
      {"auditAnnotations", "valueExpression"}};
  api::FieldErrors errors;
  for (const auto& [list, field] : kPlaces) {
    const json::array& items = get_array(policy_, "spec." + std::string(list));
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::string_view text = get_string(items[i], field);
      if (text.empty()) continue;
      const api::FieldPath path(place_of(list, i, field));
      const auto made = cel::Program::compile(text, environment_);
      const char wanted = field == "expression" && list != "variables" ? 'b'
                          : field == "messageExpression"               ? 's'
                                                                       : '*';
      if (!made.ok()) {
        errors.invalid(path, text, "compilation failed: " + made.status().message());
      } else if (wanted != '*' && !cel::compatible(made->type(), cel::Type::of_letter(wanted))) {
        errors.invalid(path, text, "must evaluate to " + cel::Type::of_letter(wanted).text());
      }
    }
  }
  return errors;
}

cel::Value policy_variables(const PolicyExpressions& expressions, const json::value& policy,
                            cel::Bindings bindings, cel::Budget& budget) {
  cel::MapRep so_far;
  const json::array& items = get_array(policy, "spec.variables");
  for (std::size_t i = 0; i < items.size(); ++i) {
    cel::Bindings all = bindings;
    all.push_back({"variables", cel::Value::map(so_far)});
    const auto program = expressions.program(place_of("variables", i, "expression"),
                                             get_string(items[i], "expression"));
    cel::Value value = program->ok() ? (*program)->evaluate(all, budget)
                                     : cel::Value::error(program->status().message());
    so_far.add(cel::Value::text(std::string(get_string(items[i], "name"))), std::move(value));
  }
  return cel::Value::map(std::move(so_far));
}

}  // namespace coracle::apiserver
