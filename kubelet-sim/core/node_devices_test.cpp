#include "kubelet/node_devices.hpp"

#include <catch2/catch.hpp>

using namespace coracle;
using namespace coracle::kubelet;

TEST_CASE("what a node's devices are is told from the form of the values") {
  const auto sets = parse_device_sets(
      " gpu.coracle.dev 2 model=a100 memory=40Gi cores=108 nvlink=true driver=1.2.3; nic.x 0;");
  REQUIRE(sets.ok());
  REQUIRE(sets->size() == 1);
  const json::value slice = device_slice((*sets)[0], "node-1", "u", 3);
  CHECK(to_json(slice) ==
        R"({"apiVersion":"resource.k8s.io/v1","kind":"ResourceSlice","metadata":{"name":)"
        R"("node-1-gpu.coracle.dev","labels":{"lab.coracle.dev/simulated-devices":"true"},)"
        R"("ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"node-1","uid":"u"}]},)"
        R"("spec":{"driver":"gpu.coracle.dev","pool":{"name":"node-1","generation":3,)"
        R"("resourceSliceCount":1},"nodeName":"node-1","devices":[{"name":"gpu-0","attributes":{)"
        R"("model":{"string":"a100"},"cores":{"int":108},"nvlink":{"bool":true},"driver":{)"
        R"("version":"1.2.3"},"index":{"int":0},"uuid":{"string":"node-1-gpu-0"}},"capacity":{)"
        R"("memory":{"value":"40Gi"}}},{"name":"gpu-1","attributes":{"model":{"string":"a100"},)"
        R"("cores":{"int":108},"nvlink":{"bool":true},"driver":{"version":"1.2.3"},"index":{)"
        R"("int":1},"uuid":{"string":"node-1-gpu-1"}},"capacity":{"memory":{"value":"40Gi"}}}]}})");
  CHECK(same_devices(slice, device_slice((*sets)[0], "node-1", "u", 4)));
  CHECK_FALSE(same_devices(slice, device_slice((*sets)[0], "node-2", "u", 3)));
}

TEST_CASE("devices that say nothing") {
  const auto [text, why] = GENERATE(table<const char*, const char*>({
      {"GPU 2", "\"GPU\" is no name of a driver"},
      {"gpu", "behind the driver is how many there are, 0 to 128"},
      {"gpu 129", "behind the driver is how many there are, 0 to 128"},
      {"gpu -1", "behind the driver is how many there are, 0 to 128"},
      {"gpu 1 model", "\"model\" is no NAME=VALUE"},
      {"gpu 1 =x", "\"=x\" is no NAME=VALUE"},
  }));
  INFO(text);
  const auto sets = parse_device_sets(text);
  REQUIRE_FALSE(sets.ok());
  CHECK(sets.status().message().find(why) != std::string::npos);
  CHECK(parse_device_sets("a 1; a 2").status().message() == "the driver a is there twice");
  CHECK(parse_device_sets("")->empty());
}
