#include "api/defaults/defaults.hpp"
#include "api/validation/testing.hpp"
#include "api/validation/time_zone_names.hpp"
#include "api/validation/validation.hpp"
#include "base/time_zone.hpp"

namespace coracle::api::validation {
namespace {

// A job with a selector of its own and what else is given, its pods' restart policy in the end.
std::string job_text(std::string_view more, std::string_view policy = "Never") {
  return R"({"metadata":{"name":"j"},"spec":{"manualSelector":true,"selector":{"matchLabels":{
             "a":"b"}},)" +
         std::string(more) +
         R"("template":{"metadata":{"labels":{"a":"b"}},"spec":{"restartPolicy":")" +
         std::string(policy) + R"(","containers":[{"name":"c","image":"x"}]}}}})";
}

TEST_CASE("job") {
  const std::string always = job_text("", "Always"), odd = job_text("", "Sometimes"),
                    one = job_text(R"("completions":1,)"), two = job_text(R"("completions":2,)");
  run(
      {
          {"restarts for ever",
           always,
           {R"(spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", )"
            R"("Never")"}},
          {"completions changed",
           two,
           {"spec.completions: Invalid value: 2: field is immutable"},
           one},
          {"no selector",
           R"({"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[
               {"name":"a","image":"x"}]}}}})",
           {"spec.selector: Required value",
            "spec.template.metadata.labels: Invalid value: null: `selector` does not match "
            "template `labels`"}},
          {"selector that is not the server's",
           R"({"metadata":{"name":"j","uid":"u"},"spec":{"selector":{"matchLabels":{"a":"b"}},
               "template":{"metadata":{"labels":{"a":"b","controller-uid":"u",
               "batch.kubernetes.io/controller-uid":"u","batch.kubernetes.io/job-name":"j"}},
               "spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"x"}]}}}})",
           {"spec.template.metadata.labels[job-name]: Required value: must be 'j'",
            R"(spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` not )"
            "auto-generated"}},
      },
      job, defaults::set_job);
}

TEST_CASE("job: the template of one that runs stays") {
  const std::string before = job_text(""), image = R"({"metadata":{"name":"j"},"spec":{
      "manualSelector":true,"selector":{"matchLabels":{"a":"b"}},"suspend":true,
      "template":{"metadata":{"labels":{"a":"b","c":"d"}},"spec":{"restartPolicy":"Never",
      "nodeSelector":{"x":"y"},"containers":[{"name":"c","image":"x"}]}}}})",
                    suspended = job_text(R"("suspend":true,)");
  run({{"suspended ones may be placed anew", image, {}, suspended}}, job, defaults::set_job);
  json::value now = object_of(image), old = object_of(before);
  defaults::set_job(now.get_object());
  defaults::set_job(old.get_object());
  FieldErrors errors;
  job(now, &old, errors);
  REQUIRE(errors.size() == 1);
  const std::string text = errors.list()[0].text();
  CHECK(text.starts_with(R"(spec.template: Invalid value: {"labels":{"a":"b","c":"d"},"Spec":{)"
                         R"("Volumes":null,"InitContainers":null,"Containers":[{"Name":"c",)"));
  CHECK(text.ends_with(": field is immutable"));
}

TEST_CASE("job: indexes") {
  const std::string none = job_text(R"("completionMode":"Indexed","parallelism":100001,)"),
                    plain = job_text(R"("backoffLimitPerIndex":1,"maxFailedIndexes":-1,)"),
                    failed = job_text(R"("completionMode":"Indexed","completions":3,
                                         "backoffLimitPerIndex":1,"maxFailedIndexes":4,)"),
                    mode = job_text(R"("completionMode":"Some",)"),
                    many = job_text(R"("completionMode":"Indexed","completions":100001,
                                       "parallelism":10001,"backoffLimitPerIndex":1,)"),
                    three = job_text(R"("completionMode":"Indexed","completions":3,
                                        "parallelism":1,)"),
                    five = job_text(R"("completionMode":"Indexed","completions":5,
                                       "parallelism":1,)");
  run(
      {
          {"without a number",
           none,
           {"spec.completions: Required value: when completion mode is Indexed",
            "spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when "
            "completion mode is Indexed"}},
          {"for indexed ones alone",
           plain,
           {"spec.maxFailedIndexes: Invalid value: -1: must be greater than or equal to 0",
            "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode",
            "spec.maxFailedIndexes: Invalid value: -1: requires indexed completion mode"}},
          {"more than there are",
           failed,
           {"spec.maxFailedIndexes: Invalid value: 4: must be less than or equal to completions"}},
          {"mode",
           mode,
           {R"(spec.completionMode: Unsupported value: "Some": supported values: "NonIndexed", )"
            R"("Indexed")"}},
          {"many",
           many,
           {"spec.maxFailedIndexes: Required value: must be specified when completions is above "
            "100000",
            "spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when "
            "completions are above 100000 and used with backoff limit per index"}},
          {"not in tandem",
           five,
           {"spec.completions: Invalid value: 5: can only be modified in tandem with "
            "spec.parallelism"},
           three},
      },
      job, defaults::set_job);
}

TEST_CASE("job: policies") {
  const std::string failure = job_text(R"("podReplacementPolicy":"TerminatingOrFailed",
      "podFailurePolicy":{"rules":[{"action":"FailIndex","onExitCodes":{"operator":"In",
      "containerName":"x","values":[3,0,3]}},{"action":"Stop"},
      {"onPodConditions":[{"type":"A","status":"Maybe"}]}]},)",
                                       "OnFailure"),
                    success = job_text(R"("completionMode":"Indexed","completions":3,
      "successPolicy":{"rules":[{},{"succeededIndexes":"0-x"},{"succeededIndexes":"2,1"},
      {"succeededIndexes":"0,1","succeededCount":4}]},)"),
                    plain = job_text(R"("successPolicy":{"rules":[]},)"),
                    manager = job_text(R"("managedBy":"me",)");
  const std::string rules = "spec.podFailurePolicy.rules", wins = "spec.successPolicy.rules";
  run(
      {
          {"failure",
           failure,
           {rules + R"([0].action: Invalid value: "FailIndex": requires the )"
                    "backoffLimitPerIndex to be set",
            rules + R"([0].onExitCodes.containerName: Invalid value: "x": must be one of the )"
                    "container or initContainer names in the pod template",
            rules +
                "[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator",
            rules + "[0].onExitCodes.values[2]: Duplicate value: 3",
            rules + "[0].onExitCodes.values: Invalid value: [3,0,3]: must be ordered",
            rules + R"([1].action: Unsupported value: "Stop": supported values: "Count", )"
                    R"("FailIndex", "FailJob", "Ignore")",
            rules + "[1]: Invalid value: specifying one of OnExitCodes and OnPodConditions is "
                    "required",
            rules + R"([2].action: Required value: valid values: ["Count" "FailIndex" "FailJob" )"
                    R"("Ignore"])",
            rules + R"([2].onPodConditions[0].status: Unsupported value: "Maybe": supported )"
                    R"(values: "False", "True", "Unknown")",
            R"(spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported )"
            R"(values: "Failed")",
            R"(spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is )"
            "supported when podFailurePolicy is specified"}},
          {"success",
           success,
           {wins + "[0]: Required value: at least one of succeededCount or succeededIndexes must "
                   "be specified",
            wins + R"([1].succeededIndexes: Invalid value: "0-x": error parsing )"
                   R"(succeededIndexes: cannot convert string to integer for index: "x")",
            wins + R"([2].succeededIndexes: Invalid value: "2,1": error parsing )"
                   "succeededIndexes: non-increasing order, previous: 2, current: 1",
            wins + "[3].succeededCount: Invalid value: 4: must be less than or equal to 3 (the "
                   "number of specified completions)",
            wins + "[3].succeededCount: Invalid value: 4: must be less than or equal to 2 (the "
                   "number of indexes in the specified succeededIndexes field)"}},
          {"success of a plain one",
           plain,
           {R"(spec.successPolicy: Invalid value: {"Rules":[]}: requires indexed completion mode)"}},
          {"manager",
           manager,
           {R"(spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as )"
            R"("acme.io/foo"))"}},
      },
      job, defaults::set_job);
}

TEST_CASE("cron job") {
  constexpr std::string_view kEnd =
      R"("jobTemplate":{"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[
         {"name":"c","image":"x"}]}}}}}})";
  const auto text = [&](std::string_view spec) {
    return R"({"metadata":{"name":"c"},"spec":{)" + std::string(spec) + std::string(kEnd);
  };
  const std::string good = text(R"("schedule":"*/5 * * * *","timeZone":"Europe/Berlin",)"),
                    none = text(R"("concurrencyPolicy":"Maybe",)"),
                    zone = text(R"("schedule":"@daily","timeZone":"Local",)"),
                    mars = text(R"("schedule":"@daily","timeZone":"Mars/Base",)"),
                    dots = text(R"("schedule":"@daily","timeZone":"../x",)"),
                    inside = text(R"("schedule":"TZ=UTC 0 * * * *","timeZone":"UTC",)"),
                    had = text(R"("schedule":"TZ=UTC 0 * * * *",)");
  run(
      {
          {"good", good, {}},
          {"neither",
           none,
           {"spec.schedule: Required value",
            R"(spec.concurrencyPolicy: Unsupported value: "Maybe": supported values: "Allow", )"
            R"("Forbid", "Replace")"}},
          {"local",
           zone,
           {R"(spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as )"
            "defined in https://www.iana.org/time-zones"}},
          {"no zone's name",
           dots,
           {R"(spec.timeZone: Invalid value: "../x": unknown time zone ../x)"}},
          {"a zone of no clock",
           mars,
           {R"(spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base)"}},
          {"which it was before", mars, {}, mars},
          {"zone in the schedule",
           had,
           {R"(spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in )"
            "schedule, use timeZone field instead"}},
          {"zone twice",
           inside,
           {R"(spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use both timeZone field )"
            "and TZ or CRON_TZ in schedule"},
           had},
          {"a selector",
           R"({"metadata":{"name":"c"},"spec":{"schedule":"@daily","jobTemplate":{"spec":{
               "manualSelector":true,"selector":{"matchLabels":{"a":"b"}},"template":{"spec":{
               "restartPolicy":"Never","containers":[{"name":"c","image":"x"}]}}}}}})",
           {R"(spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: )"
            "`selector` will be auto-generated",
            R"(spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: )"
            R"("nil", "false")"}},
      },
      cron_job, defaults::set_cron_job);
}

TEST_CASE("the zones of this machine's database are known by name") {
  int unknown = 0;
  for (const auto& [name, zone] : load_time_zones()) {
    INFO(name);
    // Links of a machine, and a zone that says that none is set.
    if (name == "localtime" || name == "posixrules" || name == "Factory") continue;
    unknown += is_time_zone(name) ? 0 : 1;
  }
  CHECK(unknown <= 5);  // a newer release may have a few more
  CHECK(is_time_zone("America/Argentina/Buenos_Aires"));
  CHECK(is_time_zone("UTC"));
  for (const char* none : {"", "Europe/", "Europe", "Berlin", "europe/berlin", "*", "UTC "}) {
    CHECK_FALSE(is_time_zone(none));
  }
}

}  // namespace
}  // namespace coracle::api::validation
