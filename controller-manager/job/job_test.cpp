#include "job/job.hpp"

#include <catch2/catch.hpp>

#include "api/object.hpp"
#include "base/yaml.hpp"
#include "controller_testing/cluster.hpp"
#include "controllers/pods.hpp"
#include "job/indexes.hpp"
#include "job/names.hpp"

using namespace coracle;
using namespace coracle::controllers;
using Strings = std::vector<std::string>;
using namespace std::chrono_literals;

namespace {

const JobController kController;

struct Jobs : testing::Cluster {
  explicit Jobs(const std::string& spec) : Cluster(kController) {
    put(gvr::kJobs, R"(
apiVersion: batch/v1
kind: Job
metadata: {name: sum, uid: job-uid, generation: 1}
spec:
  parallelism: 2
  backoffLimit: 6
  completionMode: NonIndexed
  selector: {matchLabels: {batch.kubernetes.io/controller-uid: job-uid}}
  template:
    metadata: {labels: {batch.kubernetes.io/controller-uid: job-uid}}
    spec: {restartPolicy: Never, containers: [{name: c, image: busybox}]}
)");
    const json::value changes = *parse_yaml_one(spec);
    for (const auto& [key, value] : changes.get_object()) {
      set_path(job(), "spec." + std::string(key), value);
    }
  }
  json::value& job() { return at("jobs/sum"); }
  // What happened to pods; statuses and finalizers aside.
  Strings settle() {
    Strings kept;
    for (const std::string& line : Cluster::settle("ns/sum")) {
      if (line.starts_with("create") || line.starts_with("delete")) kept.push_back(line);
    }
    return kept;
  }
  // The oldest pod that has not ended.
  json::value& running() {
    for (const std::string& name : names("pods")) {
      if (!has_ended(pod(name)) && !is_deleting(pod(name))) return pod(name);
    }
    FAIL("no pod runs");
    return job();
  }
  void end_one(int exit_code) {
    run_all();
    finish(running(), exit_code);
    settle();
  }
  json::value& of_index(int index) {
    for (const std::string& name : names("pods")) {
      const bool same = api::annotation_of(pod(name), job::kIndex) == std::to_string(index);
      if (same && !has_ended(pod(name))) return pod(name);
    }
    FAIL("no pod of index " << index);
    return job();
  }
  // "SuccessCriteriaMet Complete": what is True.
  std::string conditions() {
    std::string text;
    for (const json::value& c : get_array(job(), "status.conditions")) {
      if (get_string(c, "status") == "True") text += std::string(get_string(c, "type")) + " ";
    }
    return text;
  }
  std::string reason() {
    const json::array& all = get_array(job(), "status.conditions");
    return all.empty() ? "" : std::string(get_string(all.back(), "reason"));
  }
  std::int64_t count(const std::string& field) { return get_int(job(), "status." + field); }
  std::string text(const std::string& field) {
    return std::string(get_string(job(), "status." + field));
  }
  size_t active() {
    size_t n = 0;
    each_pod([&](json::value& pod) { n += is_active(pod); });
    return n;
  }
};

}  // namespace

TEST_CASE("so many at a time, until so many have succeeded") {
  Jobs c("{completions: 3}");
  CHECK(c.settle() == Strings{"create pods/sum-1", "create pods/sum-3"});
  CHECK(api::has_finalizer(c.pod("sum-1"), job::kTracking));
  CHECK(c.text("startTime") == "2026-01-01T12:00:00Z");
  c.run_all();
  c.settle();
  CHECK(c.count("active") == 2);
  CHECK(c.count("ready") == 2);
  c.end_one(0);
  CHECK(c.active() == 2);  // a third was made
  c.end_one(0);
  CHECK(c.active() == 1);
  CHECK(c.conditions().empty());
  c.wall += 10s;
  c.end_one(0);
  CHECK(c.conditions() == "SuccessCriteriaMet Complete ");
  CHECK(c.reason() == "CompletionsReached");
  const json::value status = *find(c.job(), "status");
  CHECK(get_string(status, "completionTime") == "2026-01-01T12:00:10Z");
  CHECK(get_int(status, "succeeded") == 3);
  CHECK(to_json(*find(status, "uncountedTerminatedPods")) == "{}");
  CHECK(find(status, "active") == nullptr);
  c.each_pod([](json::value& pod) { CHECK(api::finalizers_of(pod).empty()); });
  CHECK(c.told.back() == "Completed: Job completed");
}

TEST_CASE("a pod's uid is in the status before its finalizer goes, and is counted after") {
  Jobs c("{completions: 1, parallelism: 1}");
  c.settle();
  c.finish(c.pod("sum-1"), 0);
  CHECK(c.step("ns/sum") == Strings{"status", "patch pods/sum-1"});
  CHECK(to_json(*find(c.job(), "status.uncountedTerminatedPods")) ==
        R"({"succeeded":["uid-sum-1-2"]})");
  CHECK(c.count("succeeded") == 0);
  c.objects.erase("pods/sum-1");  // nothing but the status knows of it now
  CHECK(c.step("ns/sum") == Strings{"status"});
  CHECK(c.count("succeeded") == 1);
  CHECK(c.conditions() == "SuccessCriteriaMet Complete ");
}

TEST_CASE("without completions one success is enough, once the others have ended") {
  Jobs c("{}");
  c.settle();
  c.end_one(0);
  CHECK(c.active() == 1);
  CHECK(c.conditions().empty());
  c.end_one(1);
  CHECK(c.conditions() == "SuccessCriteriaMet Complete ");
  CHECK(c.count("failed") == 1);
}

TEST_CASE("failures back off, double, and end the job at the limit") {
  Jobs c("{completions: 1, parallelism: 1, backoffLimit: 2}");
  c.settle();
  for (const auto wait : {10s, 20s}) {
    c.end_one(1);
    CHECK(c.active() == 0);
    CHECK(*c.last.again_after == wait);
    c.wall += wait;
    CHECK(c.settle().size() == 1);
  }
  c.end_one(1);
  CHECK(c.conditions() == "FailureTarget Failed ");
  CHECK(c.reason() == "BackoffLimitExceeded");
  CHECK(c.count("failed") == 3);
  CHECK(c.told.back() == "BackoffLimitExceeded: Job has reached the specified backoff limit");
  CHECK(c.settle().empty());
}

TEST_CASE("the end of a failed job: its pods are deleted, Failed waits for them") {
  Jobs c("{completions: 5, parallelism: 3, backoffLimit: 0}");
  c.settle();
  c.run_all();
  c.finish(c.running(), 1);
  const Strings done = c.settle();
  CHECK(done.size() == 2);
  CHECK(done[0].starts_with("delete"));
  CHECK(c.conditions() == "FailureTarget ");
  CHECK(c.count("terminating") == 2);
  CHECK(c.count("failed") == 3);
  c.reap();
  c.settle();
  CHECK(c.conditions() == "FailureTarget Failed ");
}

TEST_CASE("a deadline ends it") {
  Jobs c("{completions: 1, parallelism: 1, activeDeadlineSeconds: 60}");
  c.settle();
  CHECK(*c.last.again_after == 60s);
  c.wall += 60s;
  CHECK(c.settle() == Strings{"delete pods/sum-1"});
  c.reap();
  c.settle();
  CHECK(c.reason() == "DeadlineExceeded");
}

TEST_CASE("restarts in place count as failures with OnFailure") {
  Jobs c("{completions: 1, parallelism: 1, backoffLimit: 2}");
  set_path(c.job(), "spec.template.spec.restartPolicy", json::value("OnFailure"));
  c.settle();
  c.run_all();
  const auto restarted = [&](int times) {
    set_path(c.pod("sum-1"), "status.containerStatuses",
             json::array({json::object({{"name", "c"}, {"restartCount", times}})}));
    return c.settle();
  };
  CHECK(restarted(1).empty());
  CHECK(restarted(2) == Strings{"delete pods/sum-1"});
}

TEST_CASE("suspended: pods go without counting; resumed: the clock starts anew") {
  Jobs c("{completions: 3, activeDeadlineSeconds: 100}");
  c.settle();
  c.run_all();
  c.wall += 50s;
  c.set_spec("jobs/sum", "suspend", "true");
  CHECK(c.settle() == Strings{"delete pods/sum-1", "delete pods/sum-3"});
  CHECK(c.conditions() == "Suspended ");
  CHECK(c.told.back() == "SuccessfulDelete: Deleted pod: sum-3");
  c.reap();
  c.settle();
  CHECK(c.count("failed") == 0);
  CHECK(c.count("active") == 0);
  c.wall += 500s;
  c.set_spec("jobs/sum", "suspend", "false");
  CHECK(c.settle().size() == 2);
  CHECK(c.conditions().empty());
  CHECK(c.reason() == "JobResumed");
  CHECK(c.text("startTime") == "2026-01-01T12:09:10Z");
}

TEST_CASE("born suspended it has not started") {
  Jobs c("{completions: 1, suspend: true}");
  CHECK(c.settle().empty());
  CHECK(c.text("startTime").empty());
  CHECK(c.conditions() == "Suspended ");
}

TEST_CASE("less parallelism takes pods away, and they do not count") {
  Jobs c("{completions: 9, parallelism: 3}");
  c.settle();
  c.run_all();
  c.set_spec("jobs/sum", "parallelism", "1");
  CHECK(c.settle().size() == 2);
  c.reap();
  c.settle();
  CHECK(c.active() == 1);
  CHECK(c.count("failed") == 0);
}

TEST_CASE("when a deleted pod is replaced") {
  Jobs at_once("{completions: 1, parallelism: 1, podReplacementPolicy: TerminatingOrFailed}");
  Jobs later("{completions: 1, parallelism: 1, podReplacementPolicy: Failed}");
  for (Jobs* c : {&at_once, &later}) {
    c->settle();
    c->run_all();
    set_path(c->pod("sum-1"), "metadata.deletionTimestamp", json::value("2026-01-01T12:00:00Z"));
    c->settle();
  }
  CHECK(at_once.active() == 1);
  CHECK(at_once.count("failed") == 1);
  CHECK(later.active() == 0);
  CHECK(later.count("terminating") == 1);
  later.reap();
  later.wall += 10s;
  CHECK(later.settle().size() == 1);
}

TEST_CASE("Indexed: every index once, with its number in name, label and environment") {
  Jobs c("{completionMode: Indexed, completions: 4, parallelism: 3}");
  CHECK(c.settle().size() == 3);
  const json::value& pod = c.of_index(2);
  CHECK(api::name_of(pod).starts_with("sum-2-"));
  CHECK(get_string(pod, "spec.hostname") == "sum-2");
  CHECK(api::label_of(pod, job::kIndex) == "2");
  CHECK(to_json(*find(get_array(pod, "spec.containers")[0], "env")) ==
        R"([{"name":"JOB_COMPLETION_INDEX","valueFrom":{"fieldRef":{"fieldPath":)"
        R"("metadata.labels['batch.kubernetes.io/job-completion-index']"}}}])");
  c.finish(c.of_index(0), 0);
  c.finish(c.of_index(2), 0);
  c.settle();
  CHECK(c.text("completedIndexes") == "0,2");
  CHECK(c.count("succeeded") == 2);
  CHECK(c.active() == 2);  // 1 and 3
  c.finish(c.of_index(1), 1);
  c.settle();
  c.wall += 10s;
  c.settle();
  c.finish(c.of_index(1), 0);
  c.finish(c.of_index(3), 0);
  c.settle();
  CHECK(c.text("completedIndexes") == "0-3");
  CHECK(c.conditions() == "SuccessCriteriaMet Complete ");
}

TEST_CASE("a limit for each index") {
  Jobs c(
      "{completionMode: Indexed, completions: 3, parallelism: 3, backoffLimit: 2147483647, "
      "backoffLimitPerIndex: 1}");
  c.settle();
  CHECK(api::annotation_of(c.of_index(0), job::kIndexFailures) == "0");
  c.finish(c.of_index(0), 1);
  CHECK(c.settle().empty());
  CHECK(*c.last.again_after == 10s);
  c.wall += 10s;
  CHECK(c.settle().size() == 1);
  CHECK(api::annotation_of(c.of_index(0), job::kIndexFailures) == "1");
  c.finish(c.of_index(0), 1);
  c.settle();
  CHECK(c.text("failedIndexes") == "0");
  CHECK(c.conditions().empty());  // the others go on
  c.finish(c.of_index(1), 0);
  c.finish(c.of_index(2), 0);
  c.settle();
  CHECK(c.text("completedIndexes") == "1,2");
  CHECK(c.conditions() == "FailureTarget Failed ");
  CHECK(c.reason() == "FailedIndexes");
  CHECK(c.count("failed") == 2);
}

TEST_CASE("too many failed indexes") {
  Jobs c(
      "{completionMode: Indexed, completions: 9, parallelism: 3, backoffLimit: 2147483647, "
      "backoffLimitPerIndex: 0, maxFailedIndexes: 1}");
  c.settle();
  c.finish(c.of_index(0), 1);
  c.finish(c.of_index(1), 1);
  c.settle();
  c.reap();
  c.settle();
  CHECK(c.reason() == "MaxFailedIndexesExceeded");
  CHECK(c.text("failedIndexes") == "0,1");
}

TEST_CASE("what the failure policy makes of a failed pod") {
  struct Case {
    const char *name, *rule;
    int exit_code;
    const char *reason, *message;
    std::int64_t failed;
  };
  const std::vector<Case> cases = {
      {"fails the job", "{action: FailJob, onExitCodes: {operator: In, values: [42]}}", 42,
       "PodFailurePolicy",
       "Container c for pod ns/sum-1 failed with exit code 42 matching FailJob rule at index 0", 1},
      {"another code", "{action: FailJob, onExitCodes: {operator: In, values: [42]}}", 1,
       "BackoffLimitExceeded", "Job has reached the specified backoff limit", 1},
      {"not in", "{action: FailJob, onExitCodes: {operator: NotIn, values: [42]}}", 1,
       "PodFailurePolicy",
       "Container c for pod ns/sum-1 failed with exit code 1 matching FailJob rule at index 0", 1},
      {"another container",
       "{action: FailJob, onExitCodes: {containerName: x, operator: In, values: [42]}}", 42,
       "BackoffLimitExceeded", "Job has reached the specified backoff limit", 1},
      {"ignored", "{action: Ignore, onExitCodes: {operator: In, values: [42]}}", 42, "", "", 0},
      {"by condition", "{action: FailJob, onPodConditions: [{type: DisruptionTarget}]}", 1,
       "PodFailurePolicy",
       "Pod ns/sum-1 has condition DisruptionTarget matching FailJob rule at index 0", 1},
  };
  for (const Case& k : cases) {
    CAPTURE(k.name);
    Jobs c(std::string("{completions: 1, parallelism: 1, backoffLimit: 0, podFailurePolicy: "
                       "{rules: [") +
           k.rule + "]}}");
    c.settle();
    c.finish(c.pod("sum-1"), k.exit_code);
    set_path(c.pod("sum-1"), "status.conditions",
             json::array({json::object({{"type", "DisruptionTarget"}, {"status", "True"}})}));
    c.settle();
    CHECK(c.reason() == k.reason);
    if (*k.message != 0) {
      CHECK(get_string(get_array(c.job(), "status.conditions").back(), "message") == k.message);
    }
    CHECK(c.count("failed") == k.failed);
  }
}

TEST_CASE("a success policy ends it early, and what still runs is stopped") {
  struct Case {
    const char* rules;
    int first, second;
    const char* message;  // after the second; none after the first
  };
  const std::vector<Case> cases = {
      {"[{succeededIndexes: '0,2'}]", 2, 0, "Matched rules at index 0"},
      {"[{succeededIndexes: '3-4'}, {succeededCount: 2}]", 2, 0, "Matched rules at index 1"},
      {"[{succeededIndexes: '0-2', succeededCount: 1}]", 3, 1, "Matched rules at index 0"},
  };
  for (const Case& k : cases) {
    CAPTURE(k.rules);
    Jobs c(std::string("{completionMode: Indexed, completions: 5, parallelism: 5, successPolicy: "
                       "{rules: ") +
           k.rules + "}}");
    c.settle();
    c.finish(c.of_index(k.first), 0);
    CHECK(c.settle().empty());
    c.finish(c.of_index(k.second), 0);
    CHECK(c.settle().size() == 3);
    CHECK(c.conditions() == "SuccessCriteriaMet ");
    CHECK(get_string(get_array(c.job(), "status.conditions")[0], "message") == k.message);
    c.reap();
    c.settle();
    CHECK(c.conditions() == "SuccessCriteriaMet Complete ");
    CHECK(c.reason() == "SuccessPolicy");
  }
}

TEST_CASE("whose job it is not, it leaves alone") {
  CHECK(Jobs("{completions: 1, managedBy: example.com/other}").settle().empty());
  Jobs c("{completions: 0}");
  c.settle();
  CHECK(c.conditions() == "SuccessCriteriaMet Complete ");
}

TEST_CASE("pods that nobody counts any more are let go") {
  struct Case {
    const char *name, *job;
    bool released;
  };
  const std::vector<Case> cases = {
      {"runs", "{metadata: {name: sum, uid: job-uid}}", false},
      {"is over",
       "{metadata: {name: sum, uid: job-uid}, status: {conditions: [{type: Failed, status: "
       "'True'}]}}",
       true},
      {"is another of that name", "{metadata: {name: sum, uid: x}}", true},
      {"has another manager",
       "{metadata: {name: sum, uid: job-uid}, spec: {managedBy: a/b}, status: {conditions: [{type: "
       "Complete, status: 'True'}]}}",
       false},
      {"is gone", "{metadata: {name: other, uid: o}}", true},
  };
  for (const Case& k : cases) {
    CAPTURE(k.name);
    const JobPodReleaser releaser;
    testing::Cluster c(releaser);
    c.put(gvr::kJobs, k.job);
    c.put(gvr::kPods,
          "{metadata: {name: p, uid: u, finalizers: [batch.kubernetes.io/job-tracking], "
          "ownerReferences: [{kind: Job, name: sum, uid: job-uid, controller: true}]}}");
    CHECK(c.step("ns/p") == (k.released ? Strings{"patch pods/p"} : Strings{}));
    CHECK(api::finalizers_of(c.pod("p")).empty() == k.released);
  }
}

TEST_CASE("sets of indexes") {
  using job::IndexSet;
  const auto set = [](const char* text) { return IndexSet::parse(text, 100); };
  CHECK(set("1,3-5,7").text() == "1,3-5,7");
  CHECK(set("5,1-3,4,4-4").text() == "1-5");
  CHECK(set("3,4").text() == "3,4");
  CHECK(set("x,-1,5-3,98-200").text() == "98,99");
  CHECK(set("1,3-5").count() == 4);
  CHECK(set("1,3-5").count_common(set("0-3,5-9")) == 3);
  CHECK(set("1-3").has(2));
  CHECK_FALSE(set("1-3,5").has(4));
  CHECK(set("1,3-5").first_missing(3, 100) == std::vector<std::int64_t>{0, 2, 6});
  CHECK(set("0-9").first_missing(3, 10).empty());
  IndexSet grown = set("1");
  grown.add({2, 9, 3});
  CHECK(grown.text() == "1-3,9");
}
