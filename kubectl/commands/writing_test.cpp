// What commands that change objects send, and what they can do without a server.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "commands/commands.hpp"

namespace coracle::kubectl {
namespace {

constexpr const char* kCore = R"({"items":[{"metadata":{},"versions":[{"version":"v1","resources":[
  {"resource":"pods","responseKind":{"kind":"Pod"},"scope":"Namespaced","singularResource":"pod",
   "shortNames":["po"],"verbs":["get","list"]},
  {"resource":"configmaps","responseKind":{"kind":"ConfigMap"},"scope":"Namespaced",
   "singularResource":"configmap","shortNames":["cm"],"verbs":["get","list"]}]}]}]})";

// Keeps what was sent; answers by "METHOD path".
class RecordingWire final : public Wire {
 public:
  RecordingWire(std::map<std::string, std::string> replies, std::vector<std::string>* sent)
      : replies_(std::move(replies)), sent_(sent) {}
  Result<client::ApiResponse> call(client::ApiRequest request) override {
    const std::string path = request.target.substr(0, request.target.find('?'));
    if (path == "/api") return client::ApiResponse{200, {}, kCore};
    if (path == "/apis") return client::ApiResponse{200, {}, R"({"items":[]})"};
    if (request.method != "GET") sent_->push_back(request.method + " " + path + " " + request.body);
    const auto found = replies_.find(request.method + " " + path);
    if (found != replies_.end()) return client::ApiResponse{200, {}, found->second};
    if (request.method == "POST") return client::ApiResponse{201, {}, request.body};
    return client::ApiResponse{
        404, {}, R"({"kind":"Status","reason":"NotFound","message":"not found"})"};
  }
  Result<client::ApiResponse> stream(client::ApiRequest, std::function<bool(std::string_view)>,
                                     Duration) override {
    return unavailable("no streams here");
  }
  void pause(Duration) override {}
  TimePoint now() const override { return {}; }
  WallTime wall_now() const override { return {}; }

 private:
  std::map<std::string, std::string> replies_;
  std::vector<std::string>* sent_;
};

struct Outcome {
  int code;
  std::string out, err;
  std::vector<std::string> sent;
};

Outcome run(std::vector<std::string> words, std::map<std::string, std::string> replies = {},
            const std::string& input = {}) {
  Outcome got;
  std::istringstream in(input);
  std::ostringstream out, err;
  words.insert(words.begin(), {"-n", "ns"});
  got.code = run_program(all_commands(), words, Io{in, out, err},
                         std::make_unique<RecordingWire>(std::move(replies), &got.sent));
  got.out = out.str();
  got.err = err.str();
  return got;
}

const std::string kMaps = "/api/v1/namespaces/ns/configmaps";
const std::string kPod = R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"web",
  "namespace":"ns","labels":{"a":"1"}},"spec":{"containers":[{"name":"c","image":"x",
  "env":[{"name":"A","value":"1"},{"name":"B","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}},
  {"name":"C","valueFrom":{"configMapKeyRef":{"name":"m","key":"k"}}}]}]}})";

std::string a_map(const std::string& name, const std::string& more = "") {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\n" + more;
}
std::string applied_map(const std::string& name, const std::string& uid, bool applied = true) {
  return R"({"metadata":{"name":")" + name + R"(","namespace":"ns","uid":")" + uid + "\"" +
         (applied ? R"(,"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}"})"
                  : "") +
         "}}";
}

TEST_CASE("--record writes the command line into what is changed") {
  const std::string pod = "/api/v1/namespaces/ns/pods/web";
  const Outcome got = run({"label", "pod", "web", "b=2", "--record"},
                          {{"GET " + pod, kPod}, {"PATCH " + pod, kPod}});
  CHECK(got.code == 0);
  REQUIRE(got.sent.size() == 1);
  CHECK(got.sent[0].find(R"("kubernetes.io/change-cause":"kubectl label pod web b=2 )"
                         R"(--namespace=ns --record=true")") != std::string::npos);
  CHECK(got.err.find("Flag --record has been deprecated") == 0);
}

TEST_CASE("--local changes what a file says and asks no server") {
  struct Case {
    std::vector<std::string> words;
    std::string out;
  };
  const auto c = GENERATE(values<Case>({
      {{"label", "b=2", "-o", "jsonpath={.metadata.labels}"}, R"({"a":"1","b":"2"})"},
      {{"annotate", "b=2", "-o", "jsonpath={.metadata.annotations}"}, R"({"b":"2"})"},
      {{"patch", "-p", R"({"spec":{"containers":[{"name":"c","image":"y"}]}})", "-o",
        "jsonpath={.spec.containers[*].image}"},
       "y"},
      {{"set", "image", "c=z", "-o", "jsonpath={.spec.containers[*].image}"}, "z"},
      {{"set", "env", "A-", "B-", "-o", "jsonpath={.spec.containers[*].env[*].name}"}, "C"},
  }));
  CAPTURE(c.words);
  std::vector<std::string> words = c.words;
  words.insert(words.end(), {"--local", "-f", "-"});
  const Outcome got = run(words, {}, kPod);
  CHECK(got.err == "");
  CHECK(got.out == c.out);
  CHECK(got.sent.empty());
}

TEST_CASE("--local has nothing to do with objects of the server") {
  const Outcome got = run({"label", "pod", "web", "b=2", "--local"});
  CHECK(got.code == 1);
  CHECK(got.err.find("error: you must specify resources by --filename when --local is set.") == 0);
}

TEST_CASE("one bad document does not keep the others from being sent") {
  const std::string text = a_map("one") + "---\napiVersion: x.org/v1\nkind: Boat\nmetadata:\n" +
                           "  name: b\n---\napiVersion: v1\nind: Pod\n---\n" + a_map("two");
  const Outcome got = run({"create", "-f", "-"}, {}, text);
  CHECK(got.code == 1);
  CHECK(got.out == "configmap/one created\nconfigmap/two created\n");
  CHECK(got.err.find("no matches for kind \"Boat\" in version \"x.org/v1\"") != std::string::npos);
  CHECK(got.err.find("error validating data: kind not set") != std::string::npos);
  const Outcome asked = run({"label", "-f", "-", "a=b"}, {}, text);
  CHECK(asked.err.find("unable to decode \"STDIN\": Object 'Kind' is missing in "
                       "'{\"apiVersion\":\"v1\",\"ind\":\"Pod\"}'") != std::string::npos);
}

TEST_CASE("what is created has no version, and only the selected is created") {
  const std::string text =
      a_map("one", "  resourceVersion: \"5\"\n  labels: {a: b}\n") + "---\n" + a_map("two");
  const Outcome got = run({"create", "-f", "-", "-l", "a=b"}, {}, text);
  CHECK(got.out == "configmap/one created\n");
  REQUIRE(got.sent.size() == 1);
  CHECK(got.sent[0].find("resourceVersion") == std::string::npos);
}

TEST_CASE("apply --prune deletes what was applied before and is no more in the files") {
  const std::map<std::string, std::string> replies = {
      {"GET " + kMaps, R"({"items":[)" + applied_map("old", "u1") + "," +
                           applied_map("mine", "u2") + "," + applied_map("hand", "u3", false) +
                           "]}"},
      {"POST " + kMaps, applied_map("mine", "u2")},
      {"DELETE " + kMaps + "/old", "{}"}};
  const Outcome got = run({"apply", "--prune", "-l", "a=b", "--prune-allowlist=core/v1/ConfigMap",
                           "-o", "name", "-f", "-"},
                          replies, a_map("mine", "  labels: {a: b}\n"));
  CHECK(got.err == "");
  REQUIRE(got.sent.size() == 2);
  CHECK(got.sent[1].starts_with("DELETE " + kMaps + "/old "));
  const Outcome all = run({"apply", "--prune", "-f", "-"}, replies, a_map("mine"));
  CHECK(all.code == 1);
  CHECK(all.err.find("all resources selected for prune without explicitly passing --all") !=
        std::string::npos);
  CHECK(all.sent.empty());
}

TEST_CASE("set env lists, and takes what a configmap has") {
  const std::string pod = "/api/v1/namespaces/ns/pods/web";
  const std::map<std::string, std::string> replies = {
      {"GET " + pod, kPod},
      {"PATCH " + pod, kPod},
      {"GET " + kMaps + "/m", R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},)"
                              R"("data":{"k":"v","log.level":"info"}})"}};
  CHECK(run({"set", "env", "pod/web", "--list"}, replies).out ==
        "# Pod web, container c\nA=1\n# B from secret s, key k\n# C from configmap m, key k\n");
  CHECK(run({"set", "env", "pod/web", "--list", "--resolve"}, replies).out ==
        "# Pod web, container c\nA=1\n# B from secret s, key k\nC=v\n");
  const Outcome got = run({"set", "env", "pod/web", "--from=cm/m", "--prefix=P_"}, replies);
  CHECK(got.err == "Warning: key log.level transferred to LOG_LEVEL\n");
  REQUIRE(got.sent.size() == 1);
  for (const char* part : {R"("name":"P_K")", R"("name":"P_LOG_LEVEL")", R"("key":"log.level")"}) {
    CHECK(got.sent[0].find(part) != std::string::npos);
  }
  CHECK(run({"set", "env", "pod/web", "A=2", "-c", "nosuch"}, replies).err ==
        "error: unable to find container named nosuch\n");
}

TEST_CASE("apply set-last-applied writes the annotation and nothing else") {
  const std::string target = kMaps + "/m";
  const std::map<std::string, std::string> replies = {{"GET " + target, applied_map("m", "u")},
                                                      {"PATCH " + target, applied_map("m", "u")}};
  const Outcome got = run({"apply", "set-last-applied", "-f", "-"}, replies, a_map("m"));
  REQUIRE(got.sent.size() == 1);
  CHECK(got.sent[0].starts_with("PATCH " + target + R"( {"metadata":{"annotations":{)"));
  const Outcome never = run({"apply", "set-last-applied", "-f", "-"},
                            {{"GET " + target, applied_map("m", "u", false)}}, a_map("m"));
  CHECK(never.err ==
        "error: no last-applied-configuration annotation found on resource: m, to create the "
        "annotation, run the command with --create-annotation\n");
}

TEST_CASE("flags that need another are refused") {
  struct Case {
    std::vector<std::string> words;
    std::string err;
  };
  const auto c = GENERATE(values<Case>({
      {{"replace", "-f", "-", "--timeout=1s"}, "error: --timeout must have --force specified\n"},
      {{"replace", "-f", "-", "--grace-period=1"},
       "error: --grace-period must have --force specified\n"},
      {{"delete", "pods", "--all", "-l", "a=b"},
       "error: setting 'all' parameter but found a non empty selector. \n"},
      {{"exec", "cm/m", "--", "date"},
       "error: cannot attach to *v1.ConfigMap: selector for *v1.ConfigMap not implemented\n"},
      {{"auth", "can-i", "get", "/logs/", "--subresource=log"},
       "error: --subresource can not be used with NonResourceURL\n"},
      {{"drain", "one", "--selector=a=b"},
       "error: cannot specify both a node name and a --selector option\nSee 'kubectl drain -h' for "
       "help and examples\n"},
      {{"create", "role", "r", "--verb=get", "--resource=boats.org/scale"},
       "the server doesn't have a resource type \"boats\" in group \"org\"\n"},
      {{"set", "env", "pod/web", "--keys=a"},
       "error: when specifying --keys, a configmap or secret must be provided with --from\n"},
  }));
  CAPTURE(c.words);
  const Outcome got =
      run(c.words,
          {{"GET " + kMaps + "/m",
            R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m","namespace":"ns"}})"}},
          a_map("m"));
  CHECK(got.code == 1);
  CHECK(got.err == c.err);
  CHECK(got.sent.empty());
}

TEST_CASE("a file is enough to expose what it describes") {
  const std::string name(70, 'x');
  const std::string text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name +
                           "}\nspec: {template: {}}\n";
  const Outcome refused = run({"expose", "-f", "-", "--port=80"}, {}, text);
  CHECK(refused.err.find("no matches for kind") != std::string::npos);  // no apps here
  const std::string pod =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + ", labels: {a: b}}\n";
  const Outcome got =
      run({"expose", "-f", "-", "--port=80", "--dry-run=client", "-o", "name"}, {}, pod);
  CHECK(got.out == "service/" + std::string(63, 'x') + "\n");
}

TEST_CASE("create --edit sends what the editor left, and nothing when it left all") {
  ::setenv("KUBE_EDITOR", "sed -i s/mock/edited/g", 1);
  const Outcome got =
      run({"create", "--edit", "-f", "-"}, {}, a_map("mock") + "---\n" + a_map("m"));
  CHECK(got.out == "configmap/edited created\nEdit cancelled, no changes made.\n");
  CHECK(got.sent.size() == 1);
  CHECK(run({"create", "--edit", "--raw", "/x", "-f", "-"}, {}, "{}").err ==
        "error: --raw and --edit are mutually exclusive\n");
  ::unsetenv("KUBE_EDITOR");
}

TEST_CASE("diff says by its code whether there are differences or it failed") {
  const std::string same = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m",)"
                           R"("namespace":"ns"},"data":{"a":"1"}})";
  std::string other = same;
  other.replace(other.find("\"1\""), 3, "\"2\"");
  const std::string target = kMaps + "/m";
  const std::string text = a_map("m");
  const auto code = [&](const std::string& merged) {
    return run({"diff", "-f", "-"}, {{"GET " + target, same}, {"PATCH " + target, merged}}, text)
        .code;
  };
  ::setenv("KUBECTL_EXTERNAL_DIFF", "diff -u -N > /dev/null", 1);
  CHECK(code(same) == 0);
  CHECK(code(other) == 1);
  CHECK(run({"diff", "-f", "-"}, {}, "a: b\n").code == 2);
  ::unsetenv("KUBECTL_EXTERNAL_DIFF");
}

TEST_CASE("plugins are the programs kubectl-* of PATH") {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / "coracle-plugins-test";
  fs::remove_all(folder);
  fs::create_directories(folder);
  const std::string before = std::getenv("PATH");
  ::setenv("PATH", folder.c_str(), 1);
  CHECK(run({"plugin", "list"}).err == "error: unable to find any kubectl plugins in your PATH\n");
  std::ofstream(folder / "kubectl-hello") << "#!/bin/sh\n";
  const Outcome plain = run({"plugin", "list", "--name-only"});
  CHECK(plain.out == "The following compatible plugins are available:\n\nkubectl-hello\n");
  CHECK(plain.err.find("identified as a kubectl plugin, but it is not executable") !=
        std::string::npos);
  fs::permissions(folder / "kubectl-hello", fs::perms::owner_all);
  CHECK(run({"plugin", "list"}).code == 0);
  ::setenv("PATH", before.c_str(), 1);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace coracle::kubectl
