// For tests of the driver: a leading scheduler whose informers are fed by the test, and whose calls
// the test answers.
#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/manual_executor.hpp"
#include "client/fake_api.hpp"
#include "driver/scheduler.hpp"
#include "framework/testing.hpp"
#include "plugins/registry.hpp"

namespace coracle::scheduler::testing {

using client::FakeApi;

inline constexpr const char* kClaims = "/api/v1/persistentvolumeclaims?";
inline constexpr const char* kVolumes = "/api/v1/persistentvolumes?";
inline constexpr const char* kClasses = "/apis/storage.k8s.io/v1/storageclasses?";
inline constexpr const char* kGroups = "/apis/scheduling.k8s.io/v1alpha2/podgroups?";

// The volume such a claim is bound to.
inline json::value volume_of(const json::value& claim) {
  json::value volume = testing::parsed(R"({"kind":"PersistentVolume","metadata":{}})");
  set_path(volume, "metadata.name", json::value(get_string(claim, "spec.volumeName")));
  return volume;
}

// One leading scheduler whose informers are fed by the test.
struct World {
  explicit World(const std::vector<a_node>& nodes, const std::vector<a_pod>& pods,
                 const std::vector<json::value>& claims = {},
                 std::vector<Profile> profiles = {default_profile()})
      : scheduler(executor, api, Rng(7), {std::move(profiles), {}, nullptr, {}}, metrics) {
    scheduler.start();
    scheduler.lead();
    executor.run_ready();
    for (const char* path :
         {kClaims, kVolumes, kClasses, "/api/v1/namespaces?", "/api/v1/services?",
          "/apis/policy/v1/poddisruptionbudgets?", "/apis/apps/v1/replicasets?", kGroups,
          "/api/v1/nodes?", "/api/v1/pods?"}) {
      api.head(*stream(path));
    }
    for (const json::value& claim : claims) {
      send(kClaims, "ADDED", claim);
      send(kVolumes, "ADDED", volume_of(claim));
    }
    for (const a_node& node : nodes) send("/api/v1/nodes?", "ADDED", node.object());
    for (const a_pod& pod : pods) send("/api/v1/pods?", "ADDED", pod.object());
    for (const char* path : {kClaims, kVolumes, kClasses, "/api/v1/nodes?", "/api/v1/pods?"}) {
      CHECK(api.idle());  // nothing is decided before all of it is known
      send(path, "BOOKMARK", end());
    }
  }

  std::shared_ptr<FakeApi::Stream> stream(const std::string& path) {
    executor.run_ready();
    for (const auto& open : api.open_streams()) {
      if (open->request.target.starts_with(path)) return open;
    }
    CHECK_MSG(false, "nobody watches " << path);
    return nullptr;
  }
  void send(const std::string& path, const std::string& type, json::value object) {
    set_path(object, "metadata.resourceVersion", json::value(std::to_string(++version)));
    api.event(*stream(path), type, object);
  }
  json::value end() const {
    json::value mark = json::object();
    make_object(mark, "metadata.annotations")["k8s.io/initial-events-end"] = "true";
    return mark;
  }
  // The waiting calls as "METHOD target", each answered: events with 201, the rest with 200.
  std::map<std::string, FakeApi::Call> take_calls() {
    std::map<std::string, FakeApi::Call> calls;
    executor.run_ready();
    while (!api.idle()) {
      const FakeApi::Call call = api.next_call();
      const std::string& target = call.request.target;
      const bool created = call.request.method == "POST";
      call.reply(created ? 201 : 200, call.request.body);
      calls.emplace(call.request.method + " " + target.substr(0, target.find('?')), call);
      executor.run_ready();
    }
    return calls;
  }

  ManualExecutor executor;
  FakeApi api{executor};
  Metrics metrics;
  std::int64_t version = 100;
  Scheduler scheduler;
};

}  // namespace coracle::scheduler::testing
