#include "kubelet/node_logs.hpp"

#include <catch2/catch.hpp>

#include "base/yaml.hpp"

using namespace coracle;
using namespace coracle::kubelet;

TEST_CASE("a node's logs are folders and files") {
  LogBuffer now, before;
  now.push_back({WallTime() + std::chrono::seconds(1), "hello", true});
  now.push_back({WallTime() + std::chrono::seconds(2), "half", false});
  const NodeLogs logs{{"containers/p_ns_c-12.log", &now},
                      {"pods/ns_p_u/c/1.log", &now},
                      {"pods/ns_p_u/c/0.log", &before}};
  const std::string head =
      "<!doctype html>\n<meta name=\"viewport\" content=\"width=device-width\">\n<pre>\n";
  CHECK(log_page(logs, "").body ==
        head + "<a href=\"containers/\">containers/</a>\n<a href=\"pods/\">pods/</a>\n</pre>\n");
  CHECK(log_page(logs, "").type == "text/html; charset=utf-8");
  CHECK(log_page({}, "").body == log_page(logs, "").body);
  CHECK(log_page({}, "pods/").body == head + "</pre>\n");
  CHECK(log_page(logs, "pods/ns_p_u/c/").body ==
        head + "<a href=\"0.log\">0.log</a>\n<a href=\"1.log\">1.log</a>\n</pre>\n");
  CHECK(log_page(logs, "pods/ns_p_u/c/1.log").body ==
        "1970-01-01T00:00:01.000000000Z stdout F hello\n"
        "1970-01-01T00:00:02.000000000Z stdout P half\n");
  CHECK(log_page(logs, "pods/ns_p_u").status == 301);
  CHECK(log_page(logs, "pods/ns_p_u").body == "ns_p_u/");
  CHECK(log_page(logs, "pods").body == "pods/");
  CHECK(log_page(logs, "pods/ns").status == 404);
  CHECK(log_page(logs, "syslog").status == 404);
}

TEST_CASE("the files of a pod's containers are its runs") {
  const ImageCatalog images = ImageCatalog::builtin();
  json::value pod =
      *parse_yaml_one(R"({metadata: {name: p, namespace: ns, uid: u}, spec: {containers: [
      {name: c, image: busybox, command: [sh, -c, 'echo out; exit 1']}, {name: late, image: x}]}})");
  Instant now{TimePoint(), WallTime()};
  PodMachine machine(pod, {"127.32.0.1", "127.128.0.1"}, images, now);
  PodStep seen;
  machine.observe(pod, now, &seen);
  for (auto next = machine.step(now).next; next && *next < TimePoint() + std::chrono::seconds(9);
       next = machine.step(now).next) {
    now = now.at(*next);
  }
  pod.get_object()["status"] = machine.status(now);
  json::array& all = *pod.get_object()["status"].get_object()["containerStatuses"].if_array();
  all[1].get_object().erase("containerID");
  NodeLogs logs;
  add_pod_logs(pod, machine, &logs);
  CHECK(logs.size() == 3);
  CHECK(logs.contains("pods/ns_p_u/c/0.log"));
  CHECK(logs.contains("pods/ns_p_u/c/1.log"));
  CHECK(log_page(logs, "pods/ns_p_u/c/1.log").body.ends_with(" stdout F out\n"));
}
