#include <catch2/catch.hpp>

#include "api/object.hpp"
#include "base/yaml.hpp"
#include "persistentvolume/persistentvolume.hpp"

using namespace coracle;
using namespace coracle::controllers;

namespace {

const Instant kNow{TimePoint(), *parse_time("2026-01-01T12:00:00Z")};

struct Bench {
  FixedWorld world;

  void claim(const std::string& spec, const std::string& meta = "",
             const std::string& status = "phase: Pending") {
    world.put(gvr::kClaims,
              *parse_yaml_one(
                  "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c, namespace: "
                  "ns, uid: u, resourceVersion: '7'" +
                  meta +
                  "}, spec: {accessModes: [ReadWriteOnce], resources: {requests: "
                  "{storage: 2Gi}}" +
                  spec + "}, status: {" + status + "}}"));
  }
  void volume(const std::string& name, const std::string& size, const std::string& spec = "",
              const std::string& meta = "", const std::string& phase = "Available") {
    world.put(gvr::kVolumes,
              *parse_yaml_one("{apiVersion: v1, kind: PersistentVolume, metadata: {name: " + name +
                              ", uid: u-" + name + meta +
                              "}, spec: {accessModes: [ReadWriteOnce], capacity: {storage: " +
                              size + "}" + spec + "}, status: {phase: " + phase + "}}"));
  }
  void storage_class(const std::string& name, const std::string& provisioner,
                     const std::string& mode, const std::string& meta = "") {
    world.put(gvr::kStorageClasses, *parse_yaml_one("{metadata: {name: " + name + meta +
                                                    "}, provisioner: " + provisioner +
                                                    ", volumeBindingMode: " + mode + "}"));
  }
  Plan plan(const std::string& key) {
    return PersistentVolumeController().reconcile(world.view(), key, kNow);
  }
  // Carries out what a plan writes of the two objects.
  void apply(const Plan& plan) {
    for (const Write& w : plan.writes) {
      if (w.verb == Write::Verb::kPatch) {
        json::value claim = *world.view().get(gvr::kClaims, w.ns, w.name);
        for (const auto& [key, value] : get_object(w.body, "metadata.annotations")) {
          api::set_annotation(claim, key, std::string_view(value.get_string()));
        }
        const auto volume = get_string(w.body, "spec.volumeName");
        if (!volume.empty()) set_path(claim, "spec.volumeName", json::value(volume));
        world.put(gvr::kClaims, claim);
      } else if (w.verb == Write::Verb::kUpdate || w.verb == Write::Verb::kUpdateStatus) {
        world.put(w.gvr, w.body);
      }
    }
  }
};

std::string told(const Plan& plan) {
  return plan.events.empty() ? "" : plan.events[0].reason + ": " + plan.events[0].message;
}

// What the first write reserves.
std::string reserved(const Plan& plan) {
  if (plan.writes.empty() || !(plan.writes[0].gvr == gvr::kVolumes)) return "-";
  return std::string(api::name_of(plan.writes[0].body));
}

std::string phase_written(const Plan& plan) {
  for (const Write& w : plan.writes) {
    if (w.verb == Write::Verb::kUpdateStatus)
      return std::string(get_string(w.body, "status.phase"));
  }
  return "-";
}

const char* kBound = ", annotations: {pv.kubernetes.io/bind-completed: 'yes'}";
const char* kClaimRef = ", claimRef: {namespace: ns, name: c, uid: u}";

}  // namespace

TEST_CASE("the smallest volume that fits is taken") {
  struct Case {
    const char* name;
    const char* claim;
    const char* volume;  // spec of a volume of 3Gi
    const char* taken;
  };
  const auto c = GENERATE(values<Case>({
      {"plain", "", "", "v3"},
      {"of its class", ", storageClassName: fast", ", storageClassName: fast", "v3"},
      {"of another class", ", storageClassName: ''", ", storageClassName: fast", "v9"},
      {"of another mode", ", volumeMode: Block", "", "-"},
      {"what the modes rule out", "", ", accessModes: [ReadOnlyMany]", "v9"},
      {"reserved for another", "", ", claimRef: {namespace: ns, name: d}", "v9"},
      {"reserved for it, by name", "", ", claimRef: {namespace: ns, name: c}", "v3"},
      {"selected by label", ", selector: {matchLabels: {disk: ssd}}", "", "-"},
  }));
  CAPTURE(c.name);
  Bench b;
  b.claim(c.claim);
  b.volume("v1", "1Gi");
  b.volume("v3", "3Gi", c.volume);
  b.volume("v9", "9Gi");
  CHECK(reserved(b.plan("claim|ns/c")) == c.taken);
}

TEST_CASE("a binding is completed step by step, and then rests") {
  Bench b;
  b.claim("");
  b.volume("v", "3Gi");
  Plan plan = b.plan("claim|ns/c");
  REQUIRE(plan.writes.size() == 2);
  CHECK(to_json(*find(plan.writes[0].body, "spec.claimRef")) ==
        R"({"kind":"PersistentVolumeClaim","namespace":"ns","name":"c","uid":"u",)"
        R"("apiVersion":"v1","resourceVersion":"7"})");
  CHECK(api::annotation_of(plan.writes[0].body, "pv.kubernetes.io/bound-by-controller") == "yes");
  b.apply(plan);
  plan = b.plan("volume|v");
  CHECK(phase_written(plan) == "Bound");
  b.apply(plan);
  plan = b.plan("claim|ns/c");
  CHECK(phase_written(plan) == "Bound");
  CHECK(get_string(plan.writes[0].body, "status.capacity.storage") == "3Gi");
  b.apply(plan);
  CHECK(b.plan("claim|ns/c").writes.empty());
  CHECK(b.plan("volume|v").writes.empty());
}

TEST_CASE("a claim that names its volume") {
  struct Case {
    const char* name;
    const char* volume;
    const char* taken;
    const char* told;
  };
  const auto c = GENERATE(values<Case>({
      {"free", "", "v", ""},
      {"too small", ", capacity: {storage: 1Gi}", "-",
       "VolumeMismatch: Cannot bind to requested volume \"v\": requested PV is too small"},
      {"another class", ", storageClassName: x", "-",
       "VolumeMismatch: Cannot bind to requested volume \"v\": storageClassName does not match"},
      {"another's", ", claimRef: {namespace: ns, name: d, uid: x}", "-",
       "FailedBinding: volume \"v\" already bound to a different claim."},
  }));
  CAPTURE(c.name);
  Bench b;
  b.claim(", volumeName: v");
  b.volume("v", "3Gi", c.volume);
  const Plan plan = b.plan("claim|ns/c");
  CHECK(reserved(plan) == c.taken);
  CHECK(told(plan) == c.told);
  if (reserved(plan) == "v") {  // the claim's own choice is not the controller's
    CHECK(find(plan.writes[1].body, "spec.volumeName") == nullptr);
    CHECK_FALSE(get_object(plan.writes[1].body, "metadata.annotations")
                    .contains("pv.kubernetes.io/bound-by-controller"));
  }
}

TEST_CASE("what a claim without a volume is told") {
  struct Case {
    const char* name;
    const char* claim;
    const char* told;
  };
  const auto c = GENERATE(values<Case>({
      {"no class", "",
       "FailedBinding: no persistent volumes available for this claim and no "
       "storage class is set"},
      {"a class that is not there", ", storageClassName: none",
       "ProvisioningFailed: storageclass.storage.k8s.io \"none\" not found"},
      {"a class that makes nothing", ", storageClassName: local",
       "ProvisioningFailed: no volume plugin matched name: kubernetes.io/no-provisioner"},
      {"a class that waits", ", storageClassName: late",
       "WaitForFirstConsumer: waiting for first consumer to be created before binding"},
      {"an external provisioner", ", storageClassName: ext",
       "ExternalProvisioning: Waiting for a volume to be created either by the external "
       "provisioner 'example.com/x' or manually by the system administrator. If volume creation "
       "is delayed, please verify that the provisioner is running and correctly registered."},
  }));
  CAPTURE(c.name);
  Bench b;
  b.storage_class("local", "kubernetes.io/no-provisioner", "Immediate");
  b.storage_class("late", "kubernetes.io/no-provisioner", "WaitForFirstConsumer");
  b.storage_class("ext", "example.com/x", "Immediate");
  b.claim(c.claim);
  const Plan plan = b.plan("claim|ns/c");
  CHECK(told(plan) == c.told);
  CHECK(plan.again_after.has_value());
}

TEST_CASE("a built-in provisioner of old is asked by its driver's name") {
  Bench b;
  b.storage_class("fast", "kubernetes.io/gce-pd", "Immediate");
  b.claim(", storageClassName: fast");
  const Plan plan = b.plan("claim|ns/c");
  REQUIRE(plan.writes.size() == 1);
  CHECK(api::annotation_of(plan.writes[0].body, "volume.kubernetes.io/storage-provisioner") ==
        "pd.csi.storage.gke.io");
}

TEST_CASE("the pod that keeps a claim waiting is named; volumes of its class are left to it") {
  Bench b;
  b.storage_class("late", "kubernetes.io/no-provisioner", "WaitForFirstConsumer");
  b.claim(", storageClassName: late");
  b.volume("v", "3Gi", ", storageClassName: late");
  b.world.put(gvr::kPods, *parse_yaml_one("{metadata: {name: p, namespace: ns}, spec: {volumes: "
                                          "[{persistentVolumeClaim: {claimName: c}}]}}"));
  const Plan plan = b.plan("claim|ns/c");
  CHECK(plan.writes.empty());
  CHECK(told(plan) == "WaitForPodScheduled: waiting for pod p to be scheduled");
}

TEST_CASE("a default class reaches claims that were there before it") {
  Bench b;
  b.claim("");
  const std::string marked =
      ", annotations: {storageclass.kubernetes.io/is-default-class: 'true'}, creationTimestamp: ";
  b.storage_class("old", "example.com/x", "Immediate", marked + "'2026-01-01T10:00:00Z'");
  b.storage_class("new", "example.com/x", "Immediate", marked + "'2026-01-01T11:00:00Z'");
  Plan plan = b.plan("claim|ns/c");
  REQUIRE(plan.writes.size() == 1);
  CHECK(get_string(plan.writes[0].body, "spec.storageClassName") == "new");
  b.claim(", storageClassName: ''");
  CHECK(told(b.plan("claim|ns/c")).starts_with("FailedBinding"));
}

TEST_CASE("a bound claim that lost its volume") {
  Bench b;
  const char* status = "phase: Bound, capacity: {storage: 3Gi}";
  b.claim(", volumeName: v", kBound, status);
  Plan plan = b.plan("claim|ns/c");
  CHECK(phase_written(plan) == "Lost");
  CHECK(told(plan) ==
        "ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  b.volume("v", "3Gi", ", claimRef: {namespace: ns, name: d, uid: x}");
  CHECK(told(b.plan("claim|ns/c")).starts_with("ClaimMisbound"));
  b.claim("", kBound, status);
  CHECK(told(b.plan("claim|ns/c")).starts_with("ClaimLost: Bound claim has lost reference"));
}

TEST_CASE("a volume whose claim is gone") {
  struct Case {
    const char* name;
    const char* spec;
    const char* phase;
    const char* verb;   // of the last write
    const char* value;  // the phase written, or the event
  };
  const auto c = GENERATE(values<Case>({
      {"retained", "persistentVolumeReclaimPolicy: Retain", "Bound", "status", "Released"},
      {"retained, known", "persistentVolumeReclaimPolicy: Retain", "Released", "", ""},
      {"deleted", "persistentVolumeReclaimPolicy: Delete, hostPath: {path: /tmp/x}", "Released",
       "delete", ""},
      {"not deletable", "persistentVolumeReclaimPolicy: Delete, hostPath: {path: /data}",
       "Released", "status", "Failed"},
      {"recycled", "persistentVolumeReclaimPolicy: Recycle, hostPath: {path: /data}", "Released",
       "create", ""},
      {"not recyclable", "persistentVolumeReclaimPolicy: Recycle, csi: {driver: x}", "Released",
       "status", "Failed"},
  }));
  CAPTURE(c.name);
  Bench b;
  b.volume("v", "3Gi", std::string(kClaimRef) + ", " + c.spec, "", c.phase);
  const Plan plan = b.plan("volume|v");
  std::string verb;
  if (!plan.writes.empty()) {
    REQUIRE(plan.writes.size() == 2);
    REQUIRE(plan.writes[0].verb == Write::Verb::kLook);
    CHECK(plan.writes[0].holds({}));
    json::array shown;
    shown.push_back(*parse_yaml_one("{metadata: {name: c, namespace: ns, uid: u}}"));
    CHECK_FALSE(plan.writes[0].holds(shown));
    const auto v = plan.writes[1].verb;
    verb = v == Write::Verb::kDelete ? "delete" : v == Write::Verb::kCreate ? "create" : "status";
  }
  CHECK(verb == c.verb);
  if (verb == "status") CHECK(phase_written(plan) == c.value);
}

TEST_CASE("a recycled volume is free again when its pod is done") {
  Bench b;
  b.volume(
      "v", "3Gi",
      std::string(kClaimRef) + ", persistentVolumeReclaimPolicy: Recycle, hostPath: {path: /data}",
      ", annotations: {pv.kubernetes.io/bound-by-controller: 'yes'}", "Released");
  const auto pod = [&](const std::string& phase) {
    b.world.put(gvr::kPods, *parse_yaml_one("{metadata: {name: recycler-for-v, namespace: "
                                            "default, uid: p}, status: {phase: " +
                                            phase + "}}"));
  };
  pod("Running");
  CHECK(b.plan("volume|v").writes.empty());
  pod("Succeeded");
  Plan plan = b.plan("volume|v");
  REQUIRE(plan.writes.size() == 3);
  CHECK(find(plan.writes[2].body, "spec.claimRef") == nullptr);
  CHECK(told(plan) == "VolumeRecycled: Volume recycled");
  b.apply(plan);
  CHECK(phase_written(b.plan("volume|v")) == "Available");
  pod("Failed");
}

TEST_CASE("a volume whose claim got another") {
  Bench b;
  b.claim(", volumeName: other", kBound);
  b.volume("v", "3Gi", kClaimRef, ", annotations: {pv.kubernetes.io/bound-by-controller: 'yes'}");
  CHECK(find(b.plan("volume|v").writes.at(0).body, "spec.claimRef") == nullptr);
  b.volume("v", "3Gi", kClaimRef);
  const Plan kept = b.plan("volume|v");
  CHECK(to_json(*find(kept.writes.at(0).body, "spec.claimRef")) ==
        R"({"namespace":"ns","name":"c"})");
  b.volume("v", "3Gi", std::string(kClaimRef) + ", persistentVolumeReclaimPolicy: Delete",
           ", annotations: {pv.kubernetes.io/provisioned-by: x}", "Bound");
  CHECK(phase_written(b.plan("volume|v")) == "Released");
}

TEST_CASE("who is woken by what") {
  Bench b;
  b.claim("");
  b.volume("v", "3Gi");
  const json::value volume = *b.world.view().get(gvr::kVolumes, "", "v");
  json::value pending = volume;
  set_path(pending, "status.phase", json::value("Pending"));
  std::vector<std::string> keys;
  const auto note = [&](const std::string& key) { keys.push_back(key); };
  const PersistentVolumeController controller;
  controller.touched(b.world.view(), gvr::kVolumes, &pending, &volume, note);
  CHECK(keys == std::vector<std::string>{"volume|v", "claim|ns/c"});
  keys.clear();
  controller.touched(b.world.view(), gvr::kVolumes, &volume, &volume, note);
  CHECK(keys == std::vector<std::string>{"volume|v"});
  keys.clear();
  b.volume("v", "3Gi", kClaimRef);
  const json::value claim = *b.world.view().get(gvr::kClaims, "ns", "c");
  controller.touched(b.world.view(), gvr::kClaims, &claim, nullptr, note);
  CHECK(keys == std::vector<std::string>{"volume|v"});
}
