#include "apiserver/admission/policy_expressions.hpp"

#include "api/object.hpp"

namespace coracle::apiserver {

namespace {

namespace cel = api::cel;

std::string place_of(std::string_view list, std::size_t index, std::string_view field) {
  return "spec." + std::string(list) + "[" + std::to_string(index) + "]." + std::string(field);
}

}  // namespace

PolicyExpressions::PolicyExpressions(AdmissionState& state, const json::value& policy)
    : state_(state), policy_(policy) {}

std::string PolicyExpressions::key_of(const std::string& place) const {
  return std::string(api::uid_of(policy_)) + "/" + std::to_string(api::generation_of(policy_)) +
         "/" + place;
}

ProgramPtr PolicyExpressions::program(const std::string& name, std::string_view text, Place place,
                                      std::size_t variables) const {
  const std::string key = key_of(name);
  if (const auto found = state_.programs.find(key); found != state_.programs.end()) {
    return found->second;
  }
  auto made = std::make_shared<const Result<cel::Program>>(
      cel::Program::compile(text, api::policy::policy_environment(policy_, place, {}, variables)));
  if (state_.programs.size() >= AdmissionState::kProgramsMax) state_.programs.clear();
  state_.programs[key] = made;
  return made;
}

cel::Value policy_variables(const PolicyExpressions& expressions, const json::value& policy,
                            cel::Bindings bindings, cel::Budget& budget) {
  cel::MapRep so_far;
  const json::array& items = get_array(policy, "spec.variables");
  for (std::size_t i = 0; i < items.size(); ++i) {
    cel::Bindings all = bindings;
    all.push_back({"variables", cel::Value::map(so_far)});
    const auto program = expressions.program(place_of("variables", i, "expression"),
                                             get_string(items[i], "expression"),
                                             PolicyExpressions::Place::kVariable, i);
    cel::Value value = program->ok() ? (*program)->evaluate(all, budget)
                                     : cel::Value::error(program->status().message());
    so_far.add(cel::Value::text(std::string(get_string(items[i], "name"))), std::move(value));
  }
  return cel::Value::map(std::move(so_far));
}

}  // namespace coracle::apiserver
