#include "works.hpp"

#include <catch2/catch.hpp>

#include "base/manual_executor.hpp"

namespace coracle::bench {
namespace {

TEST_CASE("every pod of the workloads gets a node, by preemption where that is the point") {
  const ManualExecutor clock;
  for (const Workload& known : workloads()) {
    CAPTURE(known.name);
    const bool preempts = known.name == "Preemption";
    const Measured m = run({known.name, 20, preempts ? 80 : 10, preempts ? 5 : 10}, clock);
    CHECK(m.placed == (known.name == "SchedulingWithMixedChurn" ? 9 : preempts ? 5 : 10));
    CHECK(m.preempted == (preempts ? 5 : 0));
    CHECK(m.waiting == (known.name == "Unschedulable"              ? 10
                        : known.name == "SchedulingWithMixedChurn" ? 1
                                                                   : 0));
  }
}

}  // namespace
}  // namespace coracle::bench
