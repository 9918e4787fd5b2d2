// The compiled expressions of ValidatingAdmissionPolicies, which are kept between requests.
#pragma once

#include "api/cel/cel.hpp"
#include "api/policy/expressions.hpp"
#include "apiserver/admission/plugin.hpp"

namespace coracle::apiserver {

using ProgramPtr = std::shared_ptr<const Result<api::cel::Program>>;

// Compiles the policy's expressions as they are asked for. Lives for one request.
class PolicyExpressions {
 public:
  using Place = api::policy::Place;

  PolicyExpressions(AdmissionState& state, const json::value& policy);
  // `name` says where it stands ("spec.validations[0].expression"): text and environment are the
  // policy's. `variables`: how many of those it sees.
  ProgramPtr program(const std::string& name, std::string_view text, Place place,
                     std::size_t variables = api::policy::kAllVariables) const;

 private:
  std::string key_of(const std::string& place) const;

  AdmissionState& state_;
  const json::value& policy_;
};

// spec.variables with their values, evaluated in order; failures are values too.
api::cel::Value policy_variables(const PolicyExpressions& expressions, const json::value& policy,
                                 api::cel::Bindings bindings, api::cel::Budget& budget);

}  // namespace coracle::apiserver
