// expressions: what the CEL expressions of admission see, by where they stand. Pure.
#pragma once

#include <string>
#include <string_view>

#include "api/cel/cel.hpp"
#include "base/json.hpp"

namespace coracle::api::policy {

enum class Place { kMatchCondition, kVariable, kValidation, kMessage, kAnnotation };

// What is known of the objects; dyn where nothing is.
struct Types {
  cel::Type object, params;
};

inline constexpr std::size_t kAllVariables = static_cast<std::size_t>(-1);

// Of a ValidatingAdmissionPolicy. Variables have the types of their expressions; only the first
// `variables` are there.
cel::Environment policy_environment(const json::value& policy, Place place, const Types& types = {},
                                    std::size_t variables = kAllVariables);
// Of the match conditions of a webhook.
cel::Environment webhook_environment();

// Why the expression may not stand there; "" when it may: `compilation failed: ERROR: ...`, `must
// evaluate to bool but got int`.
std::string expression_problem(std::string_view text, const cel::Environment& environment,
                               Place place);

}  // namespace coracle::api::policy
