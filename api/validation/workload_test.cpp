#include "api/defaults/defaults.hpp"
#include "api/validation/testing.hpp"
#include "api/validation/validation.hpp"

namespace coracle::api::validation {
namespace {

constexpr std::string_view kGood =
    R"({"spec":{"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{
        "app":"web"}},"spec":{"containers":[{"name":"a","image":"nginx"}]}}}})";

TEST_CASE("deployment") {
  run(
      {
          {"good", kGood, {}},
          {"no selector",
           R"({"spec":{"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[
               {"name":"a","image":"nginx"}]}}}})",
           {"spec.selector: Required value",
            R"(spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not )"
            "match template `labels`"}},
          {"selector misses the template",
           R"({"spec":{"selector":{"matchLabels":{"app":"api"}},"template":{"metadata":{"labels":{
               "app":"web"}},"spec":{"containers":[{"name":"a","image":"nginx"}]}}}})",
           {R"(spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not )"
            "match template `labels`"}},
          {"numbers and strategy",
           R"({"spec":{"replicas":-1,"progressDeadlineSeconds":5,"minReadySeconds":10,
               "strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":0,
               "maxUnavailable":"0%"}},"selector":{"matchLabels":{"app":"web"}},
               "template":{"metadata":{"labels":{"app":"web"}},
               "spec":{"restartPolicy":"Never","containers":[{"name":"a","image":"x"}]}}}})",
           {"spec.replicas: Invalid value: -1: must be greater than or equal to 0",
            R"(spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: )"
            R"("Always")",
            R"(spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when )"
            "`maxSurge` is 0",
            "spec.progressDeadlineSeconds: Invalid value: 5: must be greater than "
            "minReadySeconds"}},
          {"selector changed",
           kGood,
           {R"(spec.selector: Invalid value: {"matchLabels":{"app":"web"}}: field is immutable)"},
           R"({"spec":{"selector":{"matchLabels":{"app":"old"}},"template":{"metadata":{"labels":{
               "app":"old"}},"spec":{"containers":[{"name":"a","image":"nginx"}]}}}})"},
      },
      deployment, defaults::set_deployment);
}

TEST_CASE("strategies are shown as upstream's structs") {
  const std::string rest =
      R"("selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},
         "spec":{"containers":[{"name":"a","image":"x"}]}}})";
  const std::string deployment_text = R"({"spec":{"strategy":{"type":"Rolling"},)" + rest + "}";
  const std::string daemon_text = R"({"spec":{"updateStrategy":{"type":"Rolling"},)" + rest + "}";
  const std::string set_text =
      R"({"spec":{"updateStrategy":{"type":"Recreate","rollingUpdate":{"partition":1}},)" + rest +
      "}";
  run({{"deployment",
        deployment_text,
        {R"(spec.strategy: Unsupported value: {"Type":"Rolling","RollingUpdate":null}: )"
         R"(supported values: "Recreate", "RollingUpdate")"}}},
      deployment, defaults::set_deployment);
  run({{"daemon set",
        daemon_text,
        {R"(spec.updateStrategy: Unsupported value: {"Type":"Rolling","RollingUpdate":null}: )"
         R"(supported values: "RollingUpdate", "OnDelete")"}}},
      daemon_set, defaults::set_daemon_set);
  run({{"stateful set",
        set_text,
        {R"(spec.updateStrategy: Invalid value: {"Type":"Recreate","RollingUpdate":{)"
         R"("Partition":1,"MaxUnavailable":null}}: must be 'RollingUpdate' or 'OnDelete')"}}},
      stateful_set, defaults::set_stateful_set);
}

TEST_CASE("daemon set without a selector") {
  run({{"none",
        R"({"spec":{"template":{"metadata":{"labels":{"a":"b"}},
            "spec":{"containers":[{"name":"a","image":"x"}]}}}})",
        {R"(spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match )"
         "template `labels`"}}},
      daemon_set, defaults::set_daemon_set);
}

}  // namespace
}  // namespace coracle::api::validation
