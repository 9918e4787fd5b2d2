// PodNodeSelector: pods get the node selector of their namespace: of its annotation, else the
// cluster's default; and may name no labels but those that the configuration allows there.
#include "api/object.hpp"
#include "apiserver/admission/admission_config.hpp"
#include "apiserver/admission/plugins.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::string_view kAnnotation = "scheduler.alpha.kubernetes.io/node-selector";

using Labels = NodeSelectorConfig::Labels;

Labels selector_of(const json::value& pod) {
  Labels out;
  for (const auto& member : get_object(pod, "spec.nodeSelector")) {
    if (member.value().is_string()) out[member.key()] = member.value().get_string();
  }
  return out;
}

Outcome<Labels> selector_of_namespace(const Admitted& a) {
  const TreePtr ns = a.find("namespaces", a.c.info.ns);
  if (!ns || !api::annotations_of(*ns).contains(kAnnotation)) {
    return a.state.config->node_selector.cluster_default;
  }
  auto labels = NodeSelectorConfig::parse_labels(api::annotation_of(*ns, kAnnotation));
  if (!labels.ok()) return api::internal_api_error(labels.status().message());
  return *std::move(labels);
}

}  // namespace

Task<Outcome<Done>> fill_node_selector(Admitted& a, json::value& object) {
  if (!a.is("", "Pod") || !a.c.info.subresource.empty()) co_return Done{};
  CO_TRY_OUTCOME(Labels merged, selector_of_namespace(a));
  for (const auto& [key, value] : selector_of(object)) {
    const auto [at, added] = merged.emplace(key, value);
    if (!added && at->second != value) {
      co_return a.forbidden(object,
                            "pod node label selector conflicts with its namespace node label "
                            "selector");
    }
  }
  if (merged.empty()) co_return Done{};
  json::object selector;
  for (const auto& [key, value] : merged) selector[key] = value;
  make_object(object, "spec")["nodeSelector"] = std::move(selector);
  co_return Done{};
}

Outcome<Done> check_node_selector(Admitted& a, const json::value* object, const json::value* old) {
  if (object == nullptr || old != nullptr || !a.is("", "Pod") || !a.c.info.subresource.empty()) {
    return Done{};
  }
  TRY_OUTCOME(const Labels wanted, selector_of_namespace(a));
  const Labels has = selector_of(*object);
  for (const auto& [key, value] : wanted) {
    const auto at = has.find(key);
    if (at != has.end() && at->second != value) {
      return a.forbidden(
          *object, "pod node label selector conflicts with its namespace node label selector");
    }
  }
  const auto& allowed = a.state.config->node_selector.allowed;
  const auto list = allowed.find(a.c.info.ns);
  if (list == allowed.end() || list->second.empty()) return Done{};
  for (const auto& [key, value] : has) {
    const auto at = list->second.find(key);
    if (at == list->second.end() || at->second != value) {
      return a.forbidden(*object,
                         "pod node label selector labels conflict with its namespace whitelist");
    }
  }
  return Done{};
}

}  // namespace coracle::apiserver
