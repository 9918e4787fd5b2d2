// World::unsettled: what has not come to rest, as the API tells it.
#include <fmt/format.h>

#include "client/resource.hpp"
#include "cluster_sim/parts.hpp"

namespace coracle::cluster_sim {
namespace {

// A kind whose status says how far it is: where the wanted number is, and which must equal it.
struct Counted {
  client::Gvr gvr;
  const char* wanted;
  std::int64_t wanted_default;
  std::vector<const char*> has;
};

const std::vector<Counted>& counted() {
  static const std::vector<Counted> all = {
      {{"apps", "v1", "deployments", true},
       "spec.replicas",
       1,
       {"status.replicas", "status.updatedReplicas", "status.availableReplicas"}},
      {{"apps", "v1", "replicasets", true},
       "spec.replicas",
       1,
       {"status.replicas", "status.readyReplicas"}},
      {{"apps", "v1", "statefulsets", true},
       "spec.replicas",
       1,
       {"status.replicas", "status.readyReplicas"}},
      {{"apps", "v1", "daemonsets", true},
       "status.desiredNumberScheduled",
       0,
       {"status.currentNumberScheduled", "status.numberReady"}}};
  return all;
}

std::string unsettled_object(const Counted& kind, const json::value& object) {
  const std::string name =
      fmt::format("{} {}/{}", kind.gvr.plural, get_string(object, "metadata.namespace"),
                  get_string(object, "metadata.name"));
  if (get_int(object, "metadata.generation") != get_int(object, "status.observedGeneration")) {
    return name + ": its controller has not looked at it";
  }
  const std::int64_t wanted = get_int(object, kind.wanted, kind.wanted_default);
  for (const char* field : kind.has) {
    const std::int64_t has = get_int(object, field);
    if (has != wanted) return fmt::format("{}: {} is {}, wanted {}", name, field, has, wanted);
  }
  return {};
}

Task<std::string> look(client::Api* api) {
  for (const Counted& kind : counted()) {
    const auto list = co_await client::ResourceClient(*api, kind.gvr).list_all();
    if (!list.ok()) co_return kind.gvr.plural + ": " + list.error().message;
    for (const json::value& object : get_array(list.value(), "items")) {
      if (const std::string why = unsettled_object(kind, object); !why.empty()) co_return why;
    }
  }
  co_return std::string();
}

}  // namespace

std::string World::unsettled() {
  constexpr Duration kPatience = std::chrono::minutes(2);
  for (const auto& kubelet : parts_->kubelets) {
    const std::string& name = kubelet->machine().name;
    if (kubelet->running() && !parts_->observer->usable(name)) return name + " is not Ready";
  }
  // The answer may come after we gave up on it.
  const auto answer = std::make_shared<std::optional<std::string>>();
  spawn<std::string>(look(parts_->api.get()), [answer](std::string why) { *answer = why; });
  if (!run_until([&] { return answer->has_value(); }, kPatience)) {
    return failure().empty() ? "the API does not answer" : failure();
  }
  return **answer;
}

}  // namespace coracle::cluster_sim
