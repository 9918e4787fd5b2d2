#include <catch2/catch.hpp>

#include "base/yaml.hpp"
#include "garbagecollector/garbagecollector.hpp"

using namespace coracle;
using namespace coracle::controllers;

namespace {

json::value object(const std::string& name, const std::string& extra) {
  return *parse_yaml_one("{metadata: {name: " + name + ", namespace: ns, uid: u-" + name +
                         ", resourceVersion: '50'" + extra + "}}");
}

std::string owner(const std::string& name, const char* block = "true") {
  return "{apiVersion: apps/v1, kind: ReplicaSet, name: " + name + ", uid: u-" + name +
         ", controller: true, blockOwnerDeletion: " + block + "}";
}

std::string summary(const Plan& plan) {
  std::string text;
  for (const Write& w : plan.writes) {
    if (w.verb == Write::Verb::kLook) {
      text += "look at " + w.gvr.plural + "; ";
      continue;
    }
    text += w.verb == Write::Verb::kDelete
                ? "delete " + w.name + " " + w.delete_options.propagation_policy +
                      (w.delete_options.resource_version.empty()
                           ? "; "
                           : " at " + w.delete_options.resource_version + "; ")
                : "patch " + w.name + " " + to_json(*find(w.body, "metadata")) + "; ";
  }
  return text;
}

Plan reconcile(FixedWorld& world, const std::string& key) {
  return GarbageCollector().reconcile(world.view(), key, {});
}

}  // namespace

TEST_CASE("an object whose only owner is gone is deleted; an unseen owner is waited for") {
  FixedWorld world;
  world.put(gvr::kPods, object("p", ", ownerReferences: [" + owner("rs") + "]"));
  world.version = 60;
  CHECK(summary(reconcile(world, "pods.|ns/p")) == "delete p Background at 50; ");
  world.version = 40;  // the cache of ReplicaSets lags behind the pod
  const Plan plan = reconcile(world, "pods.|ns/p");
  CHECK(plan.writes.empty());
  CHECK(plan.again_after.has_value());
  CHECK(summary(reconcile(world, "pods.|ns/p|u-rs")) == "delete p Background at 50; ");
  world.put(gvr::kReplicaSets, object("rs", ""));
  CHECK(reconcile(world, "pods.|ns/p").writes.empty());
}

TEST_CASE("custom kinds own and are owned") {
  FixedWorld world;
  world.put(gvr::kCustomResourceDefinitions,
            *parse_yaml_one("{metadata: {name: widgets.example.com}, spec: {group: example.com, "
                            "scope: Namespaced, names: {plural: widgets, kind: Widget}, versions: "
                            "[{name: v1, served: true, storage: true}]}, status: {conditions: "
                            "[{type: Established, status: 'True'}]}}"));
  const client::Gvr widgets{"example.com", "v1", "widgets", true};
  const std::string reference =
      "{apiVersion: example.com/v1, kind: Widget, name: w, uid: u-w, controller: true}";
  world.put(gvr::kPods, object("p", ", ownerReferences: [" + reference + "]"));
  world.version = 60;
  CHECK(summary(reconcile(world, "pods.|ns/p")) == "delete p Background at 50; ");
  world.put(widgets, object("w", ", ownerReferences: [" + owner("rs") + "]"));
  CHECK(reconcile(world, "pods.|ns/p").writes.empty());
  CHECK(summary(reconcile(world, "widgets.example.com|ns/w")) == "delete w Background at 50; ");
  std::vector<std::string> keys;
  const json::value w = object("w", "");
  GarbageCollector().touched(world.view(), widgets, &w, nullptr,
                             [&](const std::string& key) { keys.push_back(key); });
  CHECK(keys == std::vector<std::string>{"pods.|ns/p|u-w"});
}

TEST_CASE("a kind that is not known is not judged") {
  FixedWorld world;
  const std::string reference = "{apiVersion: example.com/v1, kind: Widget, name: w, uid: u-w}";
  world.put(gvr::kPods, object("p", ", ownerReferences: [" + reference + "]"));
  world.version = 60;
  CHECK(reconcile(world, "pods.|ns/p").writes.empty());
}

TEST_CASE("a dangling reference beside a living owner is dropped") {
  FixedWorld world;
  world.put(gvr::kPods,
            object("p", ", ownerReferences: [" + owner("rs") + ", " + owner("x") + "]"));
  world.put(gvr::kReplicaSets, object("rs", ""));
  CHECK(
      summary(reconcile(world, "pods.|ns/p")) ==
      R"(patch p {"resourceVersion":"50","ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"rs","uid":"u-rs","controller":true,"blockOwnerDeletion":true}]}; )");
}

TEST_CASE("foreground deletion goes from the leaves") {
  const std::string dying =
      ", deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [foregroundDeletion]";
  FixedWorld world;
  world.put(gvr::kReplicaSets, object("rs", dying));
  world.put(gvr::kPods, object("p", ", ownerReferences: [" + owner("rs") + "]"));
  CHECK(summary(reconcile(world, "replicasets.apps|ns/rs")) == "delete p Background at 50; ");
  // Also when the pod is looked at for its own sake.
  CHECK(summary(reconcile(world, "pods.|ns/p")) == "delete p Background at 50; ");
  FixedWorld empty;
  empty.put(gvr::kReplicaSets, object("rs", dying));
  CHECK(summary(reconcile(empty, "replicasets.apps|ns/rs")) ==
        R"(patch rs {"resourceVersion":"50","finalizers":null}; )");
  FixedWorld unblocked;
  unblocked.put(gvr::kReplicaSets, object("rs", dying));
  unblocked.put(gvr::kPods, object("p", ", ownerReferences: [" + owner("rs", "false") + "]"));
  CHECK(summary(reconcile(unblocked, "replicasets.apps|ns/rs")) ==
        R"(delete p Background at 50; patch rs {"resourceVersion":"50","finalizers":null}; )");
}

TEST_CASE("a dependent of another owner too survives the one that waits") {
  FixedWorld world;
  world.put(gvr::kReplicaSets, object("rs",
                                      ", deletionTimestamp: '2026-01-01T00:00:00Z', "
                                      "finalizers: [foregroundDeletion]"));
  world.put(gvr::kReplicaSets, object("x", ""));
  const json::value pod =
      object("p", ", ownerReferences: [" + owner("rs") + ", " + owner("x", "false") + "]");
  world.put(gvr::kPods, pod);
  CHECK(
      summary(reconcile(world, "replicasets.apps|ns/rs")) ==
      R"(patch p {"resourceVersion":"50","ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"x","uid":"u-x","controller":true,"blockOwnerDeletion":false}]}; )");
  // The one that waits hears of it.
  const json::value freed = object("p", ", ownerReferences: [" + owner("x", "false") + "]");
  std::vector<std::string> keys;
  GarbageCollector().touched(world.view(), gvr::kPods, &pod, &freed,
                             [&](const std::string& key) { keys.push_back(key); });
  CHECK(keys == std::vector<std::string>{"pods.|ns/p", "replicasets.apps|ns/rs"});
}

TEST_CASE("a circle of owners ends") {
  const std::string dying =
      ", deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [foregroundDeletion]";
  const auto pod = [](const std::string& name, const std::string& of, const char* block,
                      const std::string& more) {
    return object(name, ", ownerReferences: [{apiVersion: v1, kind: Pod, name: " + of +
                            ", uid: u-" + of + ", blockOwnerDeletion: " + block + "}]" + more);
  };
  // a is owned by c, c by b, b by a; a was deleted, then b for its sake.
  FixedWorld world;
  world.put(gvr::kPods, pod("a", "c", "true", dying));
  world.put(gvr::kPods, pod("b", "a", "true", dying));
  world.put(gvr::kPods, pod("c", "b", "true", ""));
  CHECK(
      summary(reconcile(world, "pods.|ns/b")) ==
      R"(patch c {"resourceVersion":"50","ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"b","uid":"u-b","blockOwnerDeletion":false}]}; )");
  world.put(gvr::kPods, pod("c", "b", "false", ""));
  CHECK(summary(reconcile(world, "pods.|ns/b")) ==
        R"(delete c Foreground at 50; patch b {"resourceVersion":"50","finalizers":null}; )");
}

TEST_CASE("orphaning frees the dependents first") {
  FixedWorld world;
  world.put(gvr::kReplicaSets,
            object("rs", ", deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [orphan]"));
  world.put(gvr::kPods, object("p", ", ownerReferences: [" + owner("rs") + "]"));
  CHECK(
      summary(reconcile(world, "replicasets.apps|ns/rs")) ==
      R"(patch p {"resourceVersion":"50","ownerReferences":null}; look at pods; look at replicasets; )"
      R"(look at controllerrevisions; look at jobs; patch rs {"resourceVersion":"50","finalizers":null}; )");
  // One that the cache does not show yet holds it up.
  const Plan plan = reconcile(world, "replicasets.apps|ns/rs");
  const Write& look = plan.writes[1];
  CHECK(look.ns == "ns");
  CHECK(look.holds({object("q", ""), object("r", ", ownerReferences: [" + owner("x") + "]")}));
  CHECK_FALSE(look.holds({object("late", ", ownerReferences: [" + owner("rs") + "]")}));
}

TEST_CASE("a deletion wakes dependents with what is known, and waiting owners") {
  FixedWorld world;
  const json::value rs =
      object("rs", ", deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [foregroundDeletion]");
  world.put(gvr::kReplicaSets, rs);
  const json::value pod = object("p", ", ownerReferences: [" + owner("rs") + "]");
  world.put(gvr::kPods, pod);
  std::vector<std::string> keys;
  const auto note = [&](const std::string& key) { keys.push_back(key); };
  GarbageCollector().touched(world.view(), gvr::kReplicaSets, &rs, nullptr, note);
  GarbageCollector().touched(world.view(), gvr::kPods, &pod, nullptr, note);
  CHECK(keys == std::vector<std::string>{"pods.|ns/p|u-rs", "replicasets.apps|ns/rs"});
}

TEST_CASE("an update that says nothing new of owners needs no work") {
  FixedWorld world;
  const std::string owned = ", ownerReferences: [" + owner("rs") + "]";
  const json::value before = object("p", owned);
  json::value beat = before;
  set_path(beat, "status.phase", "Running");
  const json::value other = object("p", ", ownerReferences: [" + owner("x") + "]");
  const json::value going = object("p", owned +
                                            ", deletionTimestamp: '2026-01-01T00:00:00Z', "
                                            "finalizers: [orphan]");
  std::vector<std::string> keys;
  const auto touched = [&](const json::value* a, const json::value* b) {
    keys.clear();
    GarbageCollector().touched(world.view(), gvr::kPods, a, b,
                               [&](const std::string& key) { keys.push_back(key); });
    return keys;
  };
  const std::vector<std::string> self{"pods.|ns/p"};
  CHECK(touched(nullptr, &before) == self);
  CHECK(touched(&before, &beat).empty());
  CHECK(touched(&before, &other) == self);
  CHECK(touched(&before, &going) == self);
}
