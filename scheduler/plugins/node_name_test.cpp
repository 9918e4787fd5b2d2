#include "plugins/node_name.hpp"

#include "plugins/testing.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::check_all;
using testing::FilterCase;

TEST_CASE("NodeName filters") {
  const std::vector<a_node> nodes{a_node("n"), a_node("m")};
  const Verdict no = Verdict::never("node(s) didn't match the requested node name");
  check_all(NodeName(), std::vector<FilterCase>{
                            {"names none", nodes, {}, a_pod("p"), {Verdict::yes(), Verdict::yes()}},
                            {"names one", nodes, {}, a_pod("p").on("m"), {no, Verdict::yes()}},
                            {"names another", nodes, {}, a_pod("p").on("x"), {no, no}},
                        });
}

}  // namespace
}  // namespace coracle::scheduler
