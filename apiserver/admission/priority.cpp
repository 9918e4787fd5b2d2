// Priority: the number and the preemption policy behind a priority class's name.
#include "api/object.hpp"
#include "apiserver/admission/plugins.hpp"

namespace coracle::apiserver {

namespace {

// The class the pod names, else the default one; refused when there is none of that name.
Task<Outcome<TreePtr>> class_of(Admitted& a, json::value& pod) {
  const std::string name(get_string(pod, "spec.priorityClassName"));
  TreePtr found;
  if (!name.empty()) {
    found = co_await a.find_settled("priorityclasses", name);
    if (!found) co_return a.forbidden(pod, "no PriorityClass with name " + name + " was found");
    co_return found;
  }
  a.scan("priorityclasses", "", [&](const json::value& candidate) {
    if (get_bool(candidate, "globalDefault")) {
      found = std::make_shared<const json::value>(candidate);
    }
    return !found;
  });
  if (found) make_object(pod, "spec")["priorityClassName"] = api::name_of(*found);
  co_return found;
}

}  // namespace

Task<Outcome<Done>> fill_priority(Admitted& a, json::value& pod) {
  if (!a.is("", "Pod")) co_return Done{};
  CO_TRY_OUTCOME(const TreePtr found, co_await class_of(a, pod));
  const std::int64_t value = found ? get_int(*found, "value") : 0;
  const std::string policy(found ? get_string(*found, "preemptionPolicy", "PreemptLowerPriority")
                                 : "PreemptLowerPriority");
  json::object& spec = make_object(pod, "spec");
  const json::value* given = find_member(spec, "priority");
  if (given && given->is_int64() && given->get_int64() != value) {
    co_return a.forbidden(
        pod, "the integer value of priority (" + std::to_string(given->get_int64()) +
                 ") must not be provided in pod spec; priority admission controller computed " +
                 std::to_string(value) + " from the given PriorityClass name");
  }
  spec["priority"] = value;
  const std::string own(get_string(pod, "spec.preemptionPolicy"));
  if (!own.empty() && own != policy) {
    co_return a.forbidden(
        pod, "the string value of PreemptionPolicy (" + own +
                 ") must not be provided in pod spec; priority admission controller computed " +
                 policy + " from the given PriorityClass name");
  }
  spec["preemptionPolicy"] = policy;
  co_return Done{};
}

Task<Outcome<Done>> keep_priority(Admitted& a, json::value* pod, const json::value* old) {
  if (pod == nullptr || old == nullptr || !a.is("", "Pod") || !a.c.info.subresource.empty()) {
    co_return Done{};
  }
  json::object& spec = make_object(*pod, "spec");
  for (const char* field : {"priority", "preemptionPolicy"}) {
    const json::value* had = find(*old, std::string("spec.") + field);
    if (had != nullptr && !spec.contains(field)) spec[field] = *had;
  }
  co_return Done{};
}

}  // namespace coracle::apiserver
