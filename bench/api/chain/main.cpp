// apichain: the whole request chain of an apiserver without network and store: authentication to
// watch cache over a store in memory, in one thread. Prints CPU time a request; under
// `valgrind --tool=callgrind` it counts instructions, which a busy machine does not change.
#include <fmt/format.h>
#include <sys/resource.h>

#include "apiserver/testing/api_world.hpp"
#include "base/flags.hpp"
#include "base/log.hpp"

namespace coracle::bench {
namespace {

using apiserver::ApiWorld;

double cpu_us() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return double(used.ru_utime.tv_sec) * 1e6 + double(used.ru_utime.tv_usec);
}

std::string pod(const std::string& name) {
  return R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":")" + name +
         R"(","labels":{"app":"web","tier":"front"}},"spec":{"containers":[{"name":"c",)"
         R"("image":"nginx:1.27","ports":[{"containerPort":80}],"env":[{"name":"A","value":"b"}],)"
         R"("resources":{"requests":{"cpu":"100m","memory":"64Mi"}}}]}})";
}
std::string config_map(const std::string& name) {
  return apiserver::a_config_map(name, R"({"k":")" + std::string(900, 'x') + "\"}");
}

struct Work {
  const char* name;
  int before;  // ConfigMaps (works that read or patch) or pods there at the begin
  std::function<void(ApiWorld&, int)> once;
};

void expect(const std::shared_ptr<apiserver::FakeExchange>& answer, int status) {
  if (answer->status != status) fail_startup("a request failed: " + answer->body);
}

const std::string kMap = std::string(apiserver::kMaps) + "/m-0";

std::vector<Work> works() {
  using apiserver::kMaps;
  using apiserver::kPods;
  return {
      {"create-configmap", 0,
       [](ApiWorld& w, int i) {
         expect(w.call("POST", kMaps, config_map(fmt::format("c-{}", i))), 201);
       }},
      {"create-pod", 0,
       [](ApiWorld& w, int i) { expect(w.call("POST", kPods, pod(fmt::format("p-{}", i))), 201); }},
      {"bind-pod", -1,
       [](ApiWorld& w, int i) {
         const std::string name = fmt::format("p-{}", i);
         expect(w.call("POST", std::string(kPods) + "/" + name + "/binding",
                       R"({"metadata":{"name":")" + name + R"("},"target":{"name":"n"}})"),
                201);
       }},
      {"pod-status", -1,
       [](ApiWorld& w, int i) {
         expect(w.patch("strategic-merge-patch+json",
                        std::string(kPods) + fmt::format("/p-{}/status", i),
                        R"({"status":{"phase":"Running","podIP":"127.128.0.9","conditions":)"
                        R"([{"type":"Ready","status":"True"}]}})"),
                200);
       }},
      {"get", 1, [](ApiWorld& w, int) { expect(w.call("GET", kMap), 200); }},
      {"list", 1000, [](ApiWorld& w, int) { expect(w.call("GET", kMaps), 200); }},
      {"patch-merge", 1,
       [](ApiWorld& w, int i) {
         expect(w.patch("merge-patch+json", kMap, fmt::format(R"({{"data":{{"n":"{}"}}}})", i)),
                200);
       }},
      {"patch-strategic", 1,
       [](ApiWorld& w, int i) {
         expect(w.patch("strategic-merge-patch+json", kMap,
                        fmt::format(R"({{"data":{{"n":"{}"}}}})", i)),
                200);
       }},
      {"patch-apply", 1,
       [](ApiWorld& w, int i) {
         expect(w.patch("apply-patch+yaml", kMap + "?fieldManager=bench",
                        fmt::format(R"({{"apiVersion":"v1","kind":"ConfigMap",)"
                                    R"("metadata":{{"name":"m-0"}},"data":{{"n":"{}"}}}})",
                                    i)),
                200);
       }},
  };
}

int run(int argc, char** argv) {
  std::string wanted;
  int count = 2000;
  Flags flags("apichain", "CPU time of an apiserver's request chain, without network and store.",
              "apichain --work create-pod --count 5000");
  flags.add("--work", &wanted, "one of them; empty: all");
  flags.add("--count", &count, "requests");
  flags.parse(argc, argv);
  bool known = false;
  for (const Work& work : works()) {
    if (!wanted.empty() && wanted != work.name) continue;
    known = true;
    ApiWorld world;
    apiserver::RecentTrees::compare_each = false;
    const int n = work.before == 1000 ? std::max(1, count / 100) : count;
    for (int i = 0; i < work.before; ++i) {
      expect(world.call("POST", apiserver::kMaps, config_map(fmt::format("m-{}", i))), 201);
    }
    for (int i = 0; work.before < 0 && i < n; ++i) {
      expect(world.call("POST", apiserver::kPods, pod(fmt::format("p-{}", i))), 201);
    }
    const double began = cpu_us();
    for (int i = 0; i < n; ++i) work.once(world, i);
    fmt::print("{:18}{:10.1f} us a request\n", work.name, (cpu_us() - began) / n);
  }
  if (!known) fail_startup("--work: there is no \"" + wanted + "\"");
  return 0;
}

}  // namespace
}  // namespace coracle::bench

int main(int argc, char** argv) {
  coracle::log::init("apichain", coracle::log::Level::kWarn);
  return coracle::bench::run(argc, argv);
}
