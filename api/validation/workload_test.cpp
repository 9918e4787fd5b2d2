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

TEST_CASE("job") {
  run(
      {
          {"restarts for ever",
           R"({"spec":{"template":{"spec":{"containers":[{"name":"a","image":"x"}]}}}})",
           {R"(spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", )"
            R"("Never")"}},
          {"completions changed",
           R"({"spec":{"completions":2,"template":{"spec":{"restartPolicy":"Never","containers":[
               {"name":"a","image":"x"}]}}}})",
           {"spec.completions: Invalid value: 2: field is immutable"},
           R"({"spec":{"completions":1,"template":{"spec":{"restartPolicy":"Never","containers":[
               {"name":"a","image":"x"}]}}}})"},
      },
      job, defaults::set_job);
}

}  // namespace
}  // namespace coracle::api::validation
