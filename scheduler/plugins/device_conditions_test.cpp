// DynamicResources: devices that bind with conditions.
#include "plugins/dynamic_resources.hpp"
#include "plugins/testing.hpp"

using namespace coracle;
using namespace coracle::scheduler;
using namespace coracle::scheduler::testing;

namespace {

SharedObject object(const std::string& text) {
  return std::make_shared<const json::value>(parsed(text));
}

SharedObject slice(const std::string& pool, const std::string& where, const std::string& device) {
  return object(R"({"metadata":{"name":")" + pool + R"("},"spec":{"driver":"gpu.example.com",)" +
                where + R"(,"pool":{"name":")" + pool +
                R"(","generation":1,"resourceSliceCount":1},"devices":[)" + device + "]}}");
}

// n1 and n2, with the class "gpu".
Snapshot gpu_world() {
  Snapshot world = a_world({a_node("n1"), a_node("n2")});
  world.devices.known = true;
  world.devices.classes["gpu"] = object(R"({"metadata":{"name":"gpu"},"spec":{}})");
  return world;
}

// "c", for one device.
void add_claim(Snapshot& world, const std::string& status = "{}") {
  world.devices.set_claim("default/c", object(R"({"metadata":{"name":"c","namespace":"default",
    "uid":"u-c"},"spec":{"devices":{"requests":[{"name":"r","exactly":{"deviceClassName":"gpu"}}]}},
    "status":)" + status + "}"));
}

// The status of the claim "c", with a device of n1 that is one of those; `conditions` are the
// driver's.
std::string attaching(const std::string& conditions, const std::string& reserved) {
  return R"({"allocation":{"devices":{"results":[{"request":"r","driver":"gpu.example.com",
    "pool":"n1","device":"gpu-0","bindingConditions":["Attached"],
    "bindingFailureConditions":["Broken"]}]},"nodeSelector":{"nodeSelectorTerms":[{"matchFields":[
    {"key":"metadata.name","operator":"In","values":["n1"]}]}]}},"reservedFor":[)" +
         reserved +
         R"(],"devices":[{"driver":"gpu.example.com","pool":"n1","device":"gpu-0","conditions":[)" +
         conditions + "]}]}";
}
const char* const kForP = R"({"resource":"pods","name":"p","uid":"uid-p"})";

const a_pod kPod =
    a_pod("p").set("spec.resourceClaims", R"([{"name":"gpu","resourceClaimName":"c"}])");
const DynamicResources kPlugin;

Verdicts verdicts(const Snapshot& world) { return filtered(kPlugin, *kPod.info(), world); }

// Is not asked.
class NoFilters final : public FilterRun {
 public:
  Verdict filter(const NodeInfo&) override { return Verdict::yes(); }
  void add_pod(const PodPtr&, NodeInfo&) override {}
  void remove_pod(const PodPtr&, NodeInfo&) override {}
  std::optional<SharedWork::Plugins> if_all_see_one_node() const override { return {}; }
};

}  // namespace

TEST_CASE("devices that bind with conditions: the allocation names them, and its node") {
  Snapshot world = gpu_world();
  add_claim(world);
  world.devices.set_slice("fabric", slice("fabric", R"("allNodes":true)", R"({"name":"far",
    "bindsToNode":true,"bindingConditions":["Attached"],"bindingFailureConditions":["Broken"]})"));
  const auto pod = kPod.info();
  REQUIRE(kPlugin.reserve(*pod, "n2", world, world.reservations).is_yes());
  CHECK(*world.reservations.promised("u-c")->allocation == parsed(R"({"devices":{"results":[
    {"request":"r","driver":"gpu.example.com","pool":"fabric","device":"far",
     "bindingConditions":["Attached"],"bindingFailureConditions":["Broken"]}]},
    "nodeSelector":{"nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name",
    "operator":"In","values":["n2"]}]}]}})"));
  kPlugin.unreserve(*pod, "n2", world.reservations);
  // "fabric" comes before "n1", but what is ready at once is preferred.
  world.devices.set_slice("n1", slice("n1", R"("nodeName":"n1")", R"({"name":"gpu-0"})"));
  REQUIRE(kPlugin.reserve(*pod, "n1", world, world.reservations).is_yes());
  CHECK(get_string(
            get_array(*world.reservations.promised("u-c")->allocation, "devices.results").at(0),
            "device") == "gpu-0");
}

TEST_CASE("a pod is bound when the devices are ready, and not if one failed") {
  struct Case {
    const char* name;
    std::string conditions;
    Verdict may_bind;
  };
  const std::string is_attached = R"({"type":"Attached","status":"True"})";
  const std::string is_broken =
      R"({"type":"Broken","status":"True","reason":"NoLink","message":"no light"})";
  const Verdict waits = Verdict::not_now("waiting for binding conditions");
  const Verdict failed =
      Verdict::never("claim c binding failed: reason=NoLink, message=\"no light\"");
  const std::vector<Case> cases{
      {"nothing is said", "", waits},
      {"not attached", R"({"type":"Attached","status":"False"})", waits},
      {"attached", is_attached, Verdict::yes()},
      {"broken", is_broken, failed},
      {"both", is_attached + "," + is_broken, failed},
      {"another one is broken", is_attached + R"(,{"type":"Other","status":"True"})",
       Verdict::yes()},
      {"not broken", is_attached + R"(,{"type":"Broken","status":"False"})", Verdict::yes()},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Snapshot world = gpu_world();
    add_claim(world, attaching(c.conditions, kForP));
    const auto pod = kPod.info();
    CHECK(kPlugin.may_bind(*pod, "n1", world) == c.may_bind);
    const Writes back = kPlugin.take_back(*pod, world, true);
    REQUIRE(back.size() == 1);
    // What is not ready is given back as a whole.
    CHECK((find(back[0].patch, "status.allocation") == nullptr) == c.may_bind.is_yes());
    const bool lost = c.may_bind.kind() == Verdict::Kind::kNever;
    CHECK(verdicts(world)[0].is_yes() == !lost);
  }
}

TEST_CASE("a claim whose devices failed gives them back for a pod that fits nowhere") {
  Snapshot world = gpu_world();
  add_claim(world,
            attaching(R"({"type":"Broken","status":"True","reason":"x","message":"y"})", ""));
  const Verdict no = Verdict::never("resourceclaim not available on the node");
  CHECK(verdicts(world) == Verdicts{no, no});
  const auto pod = kPod.info();
  NoFilters filters;
  Rng rng(1);
  const std::vector<std::pair<std::uint32_t, const Verdict*>> noes{{0, &no}, {1, &no}};
  const PostFiltered out = kPlugin.post_filter({*pod, world, noes, filters, rng});
  REQUIRE(out.writes.size() == 1);
  CHECK(find(out.writes[0].patch, "status.allocation")->is_null());
}
