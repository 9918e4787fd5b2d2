// The plan's objects, made fit for a real API, created and deleted.
#include <fmt/format.h>

#include "api/catalog.hpp"
#include "api/object.hpp"
#include "base/strings.hpp"
#include "cluster_engine/cluster_engine.hpp"

namespace coracle::sim {
namespace {

using client::ApiResult;
using client::ResourceClient;

constexpr Duration kAgain = std::chrono::seconds(1);
// What is refused may only be early (its account or class is not there yet), but not for so long.
constexpr Duration kEarlyMax = std::chrono::minutes(2);
constexpr std::int64_t kAdmissionSeconds = 300;  // how long admission lets pods tolerate

const char* const kLostTaints[] = {"node.kubernetes.io/not-ready",
                                   "node.kubernetes.io/unreachable"};

// The pod of an object: itself, or what it makes pods from; null: it makes none.
json::value* pod_of(json::value& object) {
  if (get_string(object, "kind") == "Pod") return &object;
  const char* path =
      get_string(object, "kind") == "CronJob" ? "spec.jobTemplate.spec.template" : "spec.template";
  if (find(object, path) == nullptr) return nullptr;
  make_object(object, path);
  return const_cast<json::value*>(find(std::as_const(object), path));
}

std::string class_name(std::int64_t priority) {
  return priority < 0 ? fmt::format("priority-minus-{}", -priority)
                      : fmt::format("priority-{}", priority);
}

void give_lifetime(json::value& pod, Duration lifetime, bool fails) {
  json::value* containers = make_object(pod, "spec").if_contains("containers");
  if (containers == nullptr || !containers->is_array()) return;
  const std::string seconds =
      fmt::format("{:.3f}", std::chrono::duration<double>(lifetime).count());
  for (json::value& container : containers->get_array()) {
    json::object& one = container.as_object();
    one["image"] = "busybox";
    if (fails) {
      one["command"] =
          json::array{"sh", "-c", json::string(fmt::format("sleep {}; exit 1", seconds))};
    } else {
      one["command"] = json::array{"sleep", json::string(seconds)};
    }
  }
}

void give_patience(json::value& pod, Duration patience) {
  json::value& list = make_object(pod, "spec")["tolerations"];
  if (!list.is_array()) list.emplace_array();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience).count();
  for (const char* taint : kLostTaints) {
    bool said = false;
    for (const json::value& toleration : list.get_array()) {
      said = said || get_string(toleration, "key") == taint;
    }
    if (said) continue;
    list.get_array().push_back(json::object{{"key", taint},
                                            {"operator", "Exists"},
                                            {"effect", "NoExecute"},
                                            {"tolerationSeconds", seconds}});
  }
}

client::Gvr gvr_of(const json::value& object) {
  const api::ResourceInfo* info = api::Catalog::builtin().find_for(object);
  CHECK(info != nullptr);  // admitted when the scenario was read
  return {info->group, info->version, info->plural, info->namespaced};
}

std::string place_of(const client::Gvr& gvr, const json::value& object) {
  return gvr.namespaced ? std::string(get_string(object, "metadata.namespace", "default")) : "";
}

std::string told(const json::value& object) {
  return fmt::format("{} {}", get_string(object, "kind"), api::name_of(object));
}

}  // namespace

json::value ClusterEngine::object_of(size_t index) const {
  const Arrival& arrival = input_.plan->arrivals[index];
  json::value object = arrival.object;
  make_object(object, "metadata.annotations")[kArrivalAnnotation] = std::to_string(index);
  json::value* pod = pod_of(object);
  if (pod == nullptr) return object;
  make_object(*pod, "metadata.annotations")[kArrivalAnnotation] = std::to_string(index);
  if (arrival.lifetime) give_lifetime(*pod, *arrival.lifetime, arrival.fails);
  const Duration patience = input_.scenario->cluster.toleration;
  if (patience != std::chrono::seconds(kAdmissionSeconds)) give_patience(*pod, patience);
  json::object& spec = make_object(*pod, "spec");
  const std::int64_t priority = get_int(*pod, "spec.priority");
  if (spec.contains("priority") && !spec.contains("priorityClassName")) {
    erase_key(spec, "priority");
    if (priority != 0) spec["priorityClassName"] = class_name(priority);
  }
  return object;
}

Status ClusterEngine::prepare() {
  constexpr Duration kLimit = std::chrono::minutes(2);
  std::set<std::string> namespaces{"default"}, later;
  std::set<std::int64_t> priorities;
  for (const Arrival& arrival : input_.plan->arrivals) {
    json::value object = arrival.object;
    if (get_string(object, "kind") == "Namespace") later.emplace(api::name_of(object));
    if (const auto ns = api::namespace_of(object); !ns.empty()) namespaces.emplace(ns);
    const json::value* pod = pod_of(object);
    if (pod == nullptr || find(*pod, "spec.priorityClassName") != nullptr) continue;
    if (const auto priority = get_int(*pod, "spec.priority"); priority != 0) {
      priorities.insert(priority);
    }
  }
  int outstanding = 0;
  for (const std::string& ns : namespaces) {
    if (later.contains(ns)) continue;
    make(
        json::object{
            {"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", json::object{{"name", ns}}}},
        &outstanding);
    await_account(ns, &outstanding);
  }
  for (const std::int64_t priority : priorities) {
    make(json::object{{"apiVersion", "scheduling.k8s.io/v1"},
                      {"kind", "PriorityClass"},
                      {"metadata", json::object{{"name", class_name(priority)}}},
                      {"value", priority}},
         &outstanding);
  }
  const auto done = [&] { return outstanding == 0 || !failure_.ok(); };
  if (!world_->run_until(done, kLimit)) {
    return deadline_exceeded("the cluster does not make the namespaces of the plan");
  }
  return failure_;
}

void ClusterEngine::make(json::value object, int* outstanding) {
  ++*outstanding;
  spawn<ApiResult<json::value>>(
      ResourceClient(world_->api(), gvr_of(object)).create("", object),
      [this, object, outstanding](const ApiResult<json::value>& answer) {
        --*outstanding;
        if (answer.ok() || answer.error().is_already_exists()) return;
        if (!answer.error().is_retryable()) {
          return fail(invalid_argument(
              fmt::format("the apiserver refuses {}: {}", told(object), answer.error().message)));
        }
        ++*outstanding;
        world_->after(kAgain, [this, object, outstanding] {
          --*outstanding;
          make(object, outstanding);
        });
      });
}

// Pods of a namespace are refused before its controller has made this.
void ClusterEngine::await_account(const std::string& ns, int* outstanding) {
  ++*outstanding;
  spawn<ApiResult<json::value>>(
      ResourceClient(world_->api(), {"", "v1", "serviceaccounts"}).get(ns, "default"),
      [this, ns, outstanding](const ApiResult<json::value>& answer) {
        if (answer.ok()) {
          --*outstanding;
          return;
        }
        world_->after(kAgain, [this, ns, outstanding] {
          --*outstanding;
          await_account(ns, outstanding);
        });
      });
}

void ClusterEngine::create(size_t index, Duration since) {
  if (wishes_[index].unwanted) return;
  json::value object = object_of(index);
  const client::Gvr gvr = gvr_of(object);
  const std::string ns = place_of(gvr, object);
  spawn<ApiResult<json::value>>(
      ResourceClient(world_->api(), gvr).create(ns, object),
      [this, index, since](const ApiResult<json::value>& answer) {
        if (answer.ok()) return made(index, answer.value());
        const client::ApiError& error = answer.error();
        const std::string refused =
            fmt::format("the apiserver refuses {}: {}",
                        told(json::value(input_.plan->arrivals[index].object)), error.message);
        if (error.is_already_exists()) return adopt(index, since, refused);
        const bool early =
            (error.is_forbidden() || error.is_not_found()) && now() - since < kEarlyMax;
        if (!early && !error.is_retryable()) return fail(invalid_argument(refused));
        world_->after(kAgain, [this, index, since] { create(index, since); });
      });
}

// Its name is taken: by itself when only the answer was lost, or by one that is still leaving.
void ClusterEngine::adopt(size_t index, Duration since, const std::string& refused) {
  const json::value object = object_of(index);
  const client::Gvr gvr = gvr_of(object);
  spawn<ApiResult<json::value>>(
      ResourceClient(world_->api(), gvr)
          .get(place_of(gvr, object), std::string(api::name_of(object))),
      [this, index, since, refused](const ApiResult<json::value>& answer) {
        if (answer.ok()) {
          const json::value* of =
              find_keys(answer.value(), {"metadata", "annotations", kArrivalAnnotation});
          if (of != nullptr && of->is_string() && of->get_string() == std::to_string(index)) {
            return made(index, answer.value());
          }
          const bool leaving = find(answer.value(), "metadata.deletionTimestamp") != nullptr;
          if (!leaving && now() - since > kEarlyMax) return fail(invalid_argument(refused));
        }
        world_->after(kAgain, [this, index, since] { create(index, since); });
      });
}

void ClusterEngine::made(size_t index, const json::value& object) {
  wishes_[index].uid = api::uid_of(object);
  if (wishes_[index].unwanted) remove(index);
}

// Before it was made: made() comes back here.
void ClusterEngine::remove(size_t index) {
  Wish& wish = wishes_[index];
  wish.unwanted = true;
  if (wish.uid.empty()) return;
  const json::value object = input_.plan->arrivals[index].object;
  const client::Gvr gvr = gvr_of(object);
  spawn<ApiResult<json::value>>(
      ResourceClient(world_->api(), gvr)
          .remove(place_of(gvr, object), std::string(api::name_of(object)),
                  {.propagation_policy = "Background", .uid = wish.uid}),
      [this, index](const ApiResult<json::value>& answer) {
        // Any other no: it is gone, or its name is another's.
        if (answer.ok() || !answer.error().is_retryable()) return;
        world_->after(kAgain, [this, index] { remove(index); });
      });
}

void ClusterEngine::remove_node(const std::string& node) {
  spawn<ApiResult<json::value>>(
      ResourceClient(world_->api(), {"", "v1", "nodes", false}).remove("", node),
      [this, node](const ApiResult<json::value>& answer) {
        if (answer.ok() || !answer.error().is_retryable()) return;
        world_->after(kAgain, [this, node] { remove_node(node); });
      });
}

}  // namespace coracle::sim
