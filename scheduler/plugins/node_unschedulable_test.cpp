#include "plugins/node_unschedulable.hpp"

#include "plugins/testing.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::check_all;
using testing::FilterCase;

TEST_CASE("NodeUnschedulable filters") {
  const std::vector<a_node> cordoned{a_node("n").set("spec.unschedulable", "true")};
  const Verdict no = Verdict::never("node(s) were unschedulable"), yes = Verdict::yes();
  const auto pod = [](const char* tolerations) {
    return a_pod("p").set("spec.tolerations", tolerations);
  };
  check_all(NodeUnschedulable(),
            std::vector<FilterCase>{
                {"open", {a_node("n")}, {}, a_pod("p"), {yes}},
                {"cordoned", cordoned, {}, a_pod("p"), {no}},
                {"tolerated by key",
                 cordoned,
                 {},
                 pod(R"([{"key":"node.kubernetes.io/unschedulable","operator":"Exists",
                    "effect":"NoSchedule"}])"),
                 {yes}},
                {"tolerated by an equal, empty value",
                 cordoned,
                 {},
                 pod(R"([{"key":"node.kubernetes.io/unschedulable"}])"),
                 {yes}},
                {"tolerates everything", cordoned, {}, pod(R"([{"operator":"Exists"}])"), {yes}},
                {"tolerates another effect",
                 cordoned,
                 {},
                 pod(R"([{"operator":"Exists","effect":"NoExecute"}])"),
                 {no}},
            });
}

}  // namespace
}  // namespace coracle::scheduler
