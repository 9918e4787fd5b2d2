// ValidatingAdmissionPolicy: rules in CEL, put to work by bindings.
#include <algorithm>

#include "api/object.hpp"
#include "api/selectors.hpp"
#include "apiserver/admission/plugins.hpp"
#include "apiserver/admission/policy_access.hpp"
#include "apiserver/admission/policy_expressions.hpp"
#include "apiserver/admission/request_match.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

namespace cel = api::cel;
using Place = PolicyExpressions::Place;
constexpr std::size_t kMessageMax = 5 * 1024, kAnnotationMax = 10 * 1024;

struct Denial {
  std::string message, reason;
  std::size_t rule = 0;  // which of spec.validations
  // What could not be asked at all denies, whatever the binding's actions are.
  bool always = false;
};

// One policy with one binding, for one request.
class Evaluation {
 public:
  Evaluation(Admitted& a, const json::value& policy, const json::value& binding,
             const json::value* object, const json::value* old)
      : a_(a),
        policy_(policy),
        binding_(binding),
        object_(object),
        old_(old),
        expressions_(a.state, policy),
        access_(a) {
    request_ = request_object(a, *a.c.resource);
    if (a.c.resource->namespaced) {
      if (auto ns = a.find("namespaces", a.c.info.ns)) namespace_ = *std::move(ns);
    }
  }

  std::vector<Denial> run() {
    auto params = find_params();
    if (!params.ok()) {
      fail("failed to configure binding: " + params.status().message(), 0, true);
      return std::move(out_);
    }
    for (const json::value& param : *params) with(param);
    return std::move(out_);
  }
  bool fails_closed() const { return get_string(policy_, "spec.failurePolicy", "Fail") == "Fail"; }

 private:
  void fail(std::string message, std::size_t rule = 0, bool always = false) {
    if (fails_closed()) out_.push_back({std::move(message), "", rule, always});
  }

  // One null when the policy takes none.
  Result<std::vector<json::value>> find_params() const {
    const json::value* kind = find(policy_, "spec.paramKind");
    const json::value* ref = find(binding_, "spec.paramRef");
    if (kind == nullptr || ref == nullptr) return std::vector<json::value>(1);
    const auto [group, version] = api::split_api_version(get_string(*kind, "apiVersion"));
    const api::ResourceInfo* info =
        a_.m.catalog.find_kind(group, version, get_string(*kind, "kind"));
    if (info == nullptr) {
      return failed_precondition("failed to find resource referenced by paramKind: '" +
                                 std::string(get_string(*kind, "apiVersion")) +
                                 ", Kind=" + std::string(get_string(*kind, "kind")) + "'");
    }
    std::string ns(get_string(*ref, "namespace"));
    if (!info->namespaced && !ns.empty()) {
      return failed_precondition(
          "paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
    }
    if (info->namespaced && ns.empty()) ns = a_.c.info.ns;
    if (info->namespaced && ns.empty()) {
      return failed_precondition(
          "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources");
    }
    std::vector<json::value> found;
    const std::string name(get_string(*ref, "name"));
    if (!name.empty()) {
      auto one = a_.find(info->storage_prefix, info->namespaced ? ns + "/" + name : name);
      if (one) found.push_back(with_type(*info, *std::move(one)));
    } else {
      ASSIGN_OR_RETURN(const auto selector,
                       api::LabelSelector::from_object(find(*ref, "selector")));
      a_.scan(info->storage_prefix, ns, [&](const json::value& one) {
        if (selector.matches(api::labels_of(one))) found.push_back(with_type(*info, one));
        return true;
      });
    }
    if (found.empty() && get_string(*ref, "parameterNotFoundAction") != "Allow") {
      return failed_precondition(
          "no params found for policy binding with `Deny` parameterNotFoundAction");
    }
    return found;
  }
  static json::value with_type(const api::ResourceInfo& info, json::value object) {
    object.get_object()["apiVersion"] = info.api_version;
    object.get_object()["kind"] = info.kind;
    return object;
  }

  static cel::Value value_of(const json::value* tree) {
    return tree == nullptr ? cel::Value::null() : cel::Value::from_json(*tree);
  }

  void with(const json::value& param) {
    cel::Bindings bindings{
        {"object", value_of(object_)},    {"oldObject", value_of(old_)},
        {"request", value_of(&request_)}, {"namespaceObject", value_of(&namespace_)},
        {"params", value_of(&param)},     {"authorizer", access_.variable(*a_.c.resource)}};
    cel::Budget match_budget{cel::kMatchConditionsCost};
    if (!conditions_hold(bindings, match_budget)) return;
    cel::Budget budget{cel::kRequestCost};
    const cel::Value variables = policy_variables(expressions_, policy_, bindings, budget);
    bindings.push_back({"variables", variables});
    const json::array& rules = get_array(policy_, "spec.validations");
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const std::string place = "spec.validations[" + std::to_string(i) + "].";
      const std::string text(get_string(rules[i], "expression"));
      const cel::Value answer =
          run(place + "expression", text, Place::kValidation, bindings, budget);
      if (answer.is_true()) continue;
      if (answer.is_error()) {
        fail(std::string(answer.as_text()), i);
      } else {
        out_.push_back({message_of(rules[i], place, text, bindings, budget),
                        std::string(get_string(rules[i], "reason", "Invalid")), i});
      }
    }
    annotate(bindings, budget);
  }

  // spec.auditAnnotations; null says nothing, what several bindings say is joined.
  void annotate(const cel::Bindings& bindings, cel::Budget& budget) {
    const json::array& items = get_array(policy_, "spec.auditAnnotations");
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::string place = "spec.auditAnnotations[" + std::to_string(i) + "].valueExpression";
      const cel::Value answer = run(place, std::string(get_string(items[i], "valueExpression")),
                                    Place::kAnnotation, bindings, budget);
      if (answer.is_error()) {
        fail(std::string(answer.as_text()), i, true);
      } else if (answer.is(cel::Kind::kString)) {
        const std::string value(trim(answer.as_text()).substr(0, kAnnotationMax));
        if (value.empty()) continue;
        std::string& slot = a_.c.audit_annotations[std::string(api::name_of(policy_)) + "/" +
                                                   std::string(get_string(items[i], "key"))];
        if (slot != value) slot += (slot.empty() ? "" : ", ") + value;
      }
    }
  }

  cel::Value run(const std::string& name, const std::string& text, Place place,
                 const cel::Bindings& bindings, cel::Budget& budget) {
    const ProgramPtr program = expressions_.program(name, text, place);
    if (!program->ok()) {
      return cel::Value::error("compilation error: compilation failed: " +
                               program->status().message());
    }
    cel::Value out = (*program)->evaluate(bindings, budget);
    if (!out.is_error()) return out;
    if (budget.spent) {
      return cel::Value::error(
          "validation failed due to running out of cost budget, no further validation rules will "
          "be run");
    }
    return cel::Value::error("expression '" + text +
                             "' resulted in error: " + std::string(out.as_text()));
  }

  // All must be true. One that is false ends it; else an error counts as the failure policy says.
  bool conditions_hold(const cel::Bindings& bindings, cel::Budget& budget) {
    const json::array& items = get_array(policy_, "spec.matchConditions");
    std::string error;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::string place = "spec.matchConditions[" + std::to_string(i) + "].expression";
      const cel::Value answer = run(place, std::string(get_string(items[i], "expression")),
                                    Place::kMatchCondition, bindings, budget);
      if (answer.is_error() && error.empty()) error = std::string(answer.as_text());
      if (!answer.is_error() && !answer.is_true()) return false;
    }
    if (error.empty()) return true;
    fail(error);
    return false;
  }

  std::string message_of(const json::value& rule, const std::string& place, const std::string& text,
                         const cel::Bindings& bindings, cel::Budget& budget) {
    const std::string expression(get_string(rule, "messageExpression"));
    if (!expression.empty()) {
      const cel::Value made =
          run(place + "messageExpression", expression, Place::kMessage, bindings, budget);
      if (made.is(cel::Kind::kString)) {
        const std::string message(trim(made.as_text()));
        const bool good = message.size() <= kMessageMax && message.find('\n') == std::string::npos;
        if (good && !message.empty()) return message;
      }
    }
    const std::string message(trim(get_string(rule, "message")));
    return message.empty() ? "failed expression: " + std::string(trim(text)) : message;
  }

  Admitted& a_;
  const json::value &policy_, &binding_;
  const json::value *object_, *old_;
  const PolicyExpressions expressions_;
  const PolicyAccess access_;
  json::value request_, namespace_;
  std::vector<Denial> out_;
};

int code_of(std::string_view reason) {
  if (reason == "Forbidden") return 403;
  if (reason == "Unauthorized") return 401;
  if (reason == "RequestEntityTooLarge") return 413;
  return 422;
}

api::ApiError denied(const Admitted& a, const json::value& shown, const std::string& message,
                     const std::string& reason) {
  api::ApiError error = a.forbidden(shown, message);
  const std::string why = reason.empty() ? "Invalid" : reason;
  error.http_code = code_of(why);
  error.status.get_object()["reason"] = why;
  error.status.get_object()["code"] = error.http_code;
  api::add_cause(error, "", message);
  return error;
}

bool holds_action(const json::value& binding, std::string_view action) {
  return lists_text(binding, "spec.validationActions", action);
}

// What the policies say, the first denial first.
class Dispatcher {
 public:
  Dispatcher(Admitted& a, const json::value* object, const json::value* old)
      : a_(a), object_(object), old_(old) {}

  Outcome<Done> run() {
    std::vector<json::value> bindings;
    a_.scan("validatingadmissionpolicybindings", "", [&](const json::value& binding) {
      bindings.push_back(binding);
      return true;
    });
    if (bindings.empty()) return Done{};
    a_.scan("validatingadmissionpolicies", "", [&](const json::value& policy) {
      ask(policy, bindings);
      return true;
    });
    if (!failures_.empty()) {
      a_.c.audit_annotations["validation.policy.admission.k8s.io/validation_failure"] =
          to_json(json::value(failures_));
    }
    if (!denial_) return Done{};
    return denied(a_, object_ != nullptr ? *object_ : *old_, denial_->message, denial_->reason);
  }

 private:
  void ask(const json::value& policy, const std::vector<json::value>& bindings) {
    const json::value* match = find(policy, "spec.matchConstraints");
    if (match == nullptr) return;
    const auto looks = resources_match(a_, *match, false, object_, old_);
    if (!looks.ok() || !*looks) return;
    const std::string name(api::name_of(policy));
    for (const json::value& binding : bindings) {
      if (get_string(binding, "spec.policyName") != name) continue;
      const json::value* narrower = find(binding, "spec.matchResources");
      const auto bound = narrower == nullptr ? Result<bool>(true)
                                             : resources_match(a_, *narrower, true, object_, old_);
      if (!bound.ok() || !*bound) continue;
      for (const Denial& denial : Evaluation(a_, policy, binding, object_, old_).run()) {
        tell(name, binding, denial);
      }
    }
  }

  void tell(const std::string& policy, const json::value& binding, const Denial& denial) {
    const std::string who = "ValidatingAdmissionPolicy '" + policy + "' with binding '" +
                            std::string(api::name_of(binding)) + "'";
    if (denial.always) {
      if (!denial_) denial_ = Denial{who + " denied request: " + denial.message, denial.reason};
      return;
    }
    if (holds_action(binding, "Warn")) {
      a_.c.warnings.push_back("Validation failed for " + who + ": " + denial.message);
    }
    if (holds_action(binding, "Audit")) {
      json::object failure;
      failure["message"] = denial.message;
      failure["policy"] = policy;
      failure["binding"] = api::name_of(binding);
      failure["expressionIndex"] = denial.rule;
      failure["validationActions"] = get_array(binding, "spec.validationActions");
      failures_.push_back(std::move(failure));
    }
    if (holds_action(binding, "Deny") && !denial_) {
      denial_ = Denial{who + " denied request: " + denial.message, denial.reason};
    }
  }

  Admitted& a_;
  const json::value *object_, *old_;
  std::optional<Denial> denial_;
  json::array failures_;  // for the audit log
};

}  // namespace

Outcome<Done> check_validating_policies(Admitted& a, const json::value* object,
                                        const json::value* old) {
  if (object == nullptr && old == nullptr) return Done{};
  if (a.c.storage->group == "admissionregistration.k8s.io") return Done{};
  return Dispatcher(a, object, old).run();
}

}  // namespace coracle::apiserver
