#include "apiserver/admission/webhook_book.hpp"

#include "api/object.hpp"
#include "api/policy/expressions.hpp"
#include "apiserver/admission/policy_access.hpp"
#include "apiserver/admission/request_match.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

namespace cel = api::cel;

constexpr std::int64_t kTimeoutSeconds = 10;

// The first that is understood here.
std::string review_version(const json::value& entry) {
  for (const json::value& version : get_array(entry, "admissionReviewVersions")) {
    if (version == json::value("v1")) return "v1";
    if (version == json::value("v1beta1")) return "v1beta1";
  }
  return "v1";
}

std::shared_ptr<const Webhook> compile(const std::string& configuration, std::size_t index,
                                       const json::value& entry) {
  auto out = std::make_shared<Webhook>();
  out->configuration = configuration;
  out->name = get_string(entry, "name");
  out->id = configuration + "/" + out->name + "/" + std::to_string(index);
  out->config = entry;
  const json::value* client = find(entry, "clientConfig");
  out->target = HookConfig::parse(client == nullptr ? json::value() : *client);
  for (const json::value& condition : get_array(entry, "matchConditions")) {
    out->conditions.push_back(cel::Program::compile(get_string(condition, "expression"),
                                                    api::policy::webhook_environment()));
  }
  out->review_version = review_version(entry);
  out->fails_closed = get_string(entry, "failurePolicy", "Fail") == "Fail";
  out->may_repeat = get_string(entry, "reinvocationPolicy") == "IfNeeded";
  out->timeout = std::chrono::seconds(get_int(entry, "timeoutSeconds", kTimeoutSeconds));
  return out;
}

}  // namespace

std::shared_ptr<const Webhooks> WebhookBook::read(const StoreFeed& feed, std::string_view prefix) {
  const ResourceCache* cache = feed.cache(prefix);
  if (cache == nullptr) return hooks_;
  if (cache->last_change() == as_of_ && cache->size() == size_) return hooks_;
  auto fresh = std::make_shared<Webhooks>();
  cache->scan("", "", [&](const ObjectPtr& object) {
    const auto tree = parse_json("{" + *object->tail());
    CHECK(tree.ok());
    std::size_t index = 0;
    for (const json::value& entry : get_array(*tree, "webhooks")) {
      fresh->push_back(compile(std::string(object->name()), index++, entry));
    }
    return true;
  });
  as_of_ = cache->last_change();
  size_ = cache->size();
  hooks_ = std::move(fresh);
  return hooks_;
}

Result<const api::ResourceInfo*> webhook_fits(const Admitted& a, const Webhook& hook,
                                              const json::value* object, const json::value* old) {
  const bool equivalent = get_string(hook.config, "matchPolicy", "Equivalent") == "Equivalent";
  const api::ResourceInfo* as = matched_resource(a, get_array(hook.config, "rules"), equivalent);
  if (as == nullptr) return as;
  ASSIGN_OR_RETURN(const bool selected, selectors_match(a, hook.config, object, old));
  return selected ? as : nullptr;
}

Outcome<bool> conditions_fit(const Admitted& a, const Webhook& hook, const json::value& request) {
  if (hook.conditions.empty()) return true;
  const auto value_of = [&](const char* key) {
    const json::value* tree = find_keys(request, {key});
    return tree == nullptr ? cel::Value::null() : cel::Value::from_json(*tree);
  };
  const PolicyAccess access(a);
  const cel::Bindings bindings{{"object", value_of("object")},
                               {"oldObject", value_of("oldObject")},
                               {"request", cel::Value::from_json(request)},
                               {"namespaceObject", cel::Value::null()},
                               {"authorizer", access.variable(*a.c.resource)}};
  cel::Budget budget{cel::kMatchConditionsCost};
  std::vector<std::string> errors;
  const json::array& texts = get_array(hook.config, "matchConditions");
  for (std::size_t i = 0; i < hook.conditions.size(); ++i) {
    const auto& program = hook.conditions[i];
    if (!program.ok()) {
      errors.push_back("compilation error: compilation failed: " + program.status().message());
      continue;
    }
    const cel::Value answer = program->evaluate(bindings, budget);
    if (answer.is_error()) {
      const std::string text(get_string(texts[i], "expression"));
      errors.push_back(budget.spent ? "validation failed due to running out of cost budget, no "
                                      "further validation rules will be run"
                                    : "expression '" + text +
                                          "' resulted in error: " + std::string(answer.as_text()));
    } else if (!answer.is_true()) {
      return false;
    }
  }
  if (errors.empty()) return true;
  if (!hook.fails_closed) return false;
  return api::forbidden_error(a.c.group_name(), a.c.info.name, aggregate_text(errors));
}

api::FieldErrors check_conditions(const json::value& configuration) {
  api::FieldErrors errors;
  const json::array& hooks = get_array(configuration, "webhooks");
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    const json::array& conditions = get_array(hooks[i], "matchConditions");
    for (std::size_t k = 0; k < conditions.size(); ++k) {
      const std::string text(get_string(conditions[k], "expression"));
      const api::FieldPath path =
          api::FieldPath("webhooks").index(i).child("matchConditions").index(k).child("expression");
      const std::string problem = api::policy::expression_problem(
          text, api::policy::webhook_environment(), api::policy::Place::kMatchCondition);
      if (!problem.empty()) errors.invalid(path, text, problem);
    }
  }
  return errors;
}

bool exempt_from_webhooks(const Admitted& a) {
  return a.c.storage->group == "admissionregistration.k8s.io";
}

}  // namespace coracle::apiserver
