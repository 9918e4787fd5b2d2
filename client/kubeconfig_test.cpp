#include "client/kubeconfig.hpp"

#include <stdlib.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace coracle::client {
namespace {

namespace fs = std::filesystem;

const char* const kText = R"(apiVersion: v1
kind: Config
current-context: main
clusters:
- name: c1
  cluster:
    server: https://127.0.0.1:6443
    certificate-authority: pki/ca.crt
- name: c2
  cluster:
    server: https://10.0.0.1:6443
    insecure-skip-tls-verify: true
    tls-server-name: kubernetes
contexts:
- name: main
  context: {cluster: c1, user: admin}
- name: other
  context: {cluster: c2, user: robot, namespace: shop}
- name: broken
  context: {cluster: nowhere, user: admin}
users:
- name: admin
  user:
    client-certificate-data: Q0VSVA==
    client-key-data: S0VZ
- name: robot
  user:
    token: secret
    unknown-field: kept
)";

class Dir {
 public:
  Dir() {
    std::string pattern = (fs::temp_directory_path() / "coracle-config-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()));
    path = pattern;
  }
  ~Dir() { fs::remove_all(path); }
  std::string write(const std::string& name, const std::string& text) const {
    const fs::path file = fs::path(path) / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return file.string();
  }
  std::string read(const std::string& name) const {
    std::ifstream file(path + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  std::string path;
};

TEST_CASE("a context resolves to server, credentials and namespace") {
  Dir dir;
  dir.write("pki/ca.crt", "CA");
  const auto config = Kubeconfig::load(dir.write("config", kText), "", "");
  REQUIRE(config.ok());
  const auto main = config->resolve();
  REQUIRE(main.ok());
  CHECK(main->servers == std::vector<std::string>{"https://127.0.0.1:6443"});
  CHECK(main->ca_pem == "CA");  // relative to the file
  CHECK(main->cert_pem == "CERT");
  CHECK(main->key_pem == "KEY");
  CHECK(main->namespace_name == "default");
  const auto other = config->resolve({.context = "other"});
  REQUIRE(other.ok());
  CHECK(other->token == "secret");
  CHECK(other->insecure_skip_tls_verify);
  CHECK(other->tls_server_name == "kubernetes");
  CHECK(other->namespace_name == "shop");
  const auto changed =
      config->resolve({.user = "robot", .namespace_name = "x", .server = "http://a"});
  REQUIRE(changed.ok());
  CHECK(changed->token == "secret");
  CHECK(changed->namespace_name == "x");
  CHECK(changed->servers == std::vector<std::string>{"http://a"});
}

TEST_CASE("what cannot be resolved is named as kubectl names it") {
  const auto config = Kubeconfig::parse(kText, "/nowhere/config");
  REQUIRE(config.ok());
  const auto error = [&](const ConfigOverrides& o) {
    return config->resolve(o).status().message();
  };
  CHECK(error({.context = "none"}) == "context was not found for specified context: none");
  CHECK(error({.context = "broken"}) == "cluster \"nowhere\" does not exist");
  CHECK(error({.context = "other", .user = "x"}) == "auth info \"x\" does not exist");
  CHECK(error({}) ==
        "unable to read certificate-authority /nowhere/pki/ca.crt for c1 due to open "
        "/nowhere/pki/ca.crt: no such file or directory");
  const auto dangling = Kubeconfig::parse("current-context: gone");
  CHECK(dangling->resolve().status().message() ==
        "context was not found for specified context: gone");
  CHECK(Kubeconfig::load("/nowhere/config", "", "").status().message() ==
        "stat /nowhere/config: no such file or directory");
  const auto bad = Kubeconfig::parse("a: [", "/x");
  CHECK(bad.status().message().starts_with("error loading config file \"/x\": yaml: "));
  const auto both = Kubeconfig::parse(
      "clusters: [{name: c, cluster: {certificate-authority-data: Q0E=, "
      "insecure-skip-tls-verify: true}}]");
  CHECK(both->resolve({.cluster = "c"}).status().message() ==
        "specifying a root certificates file with the insecure flag is not allowed");
}

TEST_CASE("no file at all means kubectl's last resort") {
  const auto config = Kubeconfig::load("", "", "/nowhere");
  REQUIRE(config.ok());
  CHECK(config->resolve()->servers == std::vector<std::string>{"http://localhost:8080"});
  CHECK(config->current_context().empty());
}

TEST_CASE("files of KUBECONFIG merge: the first to name a thing wins, missing files are skipped") {
  Dir dir;
  const std::string one = dir.write("one", R"(
clusters: [{name: c, cluster: {server: "https://one"}}]
contexts: [{name: k, context: {cluster: c, user: ""}}]
)");
  const std::string two = dir.write("two", R"(
current-context: k
clusters: [{name: c, cluster: {server: "https://two"}}, {name: d, cluster: {server: "https://d"}}]
)");
  const auto config = Kubeconfig::load("", one + ":/nowhere/at/all::" + two, "");
  REQUIRE(config.ok());
  CHECK(config->resolve()->servers == std::vector<std::string>{"https://one"});
  CHECK(config->names("clusters") == std::vector<std::string>{"c", "d"});
}

TEST_CASE("changes go to the file a thing is in, and keep what they do not know") {
  Dir dir;
  const std::string one = dir.write("one", "clusters: [{name: c, cluster: {server: a, odd: 1}}]");
  const std::string two = dir.write("two", kText);
  auto config = Kubeconfig::load("", one + ":" + two, "");
  REQUIRE(config.ok());
  config->set_entry("clusters", "c", {{"server", "https://new"}});
  config->set_entry("users", "fresh", {{"token", "t"}});
  REQUIRE(config->use_context("other").ok());
  REQUIRE(config->set_property("contexts.other.namespace", "stage").ok());
  REQUIRE(config->rename_context("main", "home").ok());
  REQUIRE(config->save().ok());
  CHECK(dir.read("one") ==
        "apiVersion: v1\nclusters:\n- cluster:\n    odd: 1\n    server: https://new\n  name: c\n"
        "contexts: []\nkind: Config\nusers:\n- name: fresh\n  user:\n    token: t\n");
  struct stat info{};
  REQUIRE(stat(one.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  const auto again = Kubeconfig::load("", one + ":" + two, "");
  REQUIRE(again.ok());
  CHECK(again->current_context() == "other");
  CHECK(again->resolve()->namespace_name == "stage");
  CHECK(again->has("contexts", "home"));
  CHECK_FALSE(again->has("contexts", "main"));
  CHECK(again->entry("users", "robot")->contains("unknown-field"));
}

TEST_CASE("config set, unset and their complaints") {
  auto config = Kubeconfig::parse(kText);
  REQUIRE(config.ok());
  CHECK(config->set_property("clusters.c2.insecure-skip-tls-verify", "false").ok());
  CHECK((*config->entry("clusters", "c2")).at("insecure-skip-tls-verify") == false);
  CHECK(config->set_property("clusters.c2.insecure-skip-tls-verify", "maybe").message() ==
        "strconv.ParseBool: parsing \"maybe\": invalid syntax");
  CHECK_FALSE(config->set_property("nonsense", "x").ok());
  CHECK(config->unset_property("users.robot.token").ok());
  CHECK_FALSE(config->entry("users", "robot")->contains("token"));
  CHECK(config->unset_property("users.robot").ok());
  CHECK_FALSE(config->has("users", "robot"));
  CHECK(config->unset_property("current-context").ok());
  CHECK(config->current_context().empty());
  CHECK(config->use_context("none").message() == "no context exists with the name: \"none\"");
}

TEST_CASE("view hides secrets; minify keeps one context; flatten takes files in") {
  Dir dir;
  dir.write("pki/ca.crt", "CA");
  const auto config = Kubeconfig::load(dir.write("config", kText), "", "");
  REQUIRE(config.ok());
  const std::string shown = to_json(config->redacted());
  CHECK(shown.find("secret") == std::string::npos);
  CHECK(shown.find("\"client-key-data\":\"DATA+OMITTED\"") != std::string::npos);
  CHECK(shown.find("\"token\":\"REDACTED\"") != std::string::npos);
  const auto small = config->minified();
  REQUIRE(small.ok());
  CHECK(get_array(*small, "clusters").size() == 1);
  CHECK(get_array(*small, "users").size() == 1);
  const auto flat = config->flattened();
  REQUIRE(flat.ok());
  CHECK(to_json(*flat).find("\"certificate-authority-data\":\"Q0E=\"") != std::string::npos);
  CHECK(to_json(*flat).find("\"certificate-authority\":") == std::string::npos);
}

}  // namespace
}  // namespace coracle::client
