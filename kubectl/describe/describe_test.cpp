#include <catch2/catch.hpp>

#include "describe/describe.hpp"
#include "describe/pod_template.hpp"

namespace coracle::kubectl {
namespace {

json::value tree(const char* text) {
  auto parsed = parse_json(text);
  REQUIRE(parsed.ok());
  return *parsed;
}

TEST_CASE("a revision's template keeps its tabs") {
  CHECK(describe_history_template(tree(R"({
    "metadata": {"labels": {"app": "web", "pod-template-hash": "x"},
                 "annotations": {"kubernetes.io/change-cause": "to 1.26"}},
    "spec": {"containers": [{"name": "nginx", "image": "nginx:1.26"}]}})")) ==
        "  Labels:\tapp=web\n\tpod-template-hash=x\n"
        "  Annotations:\tkubernetes.io/change-cause: to 1.26\n  Containers:\n   nginx:\n"
        "    Image:\tnginx:1.26\n    Port:\t<none>\n    Host Port:\t<none>\n"
        "    Environment:\t<none>\n    Mounts:\t<none>\n  Volumes:\t<none>\n"
        "  Node-Selectors:\t<none>\n  Tolerations:\t<none>\n");
}

TEST_CASE("variables show what of the pod and its resources they take") {
  const json::value pod = tree(R"({
    "metadata": {"name": "web-1", "labels": {"tier": "a"}},
    "spec": {"containers": [{"name": "c", "image": "x",
      "resources": {"limits": {"cpu": "1500m"}, "requests": {"memory": "3Mi"}},
      "env": [
        {"name": "A", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
        {"name": "B", "valueFrom": {"fieldRef": {"apiVersion": "v1",
                                                 "fieldPath": "metadata.labels['tier']"}}},
        {"name": "C", "valueFrom": {"fieldRef": {"apiVersion": "v1",
                                                 "fieldPath": "status.podIP"}}},
        {"name": "D", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu",
                                                         "divisor": "0"}}},
        {"name": "E", "valueFrom": {"resourceFieldRef": {"resource": "requests.memory",
                                                         "divisor": "1Mi"}}},
        {"name": "F", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}}]}]}})");
  const auto shown = [&pod](const json::value* whose) {
    DescribeWriter out;
    write_containers(out, "Containers", get_array(pod, "spec.containers"), {}, "", whose);
    const std::string text = out.text();
    const size_t begin = text.find("A:"), end = text.find("    Mounts:");
    return text.substr(begin, end - begin);
  };
  CHECK(shown(&pod) ==
        "A:     web-1 (v1:metadata.name)\n      B:      (v1:metadata.labels['tier'])\n"
        "      C:      (v1:status.podIP)\n      D:     2 (limits.cpu)\n"
        "      E:     3 (requests.memory)\n      F:     node allocatable (limits.memory)\n");
  CHECK(shown(nullptr).starts_with("A:      (v1:metadata.name)\n"));
}

TEST_CASE("tolerations read as kubectl's") {
  DescribeWriter out;
  write_tolerations(out, "Tolerations",
                    tree(R"([
    {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute",
     "tolerationSeconds": 300}, {"key": "a", "value": "b"}, {"operator": "Exists"}])")
                        .as_array());
  CHECK(out.text() ==
        "Tolerations:  op=Exists\n              a=b\n"
        "              node.kubernetes.io/not-ready:NoExecute op=Exists for 300s\n");
}

TEST_CASE("events are sorted and counted") {
  const WallTime now = *parse_time("2026-01-01T01:00:00Z");
  DescribeWriter out;
  write_events(out,
               {tree(R"({"type": "Normal", "reason": "B", "message": " two ", "count": 3,
      "firstTimestamp": "2026-01-01T00:50:00Z", "lastTimestamp": "2026-01-01T00:59:00Z",
      "source": {"component": "kubelet"}})"),
                tree(R"({"type": "Warning", "reason": "A", "message": "one",
      "eventTime": "2026-01-01T00:58:00.000000Z", "reportingComponent": "scheduler"})")},
               now);
  CHECK(out.text() ==
        "Events:\n  Type     Reason  Age                From       Message\n"
        "  ----     ------  ----               ----       -------\n"
        "  Warning  A       2m                 scheduler  one\n"
        "  Normal   B       60s (x3 over 10m)  kubelet    two\n");
  DescribeWriter none;
  write_events(none, {}, now);
  CHECK(none.text() == "Events:  <none>\n");
}

}  // namespace
}  // namespace coracle::kubectl
