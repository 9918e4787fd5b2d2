#include "plugins/node_ports.hpp"

#include "plugins/testing.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::check_all;
using testing::FilterCase;

a_pod with_ports(const char* name, const char* ports) {
  return a_pod(name).set("spec.containers",
                         std::string(R"([{"name":"c","image":"i","ports":)") + ports + "}]");
}

TEST_CASE("NodePorts filters") {
  const Verdict yes = Verdict::yes();
  const Verdict no = Verdict::not_now("node(s) didn't have free ports for the requested pod ports");
  const std::vector<a_node> n{a_node("n")};
  const std::vector<a_pod> on_one_address{
      with_ports("a", R"([{"hostPort":80,"hostIP":"10.0.0.1"}])").on("n")};
  const std::vector<a_pod> on_all{with_ports("a", R"([{"hostPort":80}])").on("n")};
  check_all(NodePorts(),
            std::vector<FilterCase>{
                {"asks for none: skipped", n, on_all, a_pod("p"), {Verdict::skip()}},
                {"a container port is not a host port: skipped",
                 n,
                 on_all,
                 with_ports("p", R"([{"containerPort":80}])"),
                 {Verdict::skip()}},
                {"free", n, {}, a_pod("p").host_port(80), {yes}},
                {"taken", n, on_all, a_pod("p").host_port(80), {no}},
                {"taken elsewhere",
                 {a_node("n"), a_node("m")},
                 on_all,
                 a_pod("p").host_port(80),
                 {no, yes}},
                {"another number", n, on_all, a_pod("p").host_port(81), {yes}},
                {"another protocol",
                 n,
                 on_all,
                 with_ports("p", R"([{"hostPort":80,"protocol":"UDP"}])"),
                 {yes}},
                {"TCP is what is not named",
                 n,
                 on_all,
                 with_ports("p", R"([{"hostPort":80,"protocol":"TCP"}])"),
                 {no}},
                {"the same address",
                 n,
                 on_one_address,
                 with_ports("p", R"([{"hostPort":80,"hostIP":"10.0.0.1"}])"),
                 {no}},
                {"another address",
                 n,
                 on_one_address,
                 with_ports("p", R"([{"hostPort":80,"hostIP":"10.0.0.2"}])"),
                 {yes}},
                {"every address against one", n, on_one_address, a_pod("p").host_port(80), {no}},
                {"one address against every",
                 n,
                 on_all,
                 with_ports("p", R"([{"hostPort":80,"hostIP":"10.0.0.1"}])"),
                 {no}},
                {"0.0.0.0 by name",
                 n,
                 on_one_address,
                 with_ports("p", R"([{"hostPort":80,"hostIP":"0.0.0.0"}])"),
                 {no}},
                {"the second of two",
                 n,
                 on_all,
                 with_ports("p", R"([{"hostPort":79},{"hostPort":80}])"),
                 {no}},
                {"host network uses the container's port",
                 n,
                 on_all,
                 with_ports("p", R"([{"containerPort":80}])").set("spec.hostNetwork", "true"),
                 {no}},
            });
}

TEST_CASE("NodePorts is helped by a pod that had a host port") {
  const NodePorts plugin;
  const PodPtr pod = a_pod("p").host_port(80).info();
  const PodPtr plain = a_pod("a").info(), with_port = a_pod("b").host_port(80).info();
  CHECK_FALSE(plugin.helps(*pod, {event::kPodGone, nullptr, plain}));
  CHECK(plugin.helps(*pod, {event::kPodGone, nullptr, with_port}));
}

}  // namespace
}  // namespace coracle::scheduler
