#include "api/devices/selector.hpp"

#include <catch2/catch.hpp>

namespace coracle::api::devices {
namespace {

const json::value& gpu() {
  static const json::value kGpu = *parse_json(R"({"name":"gpu-0",
    "attributes":{"model":{"string":"a100"},"index":{"int":3},"healthy":{"bool":true},
      "driverVersion":{"version":"1.25.0"},"links":{"strings":["x","y"]},
      "pci.example.com/root":{"string":"r1"}},
    "capacity":{"memory":{"value":"40Gi"}}})");
  return kGpu;
}

// "true", "false", "compile: ...", "error: ...".
std::string run(const std::string& text) {
  const auto selector = DeviceSelector::compile(text);
  if (!selector.ok()) return "compile: " + selector.status().message();
  const auto answer = selector->matches(device_value("gpu.example.com", gpu()));
  if (!answer.ok()) return "error: " + answer.status().message();
  return *answer ? "true" : "false";
}

TEST_CASE("device selectors") {
  const std::string own = "device.attributes['gpu.example.com']";
  const std::pair<std::string, std::string> cases[] = {
      {"device.driver == 'gpu.example.com'", "true"},
      {own + ".model == 'a100'", "true"},
      {own + ".index > 3", "false"},
      {own + ".healthy", "true"},
      {own + ".driverVersion.isGreaterThan(semver('1.9.9'))", "true"},
      {own + ".driverVersion.compareTo(semver('1.25.0')) == 0", "true"},
      {"'y' in " + own + ".links", "true"},
      {"device.attributes['pci.example.com'].root == 'r1'", "true"},
      {"device.capacity['gpu.example.com'].memory.compareTo(quantity('40Gi')) >= 0", "true"},
      {"device.capacity['gpu.example.com'].memory.isGreaterThan(quantity('80Gi'))", "false"},
      {"device.allowMultipleAllocations", "false"},
      // Domains nobody has are empty, and are not there.
      {"has(device.attributes['other.example.com'].model)", "false"},
      {"'other.example.com' in device.attributes", "false"},
      {"device.attributes['other.example.com'].model == 'x'", "error: no such key: model"},
      {own + ".nope == 1", "error: no such key: nope"},
  };
  for (const auto& [text, want] : cases) {
    INFO(text);
    CHECK(run(text) == want);
  }
  CHECK(run("device.nope == 1")
            .starts_with("compile: compilation failed: ERROR: <input>:1:7: "
                         "undefined field 'nope'"));
  CHECK(run("1 + 1") == "compile: must evaluate to bool or the unknown type, not int");
  CHECK(run(own + ".model") == "error: the expression's result is no bool but string");
}

}  // namespace
}  // namespace coracle::api::devices
