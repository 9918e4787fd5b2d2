#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <filesystem>

#include "lab/credentials.hpp"
#include "lab/daemons.hpp"
#include "lab/join_objects.hpp"
#include "lab/metrics_addon.hpp"
#include "lab/network.hpp"
#include "lab/process.hpp"
#include "net/pki.hpp"

using namespace coracle;
using namespace coracle::lab;

namespace {

class TempDir {
 public:
  TempDir() {
    char pattern[] = "/tmp/coracle-lab-XXXXXX";
    path_ = mkdtemp(pattern);
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

ClusterShape a_shape() {
  ClusterShape shape;
  shape.replicas = 1;
  shape.nodes = 2;
  shape.apiservers = 2;
  shape.store_client_ports = {1001};
  shape.store_peer_ports = {1002};
  shape.apiserver_ports = {1003, 1004};
  shape.scheduler_ports = {1005};
  shape.controller_manager_ports = {1006};
  shape.kubelet_sim_port = 1007;
  shape.cluster_token = "t";
  return shape;
}

int mode_of(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 ? static_cast<int>(info.st_mode & 0777) : -1;
}

}  // namespace

TEST_CASE("a cluster's shape survives saving, a damaged file is named") {
  const TempDir temp;
  const Layout layout(temp.path() + "/lab");
  REQUIRE(layout.create().ok());
  CHECK_FALSE(layout.exists());
  REQUIRE(layout.save(a_shape()).ok());
  const auto loaded = layout.load();
  REQUIRE(loaded.ok());
  CHECK(loaded->apiserver_ports == std::vector<int>{1003, 1004});
  CHECK(loaded->cluster_token == "t");
  REQUIRE(write_file(layout.path("cluster.json"), "{\"replicas\":3}").ok());
  CHECK(layout.load().status().message().find("cluster.json is damaged") != std::string::npos);
  REQUIRE(write_file(layout.path("cluster.json"), "{").ok());
  CHECK(layout.load().status().message().find("cluster.json: line 1") != std::string::npos);
}

TEST_CASE("credentials are private, made once, and cover every node") {
  const TempDir temp;
  const Layout layout(temp.path());
  REQUIRE(layout.create().ok());
  ClusterShape shape = a_shape();
  REQUIRE(make_credentials(layout, shape).ok());
  for (const char* file : {"ca.key", "admin.key", "sa.key", "tokens.csv", "scheduler.kubeconfig"}) {
    CAPTURE(file);
    CHECK(mode_of(layout.pki(file)) == 0600);
  }
  CHECK(mode_of(layout.path("kubeconfig")) == 0600);
  CHECK(mode_of(layout.path("admin.token")) == 0600);
  const std::string token = *read_file(layout.path("admin.token"));
  const std::string server = *read_file(layout.pki("kubelet-sim-server.crt"));
  REQUIRE(make_credentials(layout, shape).ok());
  CHECK(*read_file(layout.path("admin.token")) == token);
  CHECK(*read_file(layout.pki("kubelet-sim-server.crt")) == server);
  shape.nodes = 3;
  REQUIRE(make_credentials(layout, shape).ok());
  const auto info = net::inspect_certificate(*read_file(layout.pki("kubelet-sim-server.crt")));
  REQUIRE(info.ok());
  CHECK(info->ip_addresses == std::vector<std::string>{"127.32.0.1", "127.32.0.2", "127.32.0.3"});
}

TEST_CASE("a metrics server comes with its identity, its command line and its objects") {
  const TempDir temp;
  const Layout layout(temp.path());
  REQUIRE(layout.create().ok());
  ClusterShape shape = a_shape();
  REQUIRE(make_credentials(layout, shape).ok());
  CHECK(!read_file(layout.pki("metrics-server.crt")).ok());
  shape.metrics_server_port = 4443;
  REQUIRE(layout.save(shape).ok());
  CHECK(layout.load()->metrics_server_port == 4443);
  REQUIRE(make_credentials(layout, shape).ok());
  CHECK(net::inspect_certificate(*read_file(layout.pki("metrics-server.crt")))->common_name ==
        "system:metrics-server");
  const auto commands = daemon_commands(layout, shape, "/bin");
  CHECK(commands.back().name == "metrics-server-1");
  const auto objects = metrics_objects(4443, "PEM");
  REQUIRE(objects.size() == 8);
  CHECK(get_string(objects.back().body, "metadata.name") == "v1beta1.metrics.k8s.io");
  CHECK(get_string(objects.back().body, "spec.caBundle") == "UEVN");
  CHECK(get_int(get_array(objects[6].body, "ports").at(0), "port") == 4443);
  for (const NamedObject& object : objects) {
    if (get_string(object.body, "kind").ends_with("Binding")) {
      CHECK(get_string(get_array(object.body, "subjects").at(0), "name") == kMetricsUser);
    }
  }
}

TEST_CASE("every daemon of the shape has a command line") {
  const Layout layout("/lab");
  std::vector<std::string> names;
  for (const auto& command : daemon_commands(layout, a_shape(), "/bin")) {
    names.push_back(command.name);
  }
  CHECK(names == std::vector<std::string>{"kvstore-1", "apiserver-1", "apiserver-2", "scheduler-1",
                                          "controller-manager-1", "kubelet-sim-1"});
  CHECK(node_address(256) == "127.32.1.0");
}

TEST_CASE("an embedded store has no daemon of its own") {
  const TempDir temp;
  const Layout layout(temp.path());
  REQUIRE(layout.create().ok());
  ClusterShape shape = a_shape();
  shape.store = "embedded";
  shape.replicas = 0;
  shape.store_client_ports = shape.store_peer_ports = {};
  REQUIRE(layout.save(shape).ok());
  CHECK_FALSE(layout.load().ok());  // two apiservers cannot share it
  shape.apiservers = 1;
  shape.apiserver_ports = {1003};
  REQUIRE(layout.save(shape).ok());
  REQUIRE(layout.load().ok());
  const auto commands = daemon_commands(layout, *layout.load(), "/bin");
  REQUIRE(commands.at(0).name == "apiserver-1");
  CHECK(commands[0].arguments[0] == "--embedded-store-dir");
  CHECK(commands[0].arguments[1] == layout.data("apiserver-1"));
}

TEST_CASE("with TLS to the store, members and apiservers are given its certificates") {
  const TempDir temp;
  const Layout layout(temp.path());
  REQUIRE(layout.create().ok());
  ClusterShape shape = a_shape();
  shape.store_tls = true;
  REQUIRE(layout.save(shape).ok());
  CHECK(layout.load()->store_tls);
  REQUIRE(make_credentials(layout, shape).ok());
  CHECK(store_endpoints(shape) == "https://127.0.0.1:1001");
  std::vector<std::string> files;
  for (const auto& command : daemon_commands(layout, shape, "/bin")) {
    for (const std::string& argument : command.arguments) {
      if (argument.find("/pki/store-") == std::string::npos) continue;
      CHECK(std::filesystem::exists(argument));
      files.push_back(command.name + argument.substr(argument.rfind('/')));
    }
  }
  std::vector<std::string> wanted;
  for (int port = 0; port < 2; ++port) {  // the client's and the peer's
    for (const char* file : {"/store-member.crt", "/store-member.key", "/store-ca.crt"}) {
      wanted.push_back(std::string("kvstore-1") + file);
    }
  }
  for (const char* name : {"apiserver-1", "apiserver-2"}) {
    for (const char* file : {"/store-ca.crt", "/store-client.crt", "/store-client.key"}) {
      wanted.push_back(std::string(name) + file);
    }
  }
  CHECK(files == wanted);
  const auto info = net::inspect_certificate(*read_file(layout.pki("store-member.crt")));
  REQUIRE(info.ok());
  CHECK(info->issuer_common_name == "coracle-store-ca");
  CHECK(info->ip_addresses == std::vector<std::string>{"127.0.0.1"});
}

TEST_CASE("daemons are found by their pid and program, and stopped") {
  const TempDir temp;
  const Layout layout(temp.path());
  REQUIRE(layout.create().ok());
  CHECK_FALSE(running_pid(layout, "sleep-1").has_value());
  REQUIRE(start_daemon(layout, {"sleep-1", "/usr/bin/sleep", {"100"}}).ok());
  const auto pid = running_pid(layout, "sleep-1");
  REQUIRE(pid.has_value());
  CHECK(known_daemons(layout) == std::vector<std::string>{"sleep-1"});
  // A pid file that names somebody else's process is not believed.
  REQUIRE(write_file(layout.pid_file("kvstore-1"), std::to_string(getpid())).ok());
  CHECK_FALSE(running_pid(layout, "kvstore-1").has_value());
  CHECK(stop_daemons(layout, {"sleep-1"}, std::chrono::seconds(5)).empty());
  CHECK_FALSE(running_pid(layout, "sleep-1").has_value());
  CHECK(start_daemon(layout, {"none-1", "/nonexistent/none", {}}).message().find("none") !=
        std::string::npos);
}

TEST_CASE("addresses are claimed by one lab at a time") {
  const auto first = NetworkClaim::first_free();
  REQUIRE(first.ok());
  CHECK(NetworkClaim::of(first->slot()).fd() == -1);
  const auto second = NetworkClaim::first_free();
  REQUIRE(second.ok());
  CHECK(second->slot() > first->slot());
}

TEST_CASE("the addresses of a slot") {
  const NetworkRanges documented = network_ranges(0), last = network_ranges(kNetworkSlots - 1);
  CHECK(documented.services == "127.96.0.0/12");
  CHECK(documented.dns == "127.96.0.10");
  CHECK(documented.pods == "127.128.0.0");
  CHECK(last.services == "127.111.0.0/16");
  CHECK(last.pods == "127.248.0.0");
}

TEST_CASE("what lets a node in: a token that expires, and a published CA that anybody may read") {
  const NamedObject token =
      token_secret({"abcdef", "0123456789abcdef", *parse_time("2026-01-01T12:00:00Z")});
  CHECK(token.collection == "/api/v1/namespaces/kube-system/secrets");
  CHECK(get_string(token.body, "metadata.name") == "bootstrap-token-abcdef");
  CHECK(get_string(token.body, "stringData.expiration") == "2026-01-01T12:00:00Z");
  const auto objects = join_objects("https://127.0.0.1:6443", "PEM");
  REQUIRE(objects.size() == 6);
  CHECK(get_string(objects[0].body, "data.kubeconfig").find("server: https://127.0.0.1:6443") !=
        std::string::npos);
  for (const NamedObject& object : objects) {
    CHECK_FALSE(get_string(object.body, "kind").empty());
    CHECK(object.collection.starts_with("/api"));
  }
}
