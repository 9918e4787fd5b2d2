#include "policystatus/policystatus.hpp"

#include "api/catalog.hpp"
#include "api/custom_kind.hpp"
#include "api/object.hpp"
#include "api/policy/type_check.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

// The kinds of the cluster: those built in, and those of definitions, compiled when asked for.
class Kinds {
 public:
  explicit Kinds(const World& world) : world_(world) {}

  api::policy::KnownKinds known() {
    return {
        [this](const std::string& group, const std::string& version, const std::string& plural) {
          const api::ResourceInfo* info = find(group, version, plural);
          return info == nullptr ? std::string() : info->kind;
        },
        [this](const api::policy::KindName& name) { return schema(name); }};
  }

 private:
  const api::ResourceInfo* find(const std::string& group, const std::string& version,
                                const std::string& plural) {
    const api::Catalog& builtin = api::Catalog::builtin();
    if (const auto* info = builtin.find(group, version, plural)) return info;
    return custom(group, version,
                  [&](const api::ResourceInfo& info) { return info.plural == plural; });
  }

  const api::Schema* schema(const api::policy::KindName& name) {
    const api::Catalog& builtin = api::Catalog::builtin();
    const api::ResourceInfo* info = builtin.find_kind(name.group, name.version, name.kind);
    if (info == nullptr) {
      info = custom(name.group, name.version,
                    [&](const api::ResourceInfo& one) { return one.kind == name.kind; });
    }
    return info == nullptr ? nullptr : info->schema;
  }

  template <class Fits>
  const api::ResourceInfo* custom(const std::string& group, const std::string& version,
                                  const Fits& fits) {
    for (const auto& [name, definition] : world_.of(gvr::kCustomResourceDefinitions).objects()) {
      if (get_string(*definition, "spec.group") != group) continue;
      const api::CustomKind* kind = compiled(name, *definition);
      if (kind == nullptr) continue;
      for (const api::ResourceInfo& info : kind->versions()) {
        if (info.version == version && info.served && fits(info)) return &info;
      }
    }
    return nullptr;
  }

  const api::CustomKind* compiled(const std::string& name, const json::value& definition) {
    if (const auto found = compiled_.find(name); found != compiled_.end()) {
      return found->second.get();
    }
    auto made = api::CustomKind::compile(definition, api::Catalog::builtin().schemas());
    auto& slot = compiled_[name];
    if (made.ok()) slot = *std::move(made);
    return slot.get();
  }

  const World& world_;
  std::map<std::string, std::shared_ptr<const api::CustomKind>> compiled_;
};

}  // namespace

void PolicyStatusController::touched(const World&, const client::Gvr& gvr, const json::value*,
                                     const json::value* after, const Enqueue& enqueue) const {
  if (gvr == gvr::kAdmissionPolicies && after != nullptr) {
    enqueue(std::string(api::name_of(*after)));
  }
}

Plan PolicyStatusController::reconcile(const World& world, const std::string& key, Instant) const {
  Plan plan;
  const ObjectPtr policy = world.get(gvr::kAdmissionPolicies, "", key);
  if (policy == nullptr || is_deleting(*policy)) return plan;
  const std::int64_t generation = api::generation_of(*policy);
  if (generation <= get_int(*policy, "status.observedGeneration")) return plan;
  Kinds kinds(world);
  json::array warnings = api::policy::expression_warnings(*policy, kinds.known());
  json::object found;
  if (!warnings.empty()) found["expressionWarnings"] = std::move(warnings);
  json::object status{{"observedGeneration", generation}};
  // As a whole: warnings of the generation before go.
  status["typeChecking"] = std::move(found);
  json::value next = *policy;
  json::value& slot = next.get_object()["status"];
  if (!slot.is_object()) slot = json::object();
  for (auto& [name, value] : status) slot.get_object()[name] = std::move(value);
  plan.update_status(gvr::kAdmissionPolicies, std::move(next));
  return plan;
}

}  // namespace coracle::controllers
