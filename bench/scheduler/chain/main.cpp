// schedchain: the way of a pod through the scheduler daemon without network: the text of its watch
// event, decision, bind, its event, and the text that shows it bound, in one thread. Prints CPU
// time a pod; under `valgrind --tool=callgrind` it counts instructions, which a busy machine does
// not change.
#include <fmt/format.h>
#include <sys/resource.h>

#include "base/flags.hpp"
#include "base/log.hpp"
#include "base/manual_executor.hpp"
#include "base/strings.hpp"
#include "client/fake_api.hpp"
#include "driver/scheduler.hpp"
#include "plugins/registry.hpp"

namespace coracle::bench {
namespace {

using client::FakeApi;

double cpu_us() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return double(used.ru_utime.tv_sec) * 1e6 + double(used.ru_utime.tv_usec);
}

// As the apiserver sends it for a pod of bench/scheduler/end_to_end.
constexpr const char* kPod =
    R"({"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"VERSION","namespace":)"
    R"("bench","name":"m-NUMBER","managedFields":[{"manager":"apiload","operation":"Update",)"
    R"("apiVersion":"v1","time":"2026-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":)"
    R"({"f:spec":{"f:containers":{"k:{\"name\":\"pause\"}":{".":{},"f:image":{},)"
    R"("f:imagePullPolicy":{},"f:name":{},"f:resources":{".":{},"f:requests":{".":{},"f:cpu":{},)"
    R"("f:memory":{}}},"f:terminationMessagePath":{},"f:terminationMessagePolicy":{}}},)"
    R"("f:dnsPolicy":{},"f:enableServiceLinks":{},"f:restartPolicy":{},"f:schedulerName":{},)"
    R"("f:securityContext":{},"f:terminationGracePeriodSeconds":{},"f:tolerations":{}}}}],)"
    R"("generation":1,"uid":"4bfd7bd5-a690-41e2-83f2-NUMBER","creationTimestamp":)"
    R"("2026-01-01T00:00:00Z"},"spec":{"containers":[{"name":"pause","image":)"
    R"("registry.k8s.io/pause:3.10","resources":{"requests":{"cpu":"100m","memory":"500Mi"}},)"
    R"("imagePullPolicy":"IfNotPresent","terminationMessagePath":"/dev/termination-log",)"
    R"("terminationMessagePolicy":"File","volumeMounts":[{"name":"kube-api-access-gj8gz",)"
    R"("readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}]}],)"
    R"("tolerations":[{"operator":"Exists"}],"terminationGracePeriodSeconds":0,"dnsPolicy":)"
    R"("ClusterFirst","restartPolicy":"Always","securityContext":{},"schedulerName":)"
    R"("default-scheduler","enableServiceLinks":true,"serviceAccountName":"default",)"
    R"("serviceAccount":"default","volumes":[{"name":"kube-api-access-gj8gz","projected":)"
    R"({"defaultMode":420,"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":)"
    R"("token"}},{"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":)"
    R"("ca.crt"}]}},{"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"apiVersion":"v1",)"
    R"("fieldPath":"metadata.namespace"}}]}}]}}],"priority":0,"preemptionPolicy":)"
    R"("PreemptLowerPriority"PLACED})";
constexpr const char* kWaits = R"(,"status":{"phase":"Pending","qosClass":"Burstable"}})";
constexpr const char* kPlaced =
    R"(,"status":{"phase":"Pending","qosClass":"Burstable","conditions":[{"type":"PodScheduled",)"
    R"("status":"True","lastProbeTime":null,"lastTransitionTime":"2026-01-01T00:00:00Z"}]}})";
constexpr const char* kNode =
    R"({"type":"ADDED","object":{"kind":"Node","apiVersion":"v1","metadata":{"resourceVersion":)"
    R"("VERSION","name":"n-NUMBER","labels":{"kubernetes.io/hostname":"n-NUMBER"},"uid":)"
    R"("u-NUMBER"},"spec":{},"status":{"capacity":{"cpu":"4","memory":"32Gi","pods":"110"},)"
    R"("allocatable":{"cpu":"4","memory":"32Gi","pods":"110"},"conditions":[{"type":"Ready",)"
    R"("status":"True"}]}}})";
constexpr const char* kInitialEnd =
    R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"1","annotations":)"
    R"({"k8s.io/initial-events-end":"true"}}}})";
constexpr const char* kBound =
    R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","code":201})";

class Chain {
 public:
  explicit Chain(int nodes)
      : scheduler_(executor_, api_, Rng(7),
                   {{scheduler::default_profile()}, {}, nullptr, nullptr, {}, {}}, metrics_) {
    scheduler_.start();
    scheduler_.lead();
    executor_.run_ready();
    for (const auto& stream : api_.open_streams()) {
      api_.head(*stream);
      const std::string& target = stream->request.target;
      if (target.starts_with("/api/v1/pods?")) pods_ = stream;
      if (target.starts_with("/api/v1/nodes?")) {
        for (int i = 0; i < nodes; ++i) api_.data(*stream, line(kNode, i));
      }
      api_.data(*stream, std::string(kInitialEnd) + "\n");
    }
    CHECK(pods_ != nullptr && scheduler_.has_synced());
  }

  void pod(int number) {
    const std::string text = line(kPod, number);
    api_.data(*pods_, R"({"type":"ADDED","object":)" + placed(text, "", kWaits));
    bool bound = false;
    while (!api_.idle()) {
      const FakeApi::Call call = api_.next_call();
      if (!call.request.target.ends_with("/binding")) {
        call.reply(201, call.request.body);
        executor_.run_ready();
        continue;
      }
      call.reply(201, kBound);
      const std::string& body = call.request.body;
      const size_t name = body.find(R"("name":"n-)") + 7;  // of its target
      CHECK(name < body.size());
      const std::string node = body.substr(name, body.find('"', name + 1) + 1 - name);
      api_.data(*pods_, R"({"type":"MODIFIED","object":)" +
                            placed(text, R"(,"nodeName":)" + node, kPlaced));
      bound = true;
    }
    if (!bound) fail_startup("a pod was not bound: --nodes are too few");
  }

 private:
  std::string line(std::string_view text, int number) {
    const std::string numbered =
        replace_all(std::string(text), "NUMBER", fmt::format("{}", number));
    return replace_all(numbered, "VERSION", std::to_string(++version_)) + "\n";
  }
  static std::string placed(const std::string& pod, const std::string& node, const char* status) {
    const std::string text = replace_all(pod, "PLACED", node);
    return text.substr(0, text.size() - 1) + status + "}\n";
  }

  ManualExecutor executor_;
  FakeApi api_{executor_};
  Metrics metrics_;
  int version_ = 0;
  std::shared_ptr<FakeApi::Stream> pods_;
  scheduler::Scheduler scheduler_;
};

int run(int argc, char** argv) {
  int nodes = 5000, count = 5000;
  Flags flags("schedchain", "CPU time of a pod's way through the scheduler, without network.",
              "schedchain --nodes 5000 --count 10000");
  flags.add("--nodes", &nodes, "in the cluster");
  flags.add("--count", &count, "pods, one after the other");
  flags.parse(argc, argv);
  Chain chain(nodes);
  const double began = cpu_us();
  for (int i = 0; i < count; ++i) chain.pod(i);
  fmt::print("{:.1f} us a pod\n", (cpu_us() - began) / count);
  return 0;
}

}  // namespace
}  // namespace coracle::bench

int main(int argc, char** argv) {
  coracle::log::init("schedchain", coracle::log::Level::kWarn);
  return coracle::bench::run(argc, argv);
}
