#include "plugins/dynamic_resources.hpp"

#include "plugins/device_allocator.hpp"
#include "plugins/testing.hpp"

using namespace coracle;
using namespace coracle::scheduler;
using namespace coracle::scheduler::testing;

namespace {

SharedObject object(const std::string& text) {
  return std::make_shared<const json::value>(parsed(text));
}

// GPUs of a node: "a100" or "t4", named gpu-0 ..; `more` are members of every device.
void add_gpus(Snapshot& world, const std::string& node, const std::vector<std::string>& models,
              const std::string& more = "", int slices = 1) {
  std::string devices;
  for (std::size_t i = 0; i < models.size(); ++i) {
    devices += (i == 0 ? "" : ",") + std::string(R"({"name":"gpu-)") + std::to_string(i) +
               R"(","attributes":{"model":{"string":")" + models[i] + R"("},"numa":{"int":)" +
               std::to_string(i / 2) + R"(}},"capacity":{"memory":{)" + R"("value":"40Gi"}})" +
               more + "}";
  }
  world.devices.set_slice(
      node + "-gpus",
      object(R"({"metadata":{"name":")" + node + R"(-gpus"},"spec":{"driver":"gpu.example.com",)" +
             R"("nodeName":")" + node + R"(","pool":{"name":")" + node +
             R"(","generation":1,"resourceSliceCount":)" + std::to_string(slices) +
             R"(},"devices":[)" + devices + "]}}"));
}

// A world of n1 and n2, with the class "gpu".
Snapshot gpu_world() {
  Snapshot world = a_world({a_node("n1"), a_node("n2")});
  world.devices.known = true;
  world.devices.classes["gpu"] = object(
      R"({"metadata":{"name":"gpu"},"spec":{"selectors":[{"cel":{
      "expression":"device.driver == 'gpu.example.com'"}}]}})");
  return world;
}

void add_claim(Snapshot& world, const std::string& name, const std::string& devices,
               const std::string& status = "{}", const std::string& meta = "") {
  world.devices.set_claim(
      "default/" + name,
      object(R"({"metadata":{"name":")" + name + R"(","namespace":"default","uid":"u-)" + name +
             "\"" + meta + R"(},"spec":{"devices":)" + devices + R"(},"status":)" + status + "}"));
}
std::string exactly(const std::string& more = "") {
  return R"({"requests":[{"name":"r","exactly":{"deviceClassName":"gpu")" + more + "}}]}";
}
std::string allocated(const std::string& node, const std::string& device,
                      const std::string& reserved = "") {
  return R"({"allocation":{"devices":{"results":[{"request":"r","driver":"gpu.example.com",)"
         R"("pool":")" +
         node + R"(","device":")" + device +
         R"("}]},"nodeSelector":{"nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name",)"
         R"("operator":"In","values":[")" +
         node + R"("]}]}]}},"reservedFor":[)" + reserved + "]}";
}

a_pod gpu_pod(const std::string& name, const std::string& claim) {
  return a_pod(name).set("spec.resourceClaims",
                         R"([{"name":"gpu","resourceClaimName":")" + claim + R"("}])");
}

const Verdict kNo = Verdict::never("cannot allocate all claims");
const DynamicResources kPlugin;

Verdicts verdicts(const Snapshot& world, const std::string& claim = "c") {
  return filtered(kPlugin, *gpu_pod("p", claim).info(), world);
}
// The devices that a pod with the claim "c" is promised on n1, or why not.
std::string chosen(Snapshot& world) {
  const auto pod = gpu_pod("p", "c").info();
  const Verdict verdict = kPlugin.reserve(*pod, "n1", world, world.reservations);
  if (!verdict.is_yes()) return verdict.reasons().at(0);
  std::string out;
  for (const json::value& result :
       get_array(*world.reservations.promised("u-c")->allocation, "devices.results")) {
    out += std::string(get_string(result, "request")) + "=" +
           std::string(get_string(result, "device")) + " ";
  }
  kPlugin.unreserve(*pod, "n1", world.reservations);
  return out;
}

}  // namespace

TEST_CASE("a pod without claims is none of its business") {
  StatePtr state;
  const Snapshot world = gpu_world();
  CHECK(kPlugin.pre_filter(*a_pod("p").info(), world, &state).is_skip());
  CHECK(kPlugin.pre_enqueue(*a_pod("p").info(), world).is_yes());
}

TEST_CASE("claims that are not there keep the pod out of the queue") {
  Snapshot world = gpu_world();
  const auto gate = [&](const a_pod& pod) { return kPlugin.pre_enqueue(*pod.info(), world); };
  CHECK(gate(gpu_pod("p", "c")) == Verdict::never("resourceclaim \"c\" not found"));
  const a_pod templated =
      a_pod("p").set("spec.resourceClaims", R"([{"name":"gpu","resourceClaimTemplateName":"t"}])");
  CHECK(gate(templated) ==
        Verdict::never("waiting for dynamic resource controller to create the resourceclaim for "
                       "pod \"default/p\", claim \"gpu\""));
  a_pod made = templated;
  made.set("status.resourceClaimStatuses", R"([{"name":"gpu","resourceClaimName":"c"}])");
  add_claim(world, "c", exactly());
  CHECK(gate(gpu_pod("p", "c")).is_yes());
  CHECK(gate(made) == Verdict::never("ResourceClaim default/c was not created for pod default/p "
                                     "(pod is not owner)"));
  add_claim(world, "c", exactly(), "{}", R"(,"ownerReferences":[{"uid":"uid-p"}])");
  CHECK(gate(made).is_yes());
  add_claim(world, "c", exactly(), "{}", R"(,"deletionTimestamp":"2026-01-01T00:00:00Z")");
  CHECK(gate(gpu_pod("p", "c")) == Verdict::never("resourceclaim \"c\" is being deleted"));
  world.devices.known = false;
  CHECK_FALSE(gate(gpu_pod("p", "c")).is_yes());
}

TEST_CASE("nodes with free devices of the class do") {
  Snapshot world = gpu_world();
  add_claim(world, "c", exactly());
  CHECK(verdicts(world) == Verdicts{kNo, kNo});
  add_gpus(world, "n1", {"a100", "t4"});
  CHECK(verdicts(world) == Verdicts{Verdict::yes(), kNo});
  CHECK(chosen(world) == "r=gpu-0 ");
  add_claim(world, "other", exactly(), allocated("n1", "gpu-0"));
  CHECK(chosen(world) == "r=gpu-1 ");
  add_claim(world, "another", exactly(), allocated("n1", "gpu-1"));
  CHECK(verdicts(world) == Verdicts{kNo, kNo});
  world.devices.set_claim("default/other", nullptr);
  CHECK(chosen(world) == "r=gpu-0 ");
  world.devices.set_slice("n1-gpus", nullptr);
  CHECK(verdicts(world) == Verdicts{kNo, kNo});
}

TEST_CASE("selectors, counts, all") {
  Snapshot world = gpu_world();
  add_gpus(world, "n1", {"t4", "a100", "t4"});
  const auto with = [&](const std::string& more) {
    add_claim(world, "c", exactly(more));
    return chosen(world);
  };
  const std::string a100 = R"(,"selectors":[{"cel":{"expression":
      "device.attributes['gpu.example.com'].model == 'a100'"}}])";
  CHECK(with(a100) == "r=gpu-1 ");
  CHECK(with(a100 + R"(,"count":2)") == "cannot allocate all claims");
  CHECK(with(R"(,"count":3)") == "r=gpu-0 r=gpu-1 r=gpu-2 ");
  CHECK(with(R"(,"count":4)") == "cannot allocate all claims");
  CHECK(with(R"(,"allocationMode":"All")") == "r=gpu-0 r=gpu-1 r=gpu-2 ");
  CHECK(with(R"x(,"selectors":[{"cel":{"expression":
      "device.capacity['gpu.example.com'].memory.isGreaterThan(quantity('80Gi'))"}}])x") ==
        "cannot allocate all claims");
  add_claim(world, "other", exactly(), allocated("n1", "gpu-2"));
  CHECK(with(R"(,"allocationMode":"All")") == "cannot allocate all claims");
  // A selector that fails is told, not passed over.
  const std::string broken = with(R"(,"selectors":[{"cel":{"expression":
      "device.attributes['gpu.example.com'].nope"}}])");
  CHECK(broken.ends_with("claim default/c: selector #0: CEL runtime error: no such key: nope"));
}

TEST_CASE("admin access: devices that are in use too, and they are free for others") {
  Snapshot world = gpu_world();
  add_gpus(world, "n1", {"t4", "a100"});
  const std::string admin = exactly(R"(,"allocationMode":"All","adminAccess":true)");
  const std::string both = R"({"requests":[{"name":"a","exactly":{"deviceClassName":"gpu",)"
                           R"("adminAccess":true}},{"name":"r","exactly":{"deviceClassName":"gpu")";
  add_claim(world, "other", exactly(), allocated("n1", "gpu-0"));
  add_claim(world, "c", admin);
  CHECK(chosen(world) == "r=gpu-0 r=gpu-1 ");
  // In a claim no device is had twice.
  add_claim(world, "c", both + "}}]}");
  CHECK(chosen(world) == "a=gpu-0 r=gpu-1 ");
  add_claim(world, "c", both + R"(,"adminAccess":true}}]})");
  CHECK(chosen(world) == "a=gpu-0 r=gpu-1 ");

  // What it is promised, and what it has, keeps nobody away.
  add_claim(world, "c", admin);
  add_claim(world, "d", exactly());
  const auto pod = gpu_pod("p", "c").info();
  REQUIRE(kPlugin.reserve(*pod, "n1", world, world.reservations).is_yes());
  const SharedObject allocation = world.reservations.promised("u-c")->allocation;
  CHECK(get_bool(get_array(*allocation, "devices.results").at(1), "adminAccess"));
  const auto user = [&] { return filtered(kPlugin, *gpu_pod("q", "d").info(), world); };
  CHECK(user() == Verdicts{Verdict::yes(), kNo});
  kPlugin.unreserve(*pod, "n1", world.reservations);
  add_claim(world, "c", admin, R"({"allocation":)" + to_json(*allocation) + "}");
  CHECK(user() == Verdicts{Verdict::yes(), kNo});
  add_claim(world, "d", exactly(), allocated("n1", "gpu-1"));
  add_claim(world, "c", admin, "{}");
  CHECK(chosen(world) == "r=gpu-0 r=gpu-1 ");
}

TEST_CASE("constraints make the search step back") {
  Snapshot world = gpu_world();
  add_gpus(world, "n1", {"t4", "a100", "a100", "a100"});  // numa 0 0 1 1
  const std::string two = R"({"requests":[{"name":"a","exactly":{"deviceClassName":"gpu"}},
      {"name":"b","exactly":{"deviceClassName":"gpu","count":2}}],"constraints":[)";
  add_claim(world, "c", two + R"({"matchAttribute":"gpu.example.com/model"}]})");
  CHECK(chosen(world) == "a=gpu-1 b=gpu-2 b=gpu-3 ");
  add_claim(world, "c", two + R"({"requests":["b"],"matchAttribute":"gpu.example.com/numa"}]})");
  CHECK(chosen(world) == "a=gpu-0 b=gpu-2 b=gpu-3 ");
  add_claim(world, "c",
            two + R"({"requests":["b"],"distinctAttribute":"gpu.example.com/model"}]})");
  CHECK(chosen(world) == "a=gpu-1 b=gpu-0 b=gpu-2 ");
  add_claim(world, "c", two + R"({"matchAttribute":"gpu.example.com/nope"}]})");
  CHECK(chosen(world) == "cannot allocate all claims");
}

TEST_CASE("a search that takes too long ends, on that node alone") {
  Snapshot world = gpu_world();
  add_gpus(world, "n1", std::vector<std::string>(24, "t4"));  // two of each numa
  add_gpus(world, "n2", {"t4", "t4"});
  const auto search = [&](Duration timeout, int count) {
    add_claim(world, "c",
              R"({"requests":[{"name":"r","exactly":{"deviceClassName":"gpu","count":)" +
                  std::to_string(count) +
                  R"(}}],"constraints":[{"distinctAttribute":"gpu.example.com/numa"},)" +
                  R"({"matchAttribute":"gpu.example.com/model"}]})");
    return filtered(DynamicResources(timeout), *gpu_pod("p", "c").info(), world);
  };
  const Verdict late = Verdict::never("timed out trying to allocate devices");
  // Of 12 numas none is the 13th, which is found out by trying.
  CHECK(search(std::chrono::seconds(1), 13) == Verdicts{late, kNo});
  CHECK(search(std::chrono::seconds(1), 12) == Verdicts{Verdict::yes(), kNo});
  CHECK(search(std::chrono::milliseconds(1), 12)[0] == late);

  CHECK(DeviceAllocator::steps_within(std::chrono::seconds(10)) == 100'000);
  CHECK(DeviceAllocator::steps_within(std::chrono::milliseconds(1)) == 10);
  CHECK(DeviceAllocator::steps_within(Duration(0)) == DeviceAllocator::kStepsMax);
  CHECK(DeviceAllocator::steps_within(std::chrono::hours(1)) == DeviceAllocator::kStepsMax);
}

TEST_CASE("the first alternative that can be had") {
  Snapshot world = gpu_world();
  add_gpus(world, "n1", {"t4", "a100"});
  const auto wish = [](const std::string& name, const std::string& model, int count) {
    return R"({"name":")" + name + R"(","deviceClassName":"gpu","count":)" + std::to_string(count) +
           R"(,"selectors":[{"cel":{"expression":)" +
           R"("device.attributes['gpu.example.com'].model == ')" + model + R"('"}}]})";
  };
  add_claim(world, "c",
            R"({"requests":[{"name":"r","firstAvailable":[)" + wish("two", "a100", 2) + "," +
                wish("one", "a100", 1) + "," + wish("any", "t4", 1) + "]}]}");
  CHECK(chosen(world) == "r/one=gpu-1 ");
  add_claim(world, "other", exactly(), allocated("n1", "gpu-1"));
  CHECK(chosen(world) == "r/any=gpu-0 ");
}

TEST_CASE("classes, taints, pools that are not whole, devices that are not understood") {
  Snapshot world = gpu_world();
  add_claim(world, "c", R"({"requests":[{"name":"r","exactly":{"deviceClassName":"nope"}}]})");
  const Verdict missing = Verdict::never("request r: device class nope does not exist");
  CHECK(verdicts(world) == Verdicts{missing, missing});

  add_claim(world, "c", exactly());
  add_gpus(world, "n1", {"t4"}, R"(,"taints":[{"key":"broken","effect":"NoSchedule"}])");
  CHECK(chosen(world) == "cannot allocate all claims");
  add_claim(world, "c", exactly(R"(,"tolerations":[{"key":"broken","operator":"Exists"}])"));
  CHECK(chosen(world) == "r=gpu-0 ");

  add_gpus(world, "n1", {"t4"}, "", 2);
  CHECK(chosen(world) == "cannot allocate all claims");
  add_claim(world, "c", exactly(R"(,"allocationMode":"All")"));
  CHECK(
      chosen(world).ends_with("claim default/c, request r: asks for all devices, but resource "
                              "pool gpu.example.com/n1 is currently being updated"));

  add_claim(world, "c", exactly());
  add_gpus(world, "n1", {"t4", "t4"}, R"(,"nodeAllocatableResources":{})");
  CHECK(verdicts(world)[0] ==
        Verdict::no(Verdict::Kind::kNever,
                    {"cannot allocate all claims",
                     "2 device(s) with nodeAllocatableResources, which is not supported"}));
}

// A GPU of n1 that is cut: into halves, or into a whole, by the counters it has.
void add_partitions(Snapshot& world, const std::string& devices, const std::string& sets) {
  const auto slice = [](const std::string& name, const std::string& members) {
    return object(R"({"metadata":{"name":")" + name +
                  R"("},"spec":{"driver":"gpu.example.com","nodeName":"n1","pool":{"name":"n1",
      "generation":1,"resourceSliceCount":2},)" +
                  members + "}}");
  };
  world.devices.set_slice("counters", slice("counters", R"("sharedCounters":[)" + sets + "]"));
  world.devices.set_slice("parts", slice("parts", R"("devices":[)" + devices + "]"));
}
std::string part(const std::string& name, int slots, const std::string& set = "gpu-0") {
  return R"({"name":")" + name + R"(","consumesCounters":[{"counterSet":")" + set +
         R"(","counters":{"slots":{"value":")" + std::to_string(slots) + R"("}}}]})";
}
std::string counter_set(const std::string& name, int slots) {
  return R"({"name":")" + name + R"(","counters":{"slots":{"value":")" + std::to_string(slots) +
         R"("}}})";
}

TEST_CASE("devices of a pool that share counters") {
  Snapshot world = gpu_world();
  const std::string parts = part("half-a", 2) + "," + part("half-b", 2) + "," + part("whole", 4);
  add_partitions(world, parts, counter_set("gpu-0", 4));
  const auto count = [](int n) { return exactly(R"(,"count":)" + std::to_string(n)); };
  add_claim(world, "c", count(1));
  CHECK(chosen(world) == "r=half-a ");
  add_claim(world, "c", count(2));
  CHECK(chosen(world) == "r=half-a r=half-b ");
  add_claim(world, "c", count(3));  // all of them are more than the GPU
  CHECK(chosen(world) == "cannot allocate all claims");

  SECTION("what others have been given counts") {
    add_claim(world, "c", count(1));
    add_claim(world, "other", exactly(), allocated("n1", "half-b"));
    CHECK(chosen(world) == "r=half-a ");
    add_claim(world, "c", exactly(R"(,"selectors":[{"cel":{"expression":"false"}}])"));
    add_claim(world, "other", exactly(), allocated("n1", "whole"));
    add_claim(world, "c", count(1));
    CHECK(chosen(world) == "cannot allocate all claims");
    world.devices.set_claim("default/other", nullptr);
    CHECK(chosen(world) == "r=half-a ");
  }
  SECTION("so does what is promised to them, until it is given back") {
    add_claim(world, "c", count(2));
    add_claim(world, "d", count(1));
    const auto first = gpu_pod("p", "c").info(), second = gpu_pod("q", "d").info();
    REQUIRE(kPlugin.reserve(*first, "n1", world, world.reservations).is_yes());
    CHECK(kPlugin.reserve(*second, "n1", world, world.reservations) == kNo);
    kPlugin.unreserve(*first, "n1", world.reservations);
    CHECK(kPlugin.reserve(*second, "n1", world, world.reservations).is_yes());
  }
  SECTION("an administrator's look takes none") {
    add_claim(world, "other", exactly(), allocated("n1", "whole"));
    add_claim(world, "c", exactly(R"(,"count":3,"adminAccess":true)"));
    CHECK(chosen(world) == "r=half-a r=half-b r=whole ");
  }
  SECTION("a pool that names counters it has not is of no use, nor one with a set twice") {
    const Verdict invalid = Verdict::never("invalid resource pools were encountered");
    add_claim(world, "c", count(1));
    add_partitions(world, part("x", 1, "gpu-7"), counter_set("gpu-0", 4));
    CHECK(verdicts(world)[0] == invalid);
    add_partitions(world, part("x", 1), counter_set("gpu-0", 4) + "," + counter_set("gpu-0", 4));
    CHECK(verdicts(world)[0] == invalid);
    add_partitions(world, part("x", 1), counter_set("gpu-0", 4));
    CHECK(verdicts(world)[0].is_yes());
  }
}

std::string shared_memory(const std::string& policy = "") {
  return R"(,"allowMultipleAllocations":true,"capacity":{"memory":{"value":"10Gi")" +
         (policy.empty() ? "" : R"(,"requestPolicy":{)" + policy + "}") + "}}";
}
void add_shared_gpu(Snapshot& world, const std::string& members) {
  world.devices.set_slice(
      "n1-gpus", object(R"({"metadata":{"name":"n1-gpus"},"spec":{"driver":"gpu.example.com",
      "nodeName":"n1","pool":{"name":"n1","generation":1,"resourceSliceCount":1},
      "devices":[{"name":"gpu-0")" +
                        members + "}]}}"));
}
// What a pod with the claim "c" would take of the memory of each device, or why not.
std::string memory_taken(Snapshot& world) {
  const auto pod = gpu_pod("p", "c").info();
  const Verdict verdict = kPlugin.reserve(*pod, "n1", world, world.reservations);
  if (!verdict.is_yes()) return verdict.reasons().at(0);
  std::string out;
  for (const json::value& result :
       get_array(*world.reservations.promised("u-c")->allocation, "devices.results")) {
    out += std::string(get_string(result, "consumedCapacity.memory")) + " ";
  }
  kPlugin.unreserve(*pod, "n1", world.reservations);
  return out;
}
std::string wants(const std::string& memory, const std::string& more = "") {
  return exactly(R"(,"capacity":{"requests":{"memory":")" + memory + R"("}})" + more);
}

TEST_CASE("a shared device: how much of it a request takes") {
  struct Case {
    const char* name;
    std::string device, claim, takes;
  };
  const std::string no = "cannot allocate all claims";
  const std::string range =
      R"("default":"1Gi","validRange":{"min":"1Gi","max":"8Gi","step":"2Gi"})";
  const std::string values = R"("default":"1Gi","validValues":["1Gi","4Gi"])";
  const std::vector<Case> cases{
      {"so much as is asked for", shared_memory(), wants("3Gi"), "3Gi "},
      {"by its full name", shared_memory(),
       exactly(R"(,"capacity":{"requests":{"gpu.example.com/memory":"3Gi"}})"), "3Gi "},
      {"all of it", shared_memory(), exactly(), "10Gi "},
      {"more than there is", shared_memory(), wants("11Gi"), no},
      {"a capacity it has not", shared_memory(),
       exactly(R"(,"capacity":{"requests":{"slots":"1"}})"), no},
      {"the default", shared_memory(range), exactly(), "1Gi "},
      {"below the least", shared_memory(range), wants("1Mi"), "1Gi "},
      {"up to the next step", shared_memory(range), wants("3073Mi"), "5Gi "},
      {"a step exactly", shared_memory(range), wants("3Gi"), "3Gi "},
      {"up to more than the most", shared_memory(range), wants("7681Mi"), no},
      {"the next valid amount", shared_memory(values), wants("2Gi"), "4Gi "},
      {"more than any valid amount", shared_memory(values), wants("5Gi"), no},
      {"twice in one claim", shared_memory(), wants("4Gi", R"(,"count":2)"), "4Gi 4Gi "},
      {"thrice would be more than there is", shared_memory(), wants("4Gi", R"(,"count":3)"), no},
      {"of a device that is not shared, at least so much",
       R"(,"capacity":{"memory":{"value":"10Gi"}})", wants("3Gi"), " "},
      {"more than such a device has", R"(,"capacity":{"memory":{"value":"10Gi"}})", wants("11Gi"),
       no},
      {"an administrator takes nothing", shared_memory(), wants("3Gi", R"(,"adminAccess":true)"),
       " "},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Snapshot world = gpu_world();
    add_shared_gpu(world, c.device);
    add_claim(world, "c", c.claim);
    CHECK(memory_taken(world) == c.takes);
  }
}

TEST_CASE("a shared device: several claims have parts of it") {
  Snapshot world = gpu_world();
  add_shared_gpu(world, shared_memory());
  add_claim(world, "c", wants("6Gi"));
  add_claim(world, "d", wants("6Gi"));
  const auto first = gpu_pod("p", "c").info(), second = gpu_pod("q", "d").info();
  REQUIRE(kPlugin.reserve(*first, "n1", world, world.reservations).is_yes());
  const json::value given = *world.reservations.promised("u-c")->allocation;
  CHECK(kPlugin.reserve(*second, "n1", world, world.reservations) == kNo);
  const std::string id(get_string(get_array(given, "devices.results").at(0), "shareID"));
  CHECK(id.size() == 36);
  // Written, and still promised: it counts once.
  add_claim(world, "c", wants("6Gi"), R"({"allocation":)" + to_json(given) + "}");
  add_claim(world, "d", wants("4Gi"));
  CHECK(kPlugin.reserve(*second, "n1", world, world.reservations).is_yes());
  const json::value other = *world.reservations.promised("u-d")->allocation;
  CHECK(get_string(get_array(other, "devices.results").at(0), "shareID") != id);
  kPlugin.unreserve(*second, "n1", world.reservations);
  kPlugin.unreserve(*first, "n1", world.reservations);
  // The first claim is allocated still; when it goes, all is free.
  add_claim(world, "d", wants("5Gi"));
  CHECK(kPlugin.reserve(*second, "n1", world, world.reservations) == kNo);
  world.devices.set_claim("default/c", nullptr);
  CHECK(kPlugin.reserve(*second, "n1", world, world.reservations).is_yes());
}

TEST_CASE("a shared device takes its counters once") {
  Snapshot world = gpu_world();
  const std::string shared =
      R"({"name":"shared","allowMultipleAllocations":true,"capacity":{"memory":{"value":"10Gi"}},
      "consumesCounters":[{"counterSet":"gpu-0","counters":{"slots":{"value":"2"}}}]})";
  add_partitions(world, shared + "," + part("whole", 4), counter_set("gpu-0", 4));
  add_claim(world, "c", wants("4Gi", R"(,"count":2)"));
  CHECK(chosen(world) == "r=shared r=shared ");
  add_claim(world, "d", exactly(), allocated("n1", "whole"));
  CHECK(chosen(world) == "cannot allocate all claims");
}

// A slice of n1's pool "shared"; `reach`: its nodes.
void add_shared(Snapshot& world, const std::string& name, const std::string& reach,
                const std::string& devices, int slices) {
  world.devices.set_slice(
      name, object(R"({"metadata":{"name":")" + name + R"("},"spec":{"driver":"gpu.example.com",)" +
                   reach + R"(,"pool":{"name":"shared","generation":1,"resourceSliceCount":)" +
                   std::to_string(slices) + R"(},"devices":[)" + devices + "]}}"));
}

TEST_CASE("all devices: what stands in the way of knowing them") {
  Snapshot world = gpu_world();
  add_gpus(world, "n1", {"t4"});
  const std::string all = exactly(R"(,"allocationMode":"All")");
  const std::string why =
      "InvalidArgument: claim default/c, request r: asks for all devices, but resource pool "
      "gpu.example.com/shared is currently ";
  const auto chosen_for = [&](const std::string& devices) {
    add_claim(world, "c", devices);
    return chosen(world);
  };
  SECTION("a pool that is seen in part, though no device of it is") {
    add_shared(world, "s1", R"("nodeName":"n1")", "", 2);
    CHECK(chosen_for(all) == why + "being updated");
    CHECK(chosen_for(exactly()) == "r=gpu-0 ");
    // Also of an alternative that would not be needed.
    CHECK(chosen_for(R"({"requests":[{"name":"r","firstAvailable":[
        {"name":"one","deviceClassName":"gpu","count":1},
        {"name":"all","deviceClassName":"gpu","allocationMode":"All"}]}]})")
              .starts_with("InvalidArgument: claim default/c, request r/all: asks for all"));
    // It is whole, and the node sees some of it.
    add_shared(world, "s2", R"("nodeName":"n2")", R"({"name":"x"})", 2);
    CHECK(chosen_for(all) == "r=gpu-0 ");
  }
  SECTION("a pool of other nodes") {
    add_shared(world, "s1", R"("nodeName":"n2")", "", 2);
    CHECK(chosen_for(all) == "r=gpu-0 ");
  }
  SECTION("a name twice on the node: nothing of the pool is to be had there") {
    add_shared(world, "s1", R"("nodeName":"n1")", R"({"name":"x"})", 3);
    add_shared(world, "s2", R"("allNodes":true)", R"({"name":"x"})", 3);
    add_shared(world, "s3", R"("nodeName":"n2")", "", 3);
    CHECK(chosen_for(all) == why + "invalid");
    CHECK(chosen_for(exactly()) == "r=gpu-0 ");
    CHECK(chosen_for(exactly(R"(,"count":2)")) ==
          "FailedPrecondition: invalid resource pools were encountered");
    CHECK(verdicts(world)[0] == Verdict::never("invalid resource pools were encountered"));
  }
  SECTION("slices of two nodes may name theirs alike") {
    add_shared(world, "s1", R"("nodeName":"n1")", R"({"name":"x"})", 2);
    add_shared(world, "s2", R"("nodeName":"n2")", R"({"name":"x"})", 2);
    CHECK(chosen_for(all) == "r=gpu-0 r=x ");
  }
  SECTION("one of them cannot be had together with the others") {
    add_gpus(world, "n1", {"t4", "a100"});
    CHECK(chosen_for(R"({"requests":[{"name":"r","exactly":{"deviceClassName":"gpu",
        "allocationMode":"All"}}],"constraints":[{"matchAttribute":"gpu.example.com/model"}]})") ==
          "InvalidArgument: claim default/c, request r: cannot add device gpu.example.com/n1/gpu-1 "
          "because a claim constraint would not be satisfied");
  }
  SECTION("one of them is not understood") {
    add_shared(world, "s1", R"("nodeName":"n1")", R"({"name":"x","nodeAllocatableResources":{}})",
               1);
    CHECK(chosen_for(all) == "cannot allocate all claims");
  }
  SECTION("more than a claim may have") {
    add_gpus(world, "n1", std::vector<std::string>(33, "t4"));
    const std::string limit =
        "InvalidArgument: claim default/c: number of requested devices 33 exceeds the claim limit "
        "of 32";
    CHECK(chosen_for(all) == limit);
    CHECK(chosen_for(exactly(R"(,"count":33)")) == limit);
  }
}

TEST_CASE("nodes where first alternatives can be had score higher") {
  Snapshot world = gpu_world();
  add_gpus(world, "n1", {"t4"});
  add_gpus(world, "n2", {"a100"});
  const auto wish = [](const std::string& model) {
    return R"({"name":")" + model + R"(","deviceClassName":"gpu","count":1,"selectors":[{"cel":{)" +
           R"("expression":"device.attributes['gpu.example.com'].model == ')" + model + R"('"}}]})";
  };
  const std::string request = R"({"requests":[{"name":"r","firstAvailable":[)";
  const auto pod = gpu_pod("p", "c").info();
  add_claim(world, "c", request + wish("a100") + "," + wish("h100") + "," + wish("t4") + "]}]}");
  CHECK(scored(kPlugin, *pod, world, false) == Scores{6, 8});
  CHECK(scored(kPlugin, *pod, world) == Scores{75, 100});
  add_claim(world, "c", exactly());
  CHECK(scored(kPlugin, *pod, world).empty());
  CHECK(scored(kPlugin, *a_pod("p").info(), world).empty());
}

TEST_CASE("an allocated claim is used where it is, by many") {
  Snapshot world = gpu_world();
  add_gpus(world, "n1", {"t4"});
  add_gpus(world, "n2", {"t4"});
  add_claim(world, "c", exactly(),
            allocated("n2", "gpu-0", R"({"resource":"pods","name":"q","uid":"uid-q"})"));
  const Verdict away = Verdict::never("resourceclaim not available on the node");
  CHECK(verdicts(world) == Verdicts{away, Verdict::yes()});
  const auto pod = gpu_pod("p", "c").info();
  CHECK(kPlugin.reserve(*pod, "n2", world, world.reservations).is_yes());
  CHECK(world.reservations.promises().empty());
  const auto writes = kPlugin.before_bind(*pod, "n2", world);
  REQUIRE(writes.size() == 1);
  CHECK(writes[0].subresource == "status");
  CHECK(to_json(writes[0].patch) ==
        R"({"metadata":{"uid":"u-c"},"status":{"reservedFor":[{"resource":"pods","name":"p",)"
        R"("uid":"uid-p"}]}})");
  CHECK(kPlugin.may_bind(*pod, "n2", world) == Verdict::not_now("reserving resource claims"));
}

// Is not asked.
class NoFilters final : public FilterRun {
 public:
  Verdict filter(const NodeInfo&) override { return Verdict::yes(); }
  void add_pod(const PodPtr&, NodeInfo&) override {}
  void remove_pod(const PodPtr&, NodeInfo&) override {}
  std::optional<SharedWork::Plugins> if_all_see_one_node() const override { return {}; }
};

TEST_CASE("a claim that nobody uses and that holds its pod off a node gives its devices back") {
  Snapshot world = gpu_world();
  const Verdict away = Verdict::never("resourceclaim not available on the node");
  const Verdict full = Verdict::not_now("Insufficient cpu");
  const auto tried = [&](const a_pod& a, const Verdict& first, const Verdict& second,
                         std::uint64_t seed = 1) {
    const std::vector<std::pair<std::uint32_t, const Verdict*>> noes{{0, &first}, {1, &second}};
    NoFilters filters;
    Rng rng(seed);
    const auto pod = a.info();
    return kPlugin.post_filter({*pod, world, noes, filters, rng});
  };
  const auto said = [&](const Verdict& first, const Verdict& second) {
    const PostFiltered out = tried(gpu_pod("p", "c"), first, second);
    CHECK(out.writes.size() == (out.verdict.reasons().at(0).starts_with("dealloc") ? 1 : 0));
    return out.verdict;
  };
  const Verdict done = Verdict::not_now("deallocation of ResourceClaim completed");
  const Verdict stays = Verdict::not_now("still not schedulable");
  const std::string version = R"(,"resourceVersion":"7")";
  const std::string mine = R"({"resource":"pods","name":"p","uid":"uid-p"})";
  const std::string other = R"({"resource":"pods","name":"q","uid":"uid-q"})";
  const auto claim_at = [&](const std::string& node, const std::string& reserved) {
    add_claim(world, "c", exactly(), allocated(node, "gpu-0", reserved), version);
  };
  CHECK(tried(a_pod("p"), away, away).verdict.is_skip());
  claim_at("n3", "");
  CHECK(said(away, away) == done);
  CHECK(said(full, away) == done);
  CHECK(said(full, full) == stays);
  const auto writes = tried(gpu_pod("p", "c"), away, away).writes;
  CHECK(writes.at(0).subresource == "status");
  CHECK(to_json(writes.at(0).patch) ==
        R"({"metadata":{"uid":"u-c","resourceVersion":"7"},"status":{"allocation":null,)"
        R"("devices":null,"reservedFor":null}})");
  claim_at("n3", mine);
  CHECK(said(away, away) == done);
  claim_at("n3", other);
  CHECK(said(away, away) == stays);
  claim_at("n3", mine + "," + other);
  CHECK(said(away, away) == stays);
  claim_at("n1", "");  // which had another reason
  CHECK(said(full, full) == stays);
  add_claim(world, "c", exactly());
  CHECK(said(away, away) == stays);

  // Of several one, and not always the same.
  claim_at("n3", "");
  add_claim(world, "d", exactly(), allocated("n4", "gpu-0"));
  std::set<std::string> freed;
  const a_pod pod = a_pod("p").set("spec.resourceClaims", R"([
      {"name":"x","resourceClaimName":"c"},{"name":"y","resourceClaimName":"d"}])");
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto one = tried(pod, away, away, seed).writes;
    REQUIRE(one.size() == 1);
    freed.insert(one[0].name);
  }
  CHECK(freed == std::set<std::string>{"c", "d"});
}

TEST_CASE("from the promise to the bind") {
  Snapshot world = gpu_world();
  add_gpus(world, "n1", {"t4"});
  add_claim(world, "c", exactly());
  add_claim(world, "d", exactly());
  const auto pod = gpu_pod("p", "c").info();
  REQUIRE(kPlugin.reserve(*pod, "n1", world, world.reservations).is_yes());
  // Others neither get the device nor the claim.
  CHECK(filtered(kPlugin, *gpu_pod("q", "d").info(), world) == Verdicts{kNo, kNo});
  const Verdict busy =
      Verdict::never("resource claim default/c is in the process of being allocated");
  CHECK(filtered(kPlugin, *gpu_pod("q", "c").info(), world) == Verdicts{busy, busy});

  const auto writes = kPlugin.before_bind(*pod, "n1", world);
  REQUIRE(writes.size() == 2);
  CHECK(to_json(writes[0].patch) ==
        R"({"metadata":{"uid":"u-c","finalizers":["resource.kubernetes.io/delete-protection"]}})");
  CHECK(writes[1].subresource == "status");
  CHECK(to_json(*find(writes[1].patch, "status.allocation")) ==
        R"({"devices":{"results":[{"request":"r","driver":"gpu.example.com","pool":"n1",)"
        R"("device":"gpu-0"}]},"nodeSelector":{"nodeSelectorTerms":[{"matchFields":[{"key":)"
        R"("metadata.name","operator":"In","values":["n1"]}]}]}})");
  CHECK(kPlugin.may_bind(*pod, "n1", world) == Verdict::not_now("reserving resource claims"));
  add_claim(world, "c", exactly(),
            allocated("n1", "gpu-0", R"({"resource":"pods","name":"p","uid":"uid-p"})"));
  CHECK(kPlugin.may_bind(*pod, "n1", world).is_yes());
  CHECK(kPlugin.before_bind(*pod, "n1", world).empty());
  world.reservations.give_back_all("uid-p");
  CHECK(world.reservations.empty());
  CHECK(verdicts(world, "d") == Verdicts{kNo, kNo});
}

TEST_CASE("what is taken back after a failure: reservations that are seen, or may have been made") {
  Snapshot world = gpu_world();
  add_gpus(world, "n1", {"t4"});
  const auto pod = gpu_pod("p", "c").info();
  const auto undo = [&](bool wrote) {
    const auto writes = kPlugin.take_back(*pod, world, wrote);
    return writes.empty() ? std::string() : writes[0].subresource + to_json(writes[0].patch);
  };
  const std::string taken =
      R"(status{"metadata":{"uid":"u-c"},"status":{"reservedFor":[{"$patch":"delete",)"
      R"("uid":"uid-p"}]}})";
  CHECK(undo(true).empty());  // no such claim
  add_claim(world, "c", exactly());
  CHECK(undo(true).empty());  // nothing was promised
  REQUIRE(kPlugin.reserve(*pod, "n1", world, world.reservations).is_yes());
  CHECK(undo(false).empty());
  CHECK(undo(true) == taken);
  const std::string mine = R"({"resource":"pods","name":"p","uid":"uid-p"})";
  add_claim(world, "c", exactly(), allocated("n1", "gpu-0", mine));
  CHECK(undo(false) == taken);
  add_claim(world, "c", exactly(), allocated("n1", "gpu-0"));
  CHECK(undo(false).empty());
  CHECK(undo(true) == taken);
}

TEST_CASE("devices that several nodes reach, and the configuration that goes along") {
  Snapshot world = a_world({a_node("n1").label("rack", "a"), a_node("n2").label("rack", "b")});
  world.devices.known = true;
  world.devices.classes["gpu"] = object(R"({"metadata":{"name":"gpu"},"spec":{"config":[{"opaque":{
      "driver":"d.example.com","parameters":{"x":1}}}]}})");
  world.devices.set_slice("s", object(R"({"metadata":{"name":"s"},"spec":{"driver":"d.example.com",
      "pool":{"name":"rack-a","generation":3,"resourceSliceCount":1},"nodeSelector":{
      "nodeSelectorTerms":[{"matchExpressions":[{"key":"rack","operator":"In","values":["a"]}]}]},
      "devices":[{"name":"disk"},{"name":"disk-2"}]}})"));
  // An older generation of the pool is as good as gone.
  world.devices.set_slice("old", object(R"({"metadata":{"name":"old"},"spec":{
      "driver":"d.example.com","pool":{"name":"rack-a","generation":2,"resourceSliceCount":1},
      "allNodes":true,"devices":[{"name":"old"}]}})"));
  add_claim(world, "c", R"({"requests":[{"name":"r","exactly":{"deviceClassName":"gpu"}},
      {"name":"s","exactly":{"deviceClassName":"gpu"}}],"config":[{"requests":["r"],"opaque":{"driver":"d.example.com","parameters":{"y":2}}}]})");
  CHECK(verdicts(world) == Verdicts{Verdict::yes(), kNo});
  const auto pod = gpu_pod("p", "c").info();
  REQUIRE(kPlugin.reserve(*pod, "n1", world, world.reservations).is_yes());
  CHECK(
      to_json(*world.reservations.promised("u-c")->allocation) ==
      R"({"devices":{"results":[{"request":"r","driver":"d.example.com","pool":"rack-a",)"
      R"("device":"disk"},{"request":"s","driver":"d.example.com","pool":"rack-a",)"
      R"("device":"disk-2"}],"config":[{"source":"FromClass","requests":["r","s"],"opaque":{)"
      R"("driver":"d.example.com","parameters":{"x":1}}},{"source":"FromClaim","requests":["r"],)"
      R"("opaque":{"driver":"d.example.com","parameters":{"y":2}}}]},"nodeSelector":{)"
      R"("nodeSelectorTerms":[{"matchExpressions":[{"key":"rack","operator":"In","values":["a"]}])"
      R"(}]}})");
}

TEST_CASE("what helps: own claims, claims that are free, slices and classes") {
  Snapshot world = gpu_world();
  add_claim(world, "c", exactly());
  add_claim(world, "other", exactly(), allocated("n1", "gpu-0"));
  add_claim(world, "free", exactly());
  const auto pod = gpu_pod("p", "c").info();
  const auto helps = [&](const std::string& claim) {
    return kPlugin.helps(*pod, {.events = event::kDeviceClaim, .claim = claim, .world = &world});
  };
  CHECK(helps("default/c"));
  CHECK_FALSE(helps("default/other"));
  CHECK(helps("default/free"));
  CHECK(helps("default/gone"));
  CHECK(kPlugin.helps(*pod, {.events = event::kDevices, .world = &world}));
}
