#include "cluster_sim/observer.hpp"

#include <fmt/format.h>

#include <map>

#include "api/quantity.hpp"

namespace coracle::cluster_sim {
namespace {

const client::Gvr kPods{"", "v1", "pods", true};
const client::Gvr kNodes{"", "v1", "nodes", false};

using Amounts = std::map<std::string, std::int64_t, std::less<>>;  // thousandths

std::int64_t milli(const json::value& quantity) {
  if (!quantity.is_string()) return 0;
  const auto parsed = api::Quantity::parse(quantity.get_string());
  return parsed.ok() ? parsed->milli_value() : 0;
}

Amounts amounts_of(const json::object& quantities) {
  Amounts out;
  for (const auto& [name, quantity] : quantities) out[std::string(name)] = milli(quantity);
  return out;
}

// What a pod asks for while its containers run: a twin of the scheduler's sum, which also knows
// init containers and overhead; what both agree on is the least a node must have.
void add_requests(const json::value& pod, Amounts* sum) {
  (*sum)["pods"] += 1000;
  for (const json::value& container : get_array(pod, "spec.containers")) {
    for (const auto& [name, quantity] : get_object(container, "resources.requests")) {
      (*sum)[std::string(name)] += milli(quantity);
    }
  }
}

bool over(const json::value& pod) {
  const std::string_view phase = get_string(pod, "status.phase");
  return phase == "Succeeded" || phase == "Failed";
}

// Whom a pod that is not over takes from.
constexpr const char* kOnNode = "on-node";
std::vector<std::string> index_on_node(const json::value& pod) {
  if (over(pod)) return {};
  return client::index_by_node_name(pod);
}

client::InformerHandler handler(
    std::function<void(const client::ObjectPtr& before, const client::ObjectPtr& after)> saw) {
  client::InformerHandler out;
  out.on_add = [saw](const auto& object, bool) { saw(nullptr, object); };
  out.on_update = saw;
  out.on_delete = [saw](const auto& object, bool) { saw(object, nullptr); };
  return out;
}

}  // namespace

Observer::Observer(Executor& executor, client::Api& api, Rng rng,
                   std::function<void(const std::string&)> broken)
    : pods_(executor, api, rng.split(), client::InformerOptions{.gvr = kPods}),
      nodes_(executor, api, rng.split(), client::InformerOptions{.gvr = kNodes}),
      broken_(std::move(broken)) {}

void Observer::start() {
  pods_.add_handler(handler([this](const auto& before, const auto& after) {
    saw_pod(before, after);
    for (const ObjectHook& hook : pod_hooks_) hook(before, after);
  }));
  pods_.add_index(kOnNode, index_on_node);
  nodes_.add_handler(handler([this](const auto& before, const auto& after) {
    if (after) to_check_.insert(client::object_key(*after));
    for (const ObjectHook& hook : node_hooks_) hook(before, after);
  }));
  pods_.start();
  nodes_.start();
}

void Observer::saw_pod(const client::ObjectPtr& before, const client::ObjectPtr& after) {
  if (!after) return;
  // Only what came or grew can be too much.
  for (std::string& node : index_on_node(*after)) to_check_.insert(std::move(node));
  const std::string_view node = get_string(*after, "spec.nodeName");
  const bool same =
      before && get_string(*before, "metadata.uid") == get_string(*after, "metadata.uid");
  const std::string_view was = same ? get_string(*before, "spec.nodeName") : std::string_view();
  if (!node.empty() && was.empty()) ++binds_;
  if (!was.empty() && was != node) {
    broken_(fmt::format("pod {} was bound to {} and then to {}", client::object_key(*after), was,
                        node));
  }
}

bool Observer::usable(const std::string& name) const {
  const client::ObjectPtr node = nodes_.cache().get("", name);
  if (!node) return false;
  for (const json::value& taint : get_array(*node, "spec.taints")) {
    const std::string_view key = get_string(taint, "key");
    if (key == "node.kubernetes.io/not-ready" || key == "node.kubernetes.io/unreachable") {
      return false;
    }
  }
  for (const json::value& c : get_array(*node, "status.conditions")) {
    if (get_string(c, "type") == "Ready") return get_string(c, "status") == "True";
  }
  return false;
}

void Observer::check_capacity() {
  for (const std::string& name : std::exchange(to_check_, {})) {
    const client::ObjectPtr node = nodes_.cache().get("", name);
    if (!node) continue;
    Amounts asked;
    for (const client::ObjectPtr& pod : pods_.cache().by_index(kOnNode, name)) {
      add_requests(*pod, &asked);
    }
    const Amounts has = amounts_of(get_object(*node, "status.allocatable"));
    for (const auto& [resource, sum] : asked) {
      const auto found = has.find(resource);
      const std::int64_t most = found == has.end() ? 0 : found->second;
      if (sum > most) {
        broken_(
            fmt::format("node {} has {}m of {}, its pods ask for {}m", name, most, resource, sum));
      }
    }
  }
}

}  // namespace coracle::cluster_sim
