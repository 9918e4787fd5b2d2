#include <catch2/catch.hpp>

#include "api/object.hpp"
#include "base/yaml.hpp"
#include "provisioner/provisioner.hpp"

using namespace coracle;
using namespace coracle::controllers;

namespace {

const Instant kNow{TimePoint(), *parse_time("2026-01-01T12:00:00Z")};
const char* kDriver = "lab.coracle.dev/hostpath";

struct Bench {
  FixedWorld world;
  ProvisionerController controller{{kDriver}};

  void storage_class(const std::string& rest) {
    world.put(gvr::kStorageClasses, *parse_yaml_one("{metadata: {name: std}, provisioner: " +
                                                    std::string(kDriver) + ", " + rest + "}"));
  }
  void claim(const std::string& meta, const std::string& spec, const std::string& status = "") {
    world.put(gvr::kClaims,
              *parse_yaml_one("{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c, "
                              "namespace: ns, uid: u, resourceVersion: '7', annotations: "
                              "{volume.kubernetes.io/storage-provisioner: " +
                              std::string(kDriver) + meta +
                              "}}, spec: {storageClassName: std, accessModes: [ReadWriteOnce], "
                              "resources: {requests: {storage: 2Gi}}" +
                              spec + "}, status: {" + status + "}}"));
  }
  void volume(const std::string& meta, const std::string& spec, const std::string& phase) {
    world.put(gvr::kVolumes, *parse_yaml_one("{metadata: {name: pvc-u, uid: v, annotations: "
                                             "{pv.kubernetes.io/provisioned-by: " +
                                             std::string(kDriver) + "}" + meta + "}, spec: {" +
                                             spec + "}, status: {phase: " + phase + "}}"));
  }
  Plan plan(const std::string& key) { return controller.reconcile(world.view(), key, kNow); }
};

}  // namespace

TEST_CASE("a claim that asks gets a volume that is its own") {
  Bench b;
  b.storage_class("reclaimPolicy: Delete, volumeBindingMode: Immediate, mountOptions: [ro]");
  b.claim("", "");
  const Plan plan = b.plan("claim|ns/c");
  REQUIRE(plan.writes.size() == 1);
  const json::value& made = plan.writes[0].body;
  CHECK(api::name_of(made) == "pvc-u");
  CHECK(get_string(made, "spec.claimRef.uid") == "u");
  CHECK(get_string(made, "spec.capacity.storage") == "2Gi");
  CHECK(get_string(made, "spec.persistentVolumeReclaimPolicy") == "Delete");
  CHECK(get_string(made, "spec.storageClassName") == "std");
  CHECK(to_json(get_array(made, "spec.mountOptions")) == R"(["ro"])");
  CHECK(find(made, "spec.nodeAffinity") == nullptr);
  REQUIRE(plan.events.size() == 1);
  CHECK(plan.events[0].message == "External provisioner is provisioning volume for claim \"ns/c\"");
  b.world.put(gvr::kVolumes, made);
  CHECK(b.plan("claim|ns/c").writes.empty());
}

TEST_CASE("where the class waits for a consumer, nothing is made before a node is chosen") {
  Bench b;
  b.storage_class("reclaimPolicy: Retain, volumeBindingMode: WaitForFirstConsumer");
  b.claim("", "");
  CHECK(b.plan("claim|ns/c").writes.empty());
  b.claim(", volume.kubernetes.io/selected-node: n2", "");
  const Plan plan = b.plan("claim|ns/c");
  REQUIRE(plan.writes.size() == 1);
  CHECK(to_json(*find(plan.writes[0].body, "spec.nodeAffinity")) ==
        R"({"required":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"kubernetes.io/hostname",)"
        R"("operator":"In","values":["n2"]}]}]}})");
  CHECK(api::finalizers_of(plan.writes[0].body).empty());
}

TEST_CASE("claims of other drivers, with selectors or on their way out get nothing") {
  Bench b;
  b.storage_class("volumeBindingMode: Immediate");
  b.claim("", ", selector: {matchLabels: {a: b}}");
  const Plan plan = b.plan("claim|ns/c");
  CHECK(plan.writes.empty());
  REQUIRE(plan.events.size() == 1);
  CHECK(plan.events[0].reason == "ProvisioningFailed");
  const ProvisionerController other({"example.com/other"});
  b.claim("", "");
  CHECK(other.reconcile(b.world.view(), "claim|ns/c", kNow).writes.empty());
}

TEST_CASE("a released volume goes, a retained one stays, a bound one is held") {
  Bench b;
  b.volume("", "persistentVolumeReclaimPolicy: Delete", "Bound");
  CHECK(b.plan("volume|pvc-u").writes.empty());
  b.volume("", "persistentVolumeReclaimPolicy: Retain", "Released");
  CHECK(b.plan("volume|pvc-u").writes.empty());
  b.volume("", "persistentVolumeReclaimPolicy: Delete", "Released");
  Plan plan = b.plan("volume|pvc-u");
  REQUIRE(plan.writes.size() == 1);
  CHECK(plan.writes[0].verb == Write::Verb::kDelete);
  const std::string dying =
      ", deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: "
      "[external-provisioner.volume.kubernetes.io/finalizer]";
  b.volume(dying, "persistentVolumeReclaimPolicy: Delete", "Bound");
  CHECK(b.plan("volume|pvc-u").writes.empty());
  b.volume(dying, "persistentVolumeReclaimPolicy: Delete", "Released");
  plan = b.plan("volume|pvc-u");
  REQUIRE(plan.writes.size() == 1);
  CHECK(api::finalizers_of(plan.writes[0].body).empty());
}

TEST_CASE("a claim grows: the volume first, then its own status") {
  Bench b;
  b.storage_class("allowVolumeExpansion: true");
  const std::string status = "phase: Bound, capacity: {storage: 1Gi}";
  b.claim("", ", volumeName: pvc-u", status);
  b.volume("", "capacity: {storage: 1Gi}", "Bound");
  Plan plan = b.plan("claim|ns/c");
  REQUIRE(plan.writes.size() == 2);
  CHECK(get_string(get_array(plan.writes[0].body, "status.conditions").at(0), "type") ==
        "Resizing");
  CHECK(get_string(plan.writes[1].body, "spec.capacity.storage") == "2Gi");
  REQUIRE(plan.events.size() == 1);
  CHECK(plan.events[0].message == "External resizer is resizing volume pvc-u");

  b.world.put(gvr::kClaims, plan.writes[0].body);
  b.world.put(gvr::kVolumes, plan.writes[1].body);
  plan = b.plan("claim|ns/c");
  REQUIRE(plan.writes.size() == 1);
  CHECK(get_string(plan.writes[0].body, "status.capacity.storage") == "2Gi");
  CHECK(find(plan.writes[0].body, "status.conditions") == nullptr);
  b.world.put(gvr::kClaims, plan.writes[0].body);
  CHECK(b.plan("claim|ns/c").writes.empty());

  b.storage_class("allowVolumeExpansion: false");
  b.claim("", ", volumeName: pvc-u", status);
  CHECK(b.plan("claim|ns/c").writes.empty());
}

TEST_CASE("who asks for more is told once whom it waits for") {
  Bench b;
  b.claim("", ", volumeName: pvc-u", "phase: Bound, capacity: {storage: 1Gi}");
  const json::value after = *b.world.view().get(gvr::kClaims, "ns", "c");
  json::value before = after;
  set_path(before, "spec.resources.requests.storage", json::value("1Gi"));
  const VolumeExpandController expand;
  int woken = 0;
  const auto count = [&](const std::string&) { ++woken; };
  expand.touched(b.world.view(), gvr::kClaims, &before, &after, count);
  expand.touched(b.world.view(), gvr::kClaims, &after, &after, count);
  CHECK(woken == 1);
  const Plan plan = expand.reconcile(b.world.view(), "ns/c", kNow);
  REQUIRE(plan.events.size() == 1);
  CHECK(plan.events[0].reason == "ExternalExpanding");
}
