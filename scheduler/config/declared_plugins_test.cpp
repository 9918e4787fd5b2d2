#include "config/declared_plugins.hpp"

#include <catch2/catch.hpp>

#include "config/config.hpp"
#include "external/process_plugin.hpp"

namespace coracle::scheduler {
namespace {

using namespace std::chrono_literals;

const std::string kHead =
    "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
    "profiles:\n- schedulerName: green\n";
const std::string kEnabled = "  plugins: {multiPoint: {enabled: [{name: Carbon, weight: 5}]}}\n";

std::string process(const std::string& args) {
  return "  pluginConfig:\n  - name: Carbon\n    args: {apiVersion: lab.coracle.dev/v1alpha1, "
         "kind: ExternalProcessArgs" +
         args + "}\n";
}

std::string refusal(const std::string& text) {
  Config config;
  return parse_config(kHead + text, &config).message();
}

TEST_CASE("a profile declares a program as a plugin, and enables it like any other") {
  Config config;
  REQUIRE(parse_config(kHead + kEnabled +
                           process(", command: [python3, carbon.py], onFailure: skip, timeout: "
                                   "250ms, startTimeout: 3s, nodePods: true, args: {limit: 3}"),
                       &config)
              .message() == "");
  const Profile& profile = config.profiles.at(0);
  CHECK(profile.asks_programs);
  const auto* plugin = dynamic_cast<const ProcessPlugin*>(profile.at(Point::kFilter).back());
  REQUIRE(plugin != nullptr);
  CHECK(plugin == profile.scorers.back().plugin);
  CHECK(profile.scorers.back().weight == 5);
  const ProcessSpec& spec = plugin->spec();
  CHECK(spec.key == "green/Carbon");
  CHECK(spec.name == "Carbon");
  CHECK(spec.command == std::vector<std::string>{"python3", "carbon.py"});
  CHECK(spec.args == json::value(json::object{{"limit", 3}}));
  CHECK(spec.timeout == 250ms);
  CHECK(spec.start_timeout == 3s);
  CHECK(spec.node_pods);
  CHECK(spec.on_failure == ProcessSpec::OnFailure::kSkip);
  // Only a filter, in the place the file gives it.
  Config filter;
  REQUIRE(parse_config(kHead + "  plugins: {filter: {enabled: [{name: Carbon}]}}\n" +
                           process(", command: [x], onFailure: stop"),
                       &filter)
              .ok());
  CHECK(filter.profiles[0].runs(Point::kFilter, filter.profiles[0].at(Point::kFilter).back()));
  CHECK(filter.profiles[0].scorers.size() == default_profile().scorers.size());
  CHECK_FALSE(default_profile().asks_programs);
}

TEST_CASE("wrong declarations") {
  const std::string at = "profiles[0].pluginConfig[0].args";
  CHECK(refusal(kEnabled + process("")) ==
        "[" + at + ".command: Required value: the program and its arguments, " + at +
            ".onFailure: Required value: stop (the decision fails, and is tried again) or skip (it "
            "is made without the plugin)]");
  CHECK(refusal(kEnabled + process(", command: [x], onFailure: ignore, timeout: 0s")) ==
        "[" + at + ".timeout: Invalid value: \"0ms\": must be greater than zero, " + at +
            ".onFailure: Unsupported value: \"ignore\": supported values: \"skip\", \"stop\"]");
  CHECK(refusal(kEnabled + process(", command: [x], onFailure: stop, time: 1s")) ==
        "decoding .profiles[0].pluginConfig[0]: decoding args for plugin Carbon: strict decoding "
        "error: unknown field \"time\"");
  CHECK(refusal(process(", command: [x], onFailure: stop")) ==
        "initializing profiles: creating profile for scheduler name green: plugin \"Carbon\" is "
        "declared in pluginConfig but enabled at no point of plugins");
  CHECK(refusal(kEnabled) ==
        "initializing profiles: creating profile for scheduler name green: PreEnqueuePlugin "
        "\"Carbon\" does not exist");
  CHECK(refusal("  plugins: {reserve: {enabled: [{name: Carbon}]}}\n" +
                process(", command: [x], onFailure: stop")) ==
        "initializing profiles: creating profile for scheduler name green: plugin \"Carbon\" does "
        "not extend ReservePlugin plugin");
  CHECK(refusal("  pluginConfig:\n  - name: NodeName\n    args: {apiVersion: "
                "lab.coracle.dev/v1alpha1, kind: ExternalProcessArgs, command: [x], onFailure: "
                "stop}\n") ==
        at + ": Invalid value: \"NodeName\": is the name of a plugin of the scheduler's own");
  CHECK(refusal("  pluginConfig:\n  - name: Carbon\n    args: {apiVersion: v1, kind: "
                "ExternalProcessArgs, command: [x], onFailure: stop}\n") ==
        at + ".apiVersion: Invalid value: \"v1\": must be lab.coracle.dev/v1alpha1");
  CHECK(refusal(kEnabled + "  pluginConfig:\n  - name: Carbon\n    args: {apiVersion: "
                           "lab.coracle.dev/v1alpha1, kind: SharedObjectArgs, path: x.so}\n") ==
        "decoding .profiles[0].pluginConfig[0]: plugin Carbon: shared objects are not loaded here");
}

}  // namespace
}  // namespace coracle::scheduler
