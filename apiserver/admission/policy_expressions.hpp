// The expressions of ValidatingAdmissionPolicies: what they see, and their compiled forms, which
// are kept between requests.
#pragma once

#include "api/cel/cel.hpp"
#include "apiserver/admission/plugin.hpp"

namespace coracle::apiserver {

using ProgramPtr = std::shared_ptr<const Result<api::cel::Program>>;

// object, oldObject and request: what every expression of admission sees.
api::cel::Environment admission_environment();

// Compiles the policy's expressions as they are asked for. Lives for one request.
class PolicyExpressions {
 public:
  PolicyExpressions(AdmissionState& state, const json::value& policy);
  // `place` names it ("spec.validations[0].expression"): text and environment are the policy's.
  ProgramPtr program(const std::string& place, std::string_view text) const;
  // Whether every expression compiles: Invalid errors at their fields.
  api::FieldErrors check() const;

 private:
  std::string key_of(const std::string& place) const;

  AdmissionState& state_;
  const json::value& policy_;
  api::cel::Environment environment_;
};

// spec.variables with their values, evaluated in order; failures are values too.
api::cel::Value policy_variables(const PolicyExpressions& expressions, const json::value& policy,
                                 api::cel::Bindings bindings, api::cel::Budget& budget);

}  // namespace coracle::apiserver
