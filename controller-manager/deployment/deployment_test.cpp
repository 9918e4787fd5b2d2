#include <catch2/catch.hpp>

#include "api/object.hpp"
#include "base/yaml.hpp"
#include "controllers/pods.hpp"
#include "deployment/deployment.hpp"
#include "deployment/replica_sets.hpp"

using namespace coracle;
using namespace coracle::controllers;
namespace dep = coracle::controllers::deployment;

namespace {

// A cluster of Deployments and ReplicaSets only: plans are applied at once, and every ReplicaSet's
// status says what the test lets it have.
class Cluster {
 public:
  explicit Cluster(const std::string& spec) {
    json::value d = *parse_yaml_one(R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: ns, uid: d-uid, generation: 1}
)");
    json::value s = *parse_yaml_one(spec);
    set_path(s, "selector", *parse_yaml_one("{matchLabels: {app: web}}"));
    if (find(s, "template") == nullptr) set_template(&s, "v1");
    d.get_object()["spec"] = std::move(s);
    objects["deployments/web"] = std::move(d);
  }

  static void set_template(json::value* spec, const std::string& image) {
    set_path(
        *spec, "template",
        *parse_yaml_one("{metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: " +
                        image + "}]}}"));
  }
  json::value& d() { return objects["deployments/web"]; }
  void change_image(const std::string& image) {
    set_template(&d().get_object()["spec"], image);
    bump();
  }
  void set_spec(const std::string& path, json::value v) {
    set_path(d(), "spec." + path, std::move(v));
    bump();
  }
  void bump() {
    set_path(d(), "metadata.generation", json::value(get_int(d(), "metadata.generation") + 1));
  }

  Plan step() {
    FixedWorld world;
    for (const auto& [key, object] : objects) {
      world.put(key.starts_with("deployments") ? gvr::kDeployments : gvr::kReplicaSets, object);
    }
    Plan plan = DeploymentController().reconcile(world.view(), "ns/web",
                                                 {TimePoint(std::chrono::hours(1)), wall});
    for (const Write& w : plan.writes) apply(w);
    for (const EventNote& e : plan.events) events.push_back(e.message);
    return plan;
  }
  // Until nothing is written; at most `most` steps.
  int settle(int most = 50) {
    for (int i = 0; i < most; ++i) {
      if (step().writes.empty()) return i;
    }
    FAIL("does not settle");
    return most;
  }
  // Lets every ReplicaSet have the pods it wants, available.
  void pods_come() {
    for (auto& [key, object] : objects) {
      if (!key.starts_with("replicasets")) continue;
      const std::int64_t n = dep::spec_replicas(object);
      set_path(object, "status", *parse_json("{}"));
      for (const char* f :
           {"replicas", "readyReplicas", "availableReplicas", "fullyLabeledReplicas"}) {
        set_path(object, std::string("status.") + f, json::value(n));
      }
      set_path(object, "status.observedGeneration", json::value(api::generation_of(object)));
    }
  }
  // Old pods go at once, one new pod becomes available.
  void one_pod_comes() {
    for (auto& [key, object] : objects) {
      if (!key.starts_with("replicasets")) continue;
      const std::int64_t want = dep::spec_replicas(object);
      std::int64_t have = get_int(object, "status.availableReplicas");
      if (have < want) ++have;
      have = std::min(have, want);
      set_path(object, "status.availableReplicas", json::value(have));
      set_path(object, "status.readyReplicas", json::value(have));
      set_path(object, "status.replicas", json::value(want));
      set_path(object, "status.observedGeneration", json::value(api::generation_of(object)));
    }
  }
  std::int64_t sum(const std::string& path) const {
    std::int64_t total = 0;
    for (const auto& [key, o] : objects) {
      if (key.starts_with("replicasets")) total += get_int(o, path);
    }
    return total;
  }
  std::string condition_reason(const std::string& type) {
    const json::value* c = condition(d(), type);
    return c == nullptr ? "none" : std::string(get_string(*c, "reason"));
  }
  size_t sets() const { return objects.size() - 1; }

  std::map<std::string, json::value> objects;
  std::vector<std::string> events;
  WallTime wall = *parse_time("2026-01-01T12:00:00Z");

 private:
  void apply(const Write& w) {
    const std::string key = w.gvr.plural + "/" + w.name;
    if (w.verb == Write::Verb::kDelete) {
      objects.erase(key);
    } else if (w.verb == Write::Verb::kPatch) {
      for (const auto& [k, v] : get_object(w.body, "metadata.annotations")) {
        api::set_annotation(objects[key], k, std::string_view(v.get_string()));
      }
    } else {
      json::value object = w.body;
      if (w.verb == Write::Verb::kCreate) {
        REQUIRE_FALSE(objects.contains(key));
        set_path(object, "metadata.uid", json::value("uid-" + w.name));
        set_path(object, "metadata.generation", json::value(1));
        set_path(object, "metadata.creationTimestamp", json::value(format_time(wall)));
      } else if (w.verb == Write::Verb::kUpdate) {
        set_path(object, "metadata.generation",
                 json::value(get_int(object, "metadata.generation") + 1));
      }
      objects[key] = std::move(object);
    }
  }
};

constexpr char kRolling[] =
    "{replicas: 10, revisionHistoryLimit: 2, progressDeadlineSeconds: 600, strategy: {type: "
    "RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}}}";

}  // namespace

TEST_CASE("a new deployment makes its replica set, then reports") {
  Cluster c(kRolling);
  c.settle();
  REQUIRE(c.sets() == 1);
  CHECK(c.events.size() == 1);
  CHECK(c.events[0].ends_with("from 0 to 10"));
  CHECK(api::annotation_of(c.d(), dep::kRevision) == "1");
  CHECK(c.condition_reason("Available") == "MinimumReplicasUnavailable");
  c.pods_come();
  c.settle();
  CHECK(c.condition_reason("Available") == "MinimumReplicasAvailable");
  CHECK(c.condition_reason("Progressing") == "NewReplicaSetAvailable");
  CHECK(get_int(c.d(), "status.availableReplicas") == 10);
}

TEST_CASE("a rolling update never leaves its bounds and ends") {
  struct Case {
    const char* name;
    int replicas;
    const char *surge, *unavailable;
    int most, least;
  };
  auto t = GENERATE(values<Case>({{"defaults", 10, "25%", "25%", 13, 8},
                                  {"surge only", 10, "3", "0", 13, 10},
                                  {"unavailable only", 10, "0", "2", 10, 8},
                                  {"one", 1, "25%", "25%", 2, 1},
                                  {"both round to nothing", 3, "0%", "10%", 3, 2}}));
  CAPTURE(t.name);
  Cluster c(
      std::string("{replicas: ") + std::to_string(t.replicas) +
      ", progressDeadlineSeconds: 600, strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: " +
      t.surge + ", maxUnavailable: " + t.unavailable + "}}}");
  c.settle();
  c.pods_come();
  c.settle();
  c.change_image("v2");
  for (int i = 0; i < 100 && c.condition_reason("Progressing") != "x"; ++i) {
    c.step();
    REQUIRE(c.sum("spec.replicas") <= t.most);
    c.one_pod_comes();
    REQUIRE(c.sum("status.availableReplicas") >= t.least);
  }
  c.settle();
  CHECK(get_int(c.d(), "status.updatedReplicas") == t.replicas);
  CHECK(get_int(c.d(), "status.replicas") == t.replicas);
  CHECK(api::annotation_of(c.d(), dep::kRevision) == "2");
}

TEST_CASE("rolling back takes the old replica set and a new revision") {
  Cluster c(kRolling);
  const auto roll = [&] {
    for (int i = 0; i < 30; ++i) {
      c.step();
      c.pods_come();
    }
    c.settle();
  };
  roll();
  c.change_image("v2");
  roll();
  c.change_image("v1");
  roll();
  CHECK(c.sets() == 2);
  CHECK(api::annotation_of(c.d(), dep::kRevision) == "3");
  std::vector<std::string> revisions;
  for (const auto& [key, o] : c.objects) {
    if (key.starts_with("replicasets")) {
      revisions.emplace_back(api::annotation_of(o, dep::kRevision));
      revisions.emplace_back(api::annotation_of(o, dep::kRevisionHistory));
    }
  }
  std::sort(revisions.begin(), revisions.end());
  CHECK(revisions == std::vector<std::string>{"", "1", "2", "3"});
  // The history keeps two old ones.
  for (const char* image : {"v3", "v4", "v5"}) {
    c.change_image(image);
    roll();
  }
  CHECK(c.sets() == 3);
}

TEST_CASE("recreate waits for the old pods before new ones come") {
  Cluster c("{replicas: 2, strategy: {type: Recreate}}");
  c.settle();
  c.pods_come();
  c.settle();
  c.change_image("v2");
  c.step();
  CHECK(c.sum("spec.replicas") == 0);
  c.pods_come();
  c.settle();
  CHECK(c.sets() == 2);
  CHECK(c.sum("spec.replicas") == 2);
}

TEST_CASE("scaling, also in the middle of a rollout, and pausing") {
  Cluster c(kRolling);
  c.settle();
  c.pods_come();
  c.settle();
  c.set_spec("replicas", 20);
  c.settle();
  CHECK(c.sum("spec.replicas") == 20);
  c.pods_come();
  c.change_image("v2");
  c.step();
  c.step();
  c.set_spec("replicas", 40);
  c.step();
  CHECK(c.sum("spec.replicas") == 50);  // with the surge of 25 %
  c.set_spec("paused", true);
  c.settle();
  CHECK(c.condition_reason("Progressing") == "DeploymentPaused");
  const auto before = c.sum("spec.replicas");
  c.pods_come();
  c.change_image("v3");
  c.settle();
  CHECK(c.sum("spec.replicas") == before);
  c.set_spec("paused", false);
  for (int i = 0; i < 40; ++i) {
    c.step();
    c.pods_come();
  }
  CHECK(c.condition_reason("Progressing") == "NewReplicaSetAvailable");
  CHECK(get_int(c.d(), "status.updatedReplicas") == 40);
}

TEST_CASE("a rollout without progress passes its deadline") {
  Cluster c(kRolling);
  c.settle();
  CHECK(c.condition_reason("Progressing") == "NewReplicaSetCreated");
  c.wall += std::chrono::seconds(300);
  CHECK(c.step().again_after == std::chrono::seconds(301));
  c.wall += std::chrono::seconds(301);
  c.settle();
  CHECK(c.condition_reason("Progressing") == "ProgressDeadlineExceeded");
}
