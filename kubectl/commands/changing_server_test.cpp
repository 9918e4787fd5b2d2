// Commands against a server whose objects change while they run. Time is the server's: it stands
// still but for the cost of a call, pauses, and watches that have nothing to tell.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <sstream>

#include "api/object.hpp"
#include "commands/commands.hpp"

namespace coracle::kubectl {
namespace {

using std::chrono::milliseconds;

constexpr const char* kCore = R"({"items":[{"metadata":{},"versions":[{"version":"v1","resources":[
  {"resource":"pods","responseKind":{"kind":"Pod"},"scope":"Namespaced","singularResource":"pod",
   "shortNames":["po"],"verbs":["get","list"],"categories":["all"]}]}]}]})";
constexpr const char* kPods = "/api/v1/namespaces/ns/pods";
constexpr Duration kCallTime = milliseconds(1);

struct Server {
  TimePoint now;
  std::map<std::string, json::value> pods;
  std::map<std::string, TimePoint> gone_at;
  std::function<void()> before_patch = [] {};
  std::vector<std::string> calls;
  int pauses = 0;

  void add_pod(const std::string& name, std::optional<Duration> lives = {}) {
    json::value pod = json::object();
    pod.as_object() = {{"apiVersion", "v1"}, {"kind", "Pod"}};
    pod.as_object()["metadata"] = {
        {"name", name}, {"namespace", "ns"}, {"uid", "uid-" + name}, {"resourceVersion", "1"}};
    pods[name] = pod;
    if (lives) gone_at[name] = now + *lives;
  }

  void pass(Duration time) {
    now += time;
    std::erase_if(pods, [this](const auto& entry) {
      const auto at = gone_at.find(entry.first);
      return at != gone_at.end() && at->second <= now;
    });
  }
};

class ServerWire final : public Wire {
 public:
  explicit ServerWire(Server& server) : server_(server) {}

  Result<client::ApiResponse> call(client::ApiRequest request) override {
    server_.pass(kCallTime);
    const std::string path = request.target.substr(0, request.target.find('?'));
    if (path == "/api") return client::ApiResponse{200, {}, kCore};
    if (path == "/apis") return client::ApiResponse{200, {}, R"({"items":[]})"};
    server_.calls.push_back(request.method);
    if (path == kPods) return list(request.target);
    const std::string name = path.substr(path.rfind('/') + 1);
    if (request.method == "PATCH") server_.before_patch();
    const auto pod = server_.pods.find(name);
    if (pod == server_.pods.end()) return failure(404, "NotFound");
    if (request.method == "GET") return client::ApiResponse{200, {}, to_json(pod->second)};
    const json::value patch = *parse_json(request.body);
    const std::string_view wanted = get_string(patch, "metadata.resourceVersion");
    if (!wanted.empty() && wanted != api::resource_version_of(pod->second)) {
      return failure(409, "Conflict");
    }
    return client::ApiResponse{200, {}, to_json(pod->second)};
  }

  // A watch of one pod: tells when it goes.
  Result<client::ApiResponse> stream(client::ApiRequest request,
                                     std::function<bool(std::string_view)> on_data,
                                     Duration limit) override {
    const std::string name = selected(request.target);
    const auto gone = server_.gone_at.find(name);
    const bool told = server_.pods.count(name) && gone != server_.gone_at.end() &&
                      gone->second - server_.now <= limit;
    const json::value last = told ? server_.pods[name] : json::value();
    server_.pass(told ? gone->second - server_.now : limit);
    if (told) on_data(to_json(json::object{{"type", "DELETED"}, {"object", last}}) + "\n");
    return client::ApiResponse{200, {}, {}};
  }

  void pause(Duration duration) override {
    ++server_.pauses;
    server_.pass(duration);
  }
  TimePoint now() const override { return server_.now; }
  WallTime wall_now() const override { return {}; }

 private:
  static std::string selected(const std::string& target) {
    const std::string mark = "metadata.name%3D";
    const size_t at = target.find(mark);
    return at == target.npos
               ? ""
               : target.substr(at + mark.size(), target.find('&', at) - at - mark.size());
  }

  Result<client::ApiResponse> list(const std::string& target) const {
    const std::string name = selected(target);
    json::array items;
    for (const auto& [key, pod] : server_.pods) {
      if (name.empty() || key == name) items.push_back(pod);
    }
    json::object list{{"kind", "PodList"}, {"metadata", {{"resourceVersion", "9"}}}};
    list["items"] = std::move(items);
    return client::ApiResponse{200, {}, to_json(list)};
  }

  static client::ApiResponse failure(int status, const std::string& reason) {
    return {status, {}, to_json(json::object{{"kind", "Status"}, {"reason", reason}})};
  }

  Server& server_;
};

struct Outcome {
  int code;
  std::string out, err;
};

Outcome run(Server& server, std::vector<std::string> words, const std::string& input = {}) {
  std::istringstream in(input);
  std::ostringstream out, err;
  words.insert(words.begin(), {"-n", "ns"});
  const int code =
      run_program(all_commands(), words, Io{in, out, err}, std::make_unique<ServerWire>(server));
  return {code, out.str(), err.str()};
}

TEST_CASE("wait for deletion looks at once and returns with the last object") {
  struct Case {
    std::string name;
    std::vector<std::pair<std::string, std::optional<Duration>>> pods;
    std::string timeout, out, err;
    Duration at_most;
  };
  const auto c = GENERATE(values<Case>({
      {"nothing is there", {}, "60s", "", "", milliseconds(20)},
      {"gone before a slower client looked",
       {{"a", milliseconds(50)}, {"b", milliseconds(90)}},
       "60s",
       "",
       "",
       milliseconds(100)},
      {"takes longer",
       {{"a", milliseconds(900)}},
       "60s",
       "pod/a condition met\n",
       "",
       milliseconds(910)},
      {"one goes at once, one later",
       {{"a", milliseconds(3000)}, {"b", milliseconds(150)}},
       "60s",
       "pod/a condition met\n",
       "",
       milliseconds(3010)},
      {"stays",
       {{"a", std::nullopt}, {"b", milliseconds(20)}},
       "1s",
       "",
       "error: timed out waiting for the condition on pods/a\n",
       milliseconds(1010)},
      {"no time to wait",
       {{"a", milliseconds(100)}},
       "0s",
       "",
       "error: timed out waiting for the condition on pods/a\n",
       milliseconds(20)},
  }));
  CAPTURE(c.name);
  Server server;
  for (const auto& [name, lives] : c.pods) server.add_pod(name, lives);
  const TimePoint start = server.now;
  const Outcome got =
      run(server, {"wait", "--for=delete", "pod", "--all", "--timeout=" + c.timeout});
  CHECK(got.out == c.out);
  CHECK(got.err == c.err);
  CHECK(got.code == (c.err.empty() ? 0 : 1));
  CHECK(server.now - start <= c.at_most);
  CHECK(server.pauses == 0);
}

TEST_CASE("diff compares with the object it read, unless that keeps changing") {
  struct Case {
    std::string name;
    int changes;  // by others, each between our look and the dry run
    int code;
    std::vector<std::string> calls;
  };
  const auto c = GENERATE(values<Case>({
      {"quiet", 0, 0, {"GET", "PATCH"}},
      {"one change", 1, 0, {"GET", "PATCH", "GET", "PATCH"}},
      {"three changes", 3, 0, {"GET", "PATCH", "GET", "PATCH", "GET", "PATCH", "GET", "PATCH"}},
      {"never quiet: the fourth time without the check, and the change shows",
       9,
       1,
       {"GET", "PATCH", "GET", "PATCH", "GET", "PATCH", "GET", "PATCH"}},
  }));
  CAPTURE(c.name);
  ::setenv("KUBECTL_EXTERNAL_DIFF", "diff -r >/dev/null", 1);
  Server server;
  server.add_pod("web");
  int version = 1;
  server.before_patch = [&] {
    if (version > c.changes) return;
    json::value& pod = server.pods["web"];
    set_path(pod, "metadata.resourceVersion", json::value(std::to_string(++version)));
    set_path(pod, "status.message", json::value("written " + std::to_string(version)));
  };
  const Outcome got =
      run(server, {"diff", "-f", "-"}, "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n");
  ::unsetenv("KUBECTL_EXTERNAL_DIFF");
  CHECK(got.err == "");
  CHECK(got.code == c.code);
  CHECK(server.calls == c.calls);
}

}  // namespace
}  // namespace coracle::kubectl
