#include "commands/pod_target.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "api/selectors.hpp"
#include "base/strings.hpp"
#include "kubectl/target.hpp"

namespace coracle::kubectl {
namespace {

bool is_ready(const json::value& pod) {
  for (const json::value& condition : get_array(pod, "status.conditions")) {
    if (get_string(condition, "type") == "Ready") return get_string(condition, "status") == "True";
  }
  return false;
}

// Running before not running, ready before not ready, old before young.
bool serves_better(const json::value& a, const json::value& b) {
  const auto rank = [](const json::value& pod) {
    const bool running = get_string(pod, "status.phase") == "Running";
    return std::tuple(!running, !is_ready(pod),
                      std::string(get_string(pod, "metadata.creationTimestamp")));
  };
  return rank(a) < rank(b);
}

}  // namespace

Result<std::vector<json::value>> pods_of(Session& session, const std::string& word) {
  const std::string ns = session.namespace_name();
  ASSIGN_OR_RETURN(const Resource* pods, session.resource("pods"));
  if (word.find('/') == word.npos) {
    TRY_SERVER(json::value pod, session.get(*pods, ns, word));
    return std::vector<json::value>{std::move(pod)};
  }
  TargetOptions options;
  options.args = {word};
  ASSIGN_OR_RETURN(Target target, only_target(session, options));
  if (target.resource.kind == "Pod") return std::vector<json::value>{target.object};
  const json::value* selector = find(target.object, "spec.selector");
  auto parsed = target.resource.kind == "Service" || target.resource.kind == "ReplicationController"
                    ? Result<api::LabelSelector>(
                          api::LabelSelector::from_map(get_object(target.object, "spec.selector")))
                    : api::LabelSelector::from_object(selector);
  if (!parsed.ok() || parsed->is_nothing() || parsed->is_everything()) {
    const std::string type = "*" + target.resource.version + "." + target.resource.kind;
    return fail("cannot attach to " + type + ": selector for " + type + " not implemented");
  }
  TRY_SERVER(const json::value found, session.list(*pods, ns, {{"labelSelector", parsed->text()}}));
  std::vector<json::value> out;
  for (const json::value& pod : get_array(found, "items")) {
    if (api::deletion_timestamp_of(pod).empty()) out.push_back(pod);
  }
  std::stable_sort(out.begin(), out.end(), serves_better);
  return out;
}

Result<json::value> pod_of(Session& session, const std::string& word) {
  ASSIGN_OR_RETURN(std::vector<json::value> pods, pods_of(session, word));
  if (pods.empty()) return fail("no pods found for " + word);
  return std::move(pods[0]);
}

const json::value* find_container(const json::value& pod, std::string_view name) {
  for (const char* list : {"spec.containers", "spec.initContainers", "spec.ephemeralContainers"}) {
    for (const json::value& container : get_array(pod, list)) {
      if (get_string(container, "name") == name) return &container;
    }
  }
  return nullptr;
}

Result<std::string> container_of(Session& session, const json::value& pod, const std::string& name,
                                 bool quiet) {
  if (!name.empty()) {
    if (find_container(pod, name) != nullptr) return name;
    return fail("container " + name + " not found in pod " + std::string(api::name_of(pod)));
  }
  std::string chosen(api::annotation_of(pod, "kubectl.kubernetes.io/default-container"));
  if (!chosen.empty() && find_container(pod, chosen) != nullptr) return chosen;
  std::vector<std::string> all;
  for (const auto& [list, note] :
       {std::pair{"spec.containers", ""}, std::pair{"spec.ephemeralContainers", " (ephem)"},
        std::pair{"spec.initContainers", " (init)"}}) {
    for (const json::value& container : get_array(pod, list)) {
      all.push_back(std::string(get_string(container, "name")) + note);
    }
  }
  const json::array& main = get_array(pod, "spec.containers");
  if (main.empty()) return fail("no containers found in pod " + std::string(api::name_of(pod)));
  chosen = get_string(main[0], "name");
  if (all.size() > 1 && !quiet) {
    session.warn("Defaulted container " + quoted(chosen) + " out of: " + join(all, ", "));
  }
  return chosen;
}

}  // namespace coracle::kubectl
