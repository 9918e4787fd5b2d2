#include "works.hpp"

#include <catch2/catch.hpp>

#include "base/manual_executor.hpp"

namespace coracle::bench {
namespace {

TEST_CASE("every pod of the workloads gets a node, by preemption where that is the point") {
  const ManualExecutor clock;
  Measured basic = run({"SchedulingBasic", 20, 10, 30}, clock);
  CHECK(basic.placed == 30);
  CHECK(basic.preempted == 0);
  CHECK(run({"PodAntiAffinity", 20, 5, 15}, clock).placed == 15);
  const Measured preemption = run({"Preemption", 5, 20, 5}, clock);
  CHECK(preemption.placed == 5);
  CHECK(preemption.preempted == 5);
}

}  // namespace
}  // namespace coracle::bench
