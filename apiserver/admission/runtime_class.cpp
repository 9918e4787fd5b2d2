// RuntimeClass: overhead and scheduling constraints of the class go into the pod.
#include "apiserver/admission/plugins.hpp"

namespace coracle::apiserver {

namespace {

Outcome<Done> set_overhead(Admitted& a, json::value& pod, const json::value& runtime) {
  json::object& spec = make_object(pod, "spec");
  const json::value* fixed = find(runtime, "overhead.podFixed");
  const json::value* own = find_member(spec, "overhead");
  if (fixed == nullptr) {
    if (own != nullptr && own->is_object() && !own->get_object().empty()) {
      return a.forbidden(pod,
                         "pod rejected: Pod Overhead set without corresponding RuntimeClass "
                         "defined Overhead");
    }
    return Done{};
  }
  if (own != nullptr && *own != *fixed) {
    return a.forbidden(pod,
                       "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined "
                       "Overhead");
  }
  spec["overhead"] = *fixed;
  return Done{};
}

Outcome<Done> set_scheduling(Admitted& a, json::value& pod, const json::value& runtime) {
  json::object& spec = make_object(pod, "spec");
  for (const auto& [key, value] : get_object(runtime, "scheduling.nodeSelector")) {
    json::object& selector = make_object(pod, "spec.nodeSelector");
    const json::value* own = find_member(selector, key);
    if (own != nullptr && *own != value) {
      return a.forbidden(pod, "conflict: runtimeClass.scheduling.nodeSelector[" + std::string(key) +
                                  "] = " + std::string(value.get_string()) +
                                  "; pod.spec.nodeSelector[" + std::string(key) +
                                  "] = " + std::string(own->get_string()));
    }
    selector[key] = value;
  }
  for (const json::value& toleration : get_array(runtime, "scheduling.tolerations")) {
    json::array& all = array_at(spec, "tolerations");
    bool known = false;
    for (const json::value& have : all) known = known || have == toleration;
    if (!known) all.push_back(toleration);
  }
  return Done{};
}

}  // namespace

Task<Outcome<Done>> fill_runtime_class(Admitted& a, json::value& pod) {
  if (!a.is("", "Pod")) co_return Done{};
  const std::string name(get_string(pod, "spec.runtimeClassName"));
  if (name.empty()) co_return set_overhead(a, pod, json::value());
  const auto found = co_await a.find_settled("runtimeclasses", name);
  if (!found) {
    co_return a.forbidden(pod, "pod rejected: RuntimeClass \"" + name + "\" not found");
  }
  const Outcome<Done> overhead = set_overhead(a, pod, *found);
  if (!overhead.ok()) co_return overhead;
  co_return set_scheduling(a, pod, *found);
}

}  // namespace coracle::apiserver
