#include "ttlafterfinished/ttlafterfinished.hpp"

#include <catch2/catch.hpp>

#include "base/yaml.hpp"

using namespace coracle;
using namespace coracle::controllers;

TEST_CASE("a job goes when its time after the end is over") {
  struct Case {
    const char *name, *job, *outcome;
  };
  const std::vector<Case> cases = {
      {"no time given",
       "{status: {conditions: [{type: Complete, status: 'True', "
       "lastTransitionTime: 2026-01-01T11:00:00Z}]}}",
       ""},
      {"still runs",
       "{spec: {ttlSecondsAfterFinished: 0}, status: {conditions: [{type: Suspended, "
       "status: 'True', lastTransitionTime: 2026-01-01T11:00:00Z}]}}",
       ""},
      {"at once",
       "{spec: {ttlSecondsAfterFinished: 0}, status: {conditions: [{type: Complete, "
       "status: 'True', lastTransitionTime: 2026-01-01T12:00:00Z}]}}",
       "delete Foreground"},
      {"failed, later",
       "{spec: {ttlSecondsAfterFinished: 90}, status: {conditions: [{type: "
       "Failed, status: 'True', lastTransitionTime: 2026-01-01T11:59:00Z}]}}",
       "in 30 s"},
      {"is going",
       "{metadata: {deletionTimestamp: 2026-01-01T11:59:00Z}, spec: "
       "{ttlSecondsAfterFinished: 0}, status: {conditions: [{type: Complete, status: "
       "'True', lastTransitionTime: 2026-01-01T11:00:00Z}]}}",
       ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    json::value job = *parse_yaml_one(c.job);
    set_path(job, "metadata.name", json::value("j"));
    set_path(job, "metadata.namespace", json::value("ns"));
    FixedWorld world;
    world.put(gvr::kJobs, job);
    const Plan plan = TtlAfterFinishedController().reconcile(
        world.view(), "ns/j", {TimePoint(), *parse_time("2026-01-01T12:00:00Z")});
    std::string outcome;
    for (const Write& w : plan.writes) {
      outcome +=
          (w.verb == Write::Verb::kDelete ? "delete " : "? ") + w.delete_options.propagation_policy;
    }
    if (plan.again_after) {
      outcome += "in " + std::to_string(*plan.again_after / std::chrono::seconds(1)) + " s";
    }
    CHECK(outcome == c.outcome);
  }
}
