#include "kubelet/node_object.hpp"

#include <catch2/catch.hpp>

using namespace coracle;
using namespace coracle::kubelet;

namespace {
using Reasons = std::vector<std::string_view>;
}

TEST_CASE("a node tells all of its health at first, then what changes") {
  const NodeHealth well;
  CHECK(health_reasons({}, well) == Reasons{"NodeHasSufficientMemory", "NodeHasNoDiskPressure",
                                            "NodeHasSufficientPID", "NodeReady"});
  CHECK(health_reasons(well, well).empty());
  NodeHealth short_of_memory = well;
  short_of_memory.memory_pressure = true;
  CHECK(health_reasons(well, short_of_memory) == Reasons{"NodeHasInsufficientMemory"});
  CHECK(health_reasons(short_of_memory, well) == Reasons{"NodeHasSufficientMemory"});
  NodeHealth leaving = well;
  leaving.shutting_down = leaving.disk_pressure = true;
  CHECK(health_reasons(well, leaving) == Reasons{"NodeHasDiskPressure", "NodeNotReady"});
  CHECK(health_reasons(leaving, well) == Reasons{"NodeHasNoDiskPressure", "NodeReady"});
}

TEST_CASE("a node that starts and is not ready says nothing of that") {
  NodeHealth booting;
  booting.booting = true;
  CHECK(health_reasons({}, booting).size() == 3);
}
