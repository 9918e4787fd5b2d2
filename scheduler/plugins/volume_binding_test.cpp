#include "plugins/volume_binding.hpp"

#include "plugins/testing.hpp"

namespace coracle::scheduler {
namespace {

using namespace testing;

const char* kUnbound = "pod has unbound immediate PersistentVolumeClaims";
const char* kNothing = "node(s) didn't find available persistent volumes to bind";
const char* kAway = "node(s) didn't match PersistentVolume's node affinity";

SharedObject shared(const std::string& text) { return std::make_shared<json::value>(parsed(text)); }

struct Bench {
  Bench() {
    storage_class("late", R"("provisioner":"kubernetes.io/no-provisioner")");
    storage_class("made", R"("provisioner":"example.com/x")");
    storage_class("west", R"("provisioner":"example.com/x","allowedTopologies":[
      {"matchLabelExpressions":[{"key":"topology.kubernetes.io/zone","values":["w"]}]}])");
    world.storage.classes["now"] = shared(R"({"metadata":{"name":"now"},"provisioner":"x",
      "volumeBindingMode":"Immediate"})");
  }
  void storage_class(const std::string& name, const std::string& rest) {
    world.storage.classes[name] =
        shared(R"({"metadata":{"name":")" + name +
               R"("},"volumeBindingMode":"WaitForFirstConsumer",)" + rest + "}");
  }
  void claim(const std::string& name, const std::string& spec, const std::string& meta = "",
             const std::string& size = "1Gi") {
    world.storage.claims["default/" + name] =
        shared(R"({"metadata":{"namespace":"default","resourceVersion":"5","name":")" + name +
               R"(","uid":"u-)" + name + "\"" + meta +
               R"(},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":")" +
               size + "\"}}" + spec + "}}");
  }
  void bound(const std::string& name, const std::string& volume) {
    claim(name, R"(,"volumeName":")" + volume + "\"",
          R"(,"annotations":{"pv.kubernetes.io/bind-completed":"yes"})");
  }
  // Reached from that node only, unless it is empty.
  void volume(const std::string& name, const std::string& node, const std::string& size = "1Gi") {
    std::string affinity;
    if (!node.empty()) {
      affinity = R"(,"nodeAffinity":{"required":{"nodeSelectorTerms":[{"matchExpressions":[
        {"key":"kubernetes.io/hostname","operator":"In","values":[")" +
                 node + R"("]}]}]}})";
    }
    world.storage.volumes[name] =
        shared(R"({"metadata":{"resourceVersion":"9","name":")" + name +
               R"("},"spec":{"storageClassName":"late","accessModes":["ReadWriteOnce"],"capacity":
               {"storage":")" +
               size + "\"}" + affinity + R"(},"status":{"phase":"Available"}})");
  }
  Verdicts on_nodes(const a_pod& pod) { return filtered(plugin, *pod.info(), world); }

  Snapshot world = a_world({a_node("n1").zone("e"), a_node("n2").zone("w")});
  VolumeBinding plugin;
};

const Verdict kYes = Verdict::yes();

}  // namespace

TEST_CASE("VolumeBinding: bound claims tie the pod to where their volumes are") {
  Bench b;
  b.volume("v", "n2");
  b.bound("c", "v");
  CHECK(b.on_nodes(a_pod("p").claim("c")) == Verdicts{Verdict::never(kAway), kYes});
  b.volume("v", "");
  CHECK(b.on_nodes(a_pod("p").claim("c")) == Verdicts{kYes, kYes});
  b.world.storage.volumes.clear();
  const auto gone =
      Verdict::never("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)");
  CHECK(b.on_nodes(a_pod("p").claim("c")) == Verdicts{gone, gone});
}

TEST_CASE("VolumeBinding: claims that no node helps") {
  struct Case {
    const char* name;
    const char* spec;
    const char* meta;
    const char* why;
  };
  const std::vector<Case> cases = {
      {"no class", "", "", kUnbound},
      {"a class that does not wait", R"(,"storageClassName":"now")", "", kUnbound},
      {"named by the user, not bound", R"(,"storageClassName":"late","volumeName":"v")", "",
       kUnbound},
      {"on its way out", "", R"(,"deletionTimestamp":"2026-01-01T00:00:00Z")",
       "persistentvolumeclaim \"c\" is being deleted"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Bench b;
    b.claim("c", c.spec, c.meta);
    CHECK(b.on_nodes(a_pod("p").claim("c")) ==
          Verdicts{Verdict::never(c.why), Verdict::never(c.why)});
  }
  Bench b;
  CHECK(b.on_nodes(a_pod("p").claim("c"))[0] ==
        Verdict::never("persistentvolumeclaim \"c\" not found"));
}

TEST_CASE("VolumeBinding: what is wrong with a claim comes before that another is unbound") {
  Bench b;
  b.claim("c", "");
  b.claim("d", "", R"(,"deletionTimestamp":"2026-01-01T00:00:00Z")");
  const a_pod both = a_pod("p").set("spec.volumes",
                                    R"([{"name":"a","persistentVolumeClaim":{"claimName":"c"}},
          {"name":"b","persistentVolumeClaim":{"claimName":"d"}}])");
  CHECK(b.on_nodes(both)[0] == Verdict::never("persistentvolumeclaim \"d\" is being deleted"));
}

TEST_CASE("VolumeBinding: an ephemeral volume's claim must be the pod's own") {
  const auto verdict = [](const std::string& owner) {
    Bench b;
    b.volume("v", "");
    b.claim("p-e", R"(,"volumeName":"v")",
            R"(,"annotations":{"pv.kubernetes.io/bind-completed":"yes"})" + owner);
    return b.on_nodes(a_pod("p")
                          .set("metadata.uid", "\"u-p\"")
                          .set("spec.volumes", R"([{"name":"e","ephemeral":{}}])"))[0];
  };
  const auto owned_by = [](const char* uid, const char* controls) {
    return R"(,"ownerReferences":[{"kind":"Pod","name":"p","uid":")" + std::string(uid) +
           R"(","controller":)" + controls + "}]";
  };
  const Verdict foreign =
      Verdict::never("PVC default/p-e was not created for pod default/p (pod is not owner)");
  CHECK(verdict(owned_by("u-p", "true")) == kYes);
  CHECK(verdict("") == foreign);
  CHECK(verdict(owned_by("u-p", "false")) == foreign);
  CHECK(verdict(owned_by("u-before", "true")) == foreign);
}

TEST_CASE("VolumeBinding: a claim that waits goes where a volume is, or can be made") {
  Bench b;
  const a_pod pod = a_pod("p").claim("c");
  b.claim("c", R"(,"storageClassName":"late")");
  CHECK(b.on_nodes(pod) == Verdicts{Verdict::never(kNothing), Verdict::never(kNothing)});
  b.volume("v1", "n1", "500Mi");
  b.volume("v2", "n2");
  CHECK(b.on_nodes(pod) == Verdicts{Verdict::never(kNothing), kYes});
  b.claim("c", R"(,"storageClassName":"made")");
  CHECK(b.on_nodes(pod) == Verdicts{kYes, kYes});
  b.claim("c", R"(,"storageClassName":"west")");
  CHECK(b.on_nodes(pod) == Verdicts{Verdict::never(kNothing), kYes});
  b.claim("c", R"(,"storageClassName":"made")",
          R"(,"annotations":{"volume.kubernetes.io/selected-node":"n1"})");
  CHECK(b.on_nodes(pod) == Verdicts{kYes, Verdict::never(kNothing)});
}

TEST_CASE("VolumeBinding: two claims of a pod do not get the same volume") {
  Bench b;
  const a_pod pod = a_pod("p").claim("c").claim("d");
  b.claim("c", R"(,"storageClassName":"late")", "", "2Gi");
  b.claim("d", R"(,"storageClassName":"late")");
  b.volume("v1", "n1", "2Gi");
  CHECK(b.on_nodes(pod)[0] == Verdict::never(kNothing));
  b.volume("v2", "n1", "1Gi");  // the small claim takes the small one
  CHECK(b.on_nodes(pod)[0] == kYes);
}

TEST_CASE("VolumeBinding: what is reserved is not given to another; the write names the claim") {
  Bench b;
  b.claim("c", R"(,"storageClassName":"late")");
  b.claim("d", R"(,"storageClassName":"late")");
  b.volume("v", "n1");
  const auto first = a_pod("p").claim("c").info();
  REQUIRE(b.plugin.reserve(*first, "n1", b.world, b.world.reservations).is_yes());
  CHECK(b.on_nodes(a_pod("q").claim("d"))[0] == Verdict::never(kNothing));
  CHECK(b.on_nodes(a_pod("q").claim("c"))[0] == Verdict::never(kNothing));  // the claim is held
  CHECK(b.on_nodes(a_pod("p").claim("c"))[0] == kYes);

  const auto writes = b.plugin.before_bind(*first, "n1", b.world);
  REQUIRE(writes.size() == 1);
  CHECK(writes[0].target == PreBindWrite::Target::kVolume);
  CHECK(writes[0].patch == parsed(R"({"metadata":{"resourceVersion":"9","annotations":{
    "pv.kubernetes.io/bound-by-controller":"yes"}},"spec":{"claimRef":{
    "kind":"PersistentVolumeClaim","namespace":"default","name":"c","uid":"u-c",
    "apiVersion":"v1","resourceVersion":"5"}}})"));
  CHECK(b.plugin.may_bind(*first, "n1", b.world).kind() == Verdict::Kind::kNotNow);
  b.bound("c", "v");
  CHECK(b.plugin.may_bind(*first, "n1", b.world).is_yes());
  CHECK(b.plugin.may_bind(*first, "n2", b.world).kind() == Verdict::Kind::kNever);
  b.plugin.unreserve(*first, "n1", b.world.reservations);
  CHECK(b.world.reservations.empty());
}

TEST_CASE("VolumeBinding: a volume to be made is asked for by the node's name") {
  Bench b;
  b.claim("c", R"(,"storageClassName":"made")");
  const auto pod = a_pod("p").claim("c").info();
  const auto writes = b.plugin.before_bind(*pod, "n2", b.world);
  REQUIRE(writes.size() == 1);
  CHECK(writes[0].target == PreBindWrite::Target::kClaim);
  CHECK(get_object(writes[0].patch, "metadata.annotations")
            .at("volume.kubernetes.io/selected-node") == json::value("n2"));
  CHECK(b.plugin.before_bind(*a_pod("q").info(), "n2", b.world).empty());
}

TEST_CASE("VolumeBinding: a volume is made where its driver has room, if it says where") {
  Bench bench;
  bench.claim("c", R"(,"storageClassName":"made")", "", "5Gi");
  const a_pod pod = a_pod("p").claim("c");
  const Verdict full = Verdict::never("node(s) did not have enough free storage");
  const auto yes = Verdict::yes();
  bench.world.storage.csi_drivers["example.com/x"] =
      shared(R"({"metadata":{"name":"example.com/x"},"spec":{"storageCapacity":true}})");
  CHECK(bench.on_nodes(pod) == Verdicts{full, full});  // nowhere
  const auto capacity = [&](const std::string& name, const std::string& rest) {
    bench.world.storage.capacities["default/" + name] =
        shared(R"({"storageClassName":"made",)" + rest + "}");
  };
  const std::string west = R"("nodeTopology":{"matchLabels":{"topology.kubernetes.io/zone":"w"}},)";
  capacity("west", west + R"("capacity":"5Gi")");
  CHECK(bench.on_nodes(pod) == Verdicts{full, yes});
  capacity("west", west + R"("capacity":"50Gi","maximumVolumeSize":"4Gi")");
  CHECK(bench.on_nodes(pod) == Verdicts{full, full});
  capacity("all", R"("nodeTopology":{},"capacity":"4Gi")");
  CHECK(bench.on_nodes(pod) == Verdicts{full, full});
  capacity("all", R"("nodeTopology":{},"capacity":"6Gi")");
  CHECK(bench.on_nodes(pod) == Verdicts{yes, yes});
  bench.world.storage.csi_drivers.clear();  // it does not say
  bench.world.storage.capacities.clear();
  CHECK(bench.on_nodes(pod) == Verdicts{yes, yes});
}

}  // namespace coracle::scheduler
