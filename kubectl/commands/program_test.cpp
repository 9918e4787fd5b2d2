// Whole commands against a scripted server.
#include <catch2/catch.hpp>

#include <fstream>
#include <sstream>

#include "commands/commands.hpp"

namespace coracle::kubectl {
namespace {

constexpr const char* kCore = R"({"items":[{"metadata":{},"versions":[{"version":"v1","resources":[
  {"resource":"pods","responseKind":{"kind":"Pod"},"scope":"Namespaced","singularResource":"pod",
   "shortNames":["po"],"verbs":["get","list"],"categories":["all"]},
  {"resource":"events","responseKind":{"kind":"Event"},"scope":"Namespaced",
   "singularResource":"event","shortNames":["ev"],"verbs":["get","list"]},
  {"resource":"nodes","responseKind":{"kind":"Node"},"scope":"Cluster","singularResource":"node",
   "shortNames":["no"],"verbs":["get","list"]}]}]}]})";
constexpr const char* kGroups = R"({"items":[{"metadata":{"name":"apps"},"versions":[
  {"version":"v1","resources":[{"resource":"deployments","responseKind":{"kind":"Deployment"},
   "scope":"Namespaced","singularResource":"deployment","shortNames":["deploy"],
   "verbs":["get","list"],"categories":["all"]}]}]}]})";

struct Reply {
  int status = 200;
  std::string body;
};

// Answers by "METHOD path"; anything else is not found.
class ScriptedWire final : public Wire {
 public:
  ScriptedWire(std::map<std::string, Reply> replies, std::vector<std::string>* calls,
               std::vector<std::string>* bodies)
      : replies_(std::move(replies)), calls_(calls), bodies_(bodies) {}
  Result<client::ApiResponse> call(client::ApiRequest request) override {
    const std::string path = request.target.substr(0, request.target.find('?'));
    calls_->push_back(request.method + " " + request.target);
    if (!request.body.empty()) bodies_->push_back(request.body);
    const auto found = replies_.find(request.method + " " + path);
    if (found == replies_.end() && path == "/api") return client::ApiResponse{200, {}, kCore};
    if (found == replies_.end() && path == "/apis") return client::ApiResponse{200, {}, kGroups};
    if (found == replies_.end())
      return unavailable("dial tcp 1.2.3.4:6443: connect: connection refused");
    return client::ApiResponse{found->second.status, {}, found->second.body};
  }
  Result<client::ApiResponse> stream(client::ApiRequest, std::function<bool(std::string_view)>,
                                     Duration) override {
    return unavailable("no streams here");
  }
  void pause(Duration) override {}
  TimePoint now() const override { return {}; }
  WallTime wall_now() const override { return {}; }

 private:
  std::map<std::string, Reply> replies_;
  std::vector<std::string>*calls_, *bodies_;
};

struct Outcome {
  int code;
  std::string out, err;
  std::vector<std::string> bodies;  // that were sent
};

Outcome run(std::vector<std::string> words, std::map<std::string, Reply> replies = {},
            const std::string& input = {}) {
  std::vector<std::string> calls, bodies;
  std::istringstream in(input);
  std::ostringstream out, err;
  words.insert(words.begin(), {"-n", "ns"});
  const int code = run_program(all_commands(), words, Io{in, out, err},
                               std::make_unique<ScriptedWire>(std::move(replies), &calls, &bodies));
  return {code, out.str(), err.str(), bodies};
}

const std::string kPods = "GET /api/v1/namespaces/ns/pods";
const std::string kTable = R"({"kind":"Table","columnDefinitions":[
  {"name":"Name","priority":0},{"name":"Ready","priority":0},{"name":"IP","priority":1}],
  "rows":[{"cells":["web","1/1","127.0.0.1"],"object":{"metadata":{"name":"web",
  "labels":{"app":"web","tier":"x"}}}}]})";
const std::string kPodList = R"({"kind":"PodList","metadata":{},"items":[
  {"metadata":{"name":"b","namespace":"ns"}},{"metadata":{"name":"a","namespace":"ns"}}]})";

TEST_CASE("get prints tables and formats") {
  struct Case {
    std::vector<std::string> words;
    std::string body, out;
  };
  const auto c = GENERATE(values<Case>({
      {{"get", "pods"}, kTable, "NAME   READY\nweb    1/1\n"},
      {{"get", "po", "-o", "wide"}, kTable, "NAME   READY   IP\nweb    1/1     127.0.0.1\n"},
      {{"get", "pod", "--no-headers"}, kTable, "web   1/1\n"},
      {{"get", "pods", "--show-labels"},
       kTable,
       "NAME   READY   LABELS\nweb    1/1     app=web,tier=x\n"},
      {{"get", "pods", "-L", "tier"}, kTable, "NAME   READY   TIER\nweb    1/1     x\n"},
      {{"get", "pods", "-o", "name"}, kPodList, "pod/b\npod/a\n"},
      {{"get", "pods", "-o", "name", "--sort-by=.metadata.name"}, kPodList, "pod/a\npod/b\n"},
      {{"get", "pods", "-o", "jsonpath={.items[*].metadata.name}"}, kPodList, "b a"},
      {{"get", "pods", "--template={{range .items}}{{.metadata.name}}{{end}}"}, kPodList, "ba"},
      {{"get", "pods", "-o", "custom-columns=N:.metadata.name,X:.nosuch"},
       kPodList,
       "N     X\nb     <none>\na     <none>\n"},
  }));
  CAPTURE(c.words);
  const Outcome got = run(c.words, {{kPods, {200, c.body}}});
  CHECK(got.err == "");
  CHECK(got.out == c.out);
  CHECK(got.code == 0);
}

TEST_CASE("failures read as kubectl's") {
  struct Case {
    std::vector<std::string> words;
    std::string err;
  };
  const auto c = GENERATE(values<Case>({
      {{"get", "pods", "--nosuch"},
       "error: unknown flag: --nosuch\nSee 'kubectl get --help' for usage.\n"},
      {{"get", "foo"}, "error: the server doesn't have a resource type \"foo\"\n"},
      {{"get", "pod/a", "b"},
       "error: there is no need to specify a resource type as a separate argument when passing "
       "arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of "
       "'kubectl get resource resource/<resource_name>'\n"},
      {{"get", "pods", "x"}, "Error from server (NotFound): pods \"x\" not found\n"},
      {{"get", "nodes"},
       "The connection to the server 1.2.3.4:6443 was refused - did you specify the right host or "
       "port?\n"},
      {{"get", "pods", "-o", "jsonpath={.a"},
       "error: error parsing jsonpath {.a, unclosed action\n"},
      {{"get", "-f", "nosuch.yaml"}, "error: the path \"nosuch.yaml\" does not exist\n"},
      {{"get", "pods,nodes", "-w"}, "error: you may only specify a single resource type\n"},
      {{"get", "pods", "a", "b", "-w"},
       "error: watch is only supported on individual resources and resource collections - 2 "
       "resources were found\n"},
      {{"delete", "pods"}, "error: resource(s) were provided, but no name was specified\n"},
      {{"label", "pod", "web"}, "error: at least one label update is required\n"},
      {{"create", "deployment", "web"}, "error: required flag(s) \"image\" not set\n"},
  }));
  CAPTURE(c.words);
  const Outcome got =
      run(c.words,
          {{kPods + "/x",
            {404, R"({"kind":"Status","reason":"NotFound","message":"pods \"x\" not found"})"}}});
  CHECK(got.out == "");
  CHECK(got.err == c.err);
  CHECK(got.code == 1);
}

TEST_CASE("top shows what is used, most first when asked, with a sum") {
  const std::string groups =
      R"({"groups":[{"name":"metrics.k8s.io","versions":[{"version":"v1beta1"}]}]})";
  const std::string pods = R"({"items":[
    {"metadata":{"name":"a","namespace":"ns"},"containers":[
      {"name":"c","usage":{"cpu":"1500u","memory":"1Mi"}},
      {"name":"d","usage":{"cpu":"1500u","memory":"1025Ki"}}]},
    {"metadata":{"name":"b","namespace":"ns"},"containers":[
      {"name":"c","usage":{"cpu":"2","memory":"3Mi"}}]}]})";
  const std::map<std::string, Reply> replies{
      {"GET /apis", {200, groups}},
      {"GET /apis/metrics.k8s.io/v1beta1/namespaces/ns/pods", {200, pods}}};
  CHECK(run({"top", "pods"}, replies).out ==
        "NAME   CPU(cores)   MEMORY(bytes)   \n"
        "a      3m           2Mi             \n"
        "b      2000m        3Mi             \n");
  CHECK(run({"top", "po", "--sort-by=cpu", "--no-headers"}, replies).out ==
        "b     2000m   3Mi   \na     3m      2Mi   \n");
  CHECK(run({"top", "pods", "--containers", "--sum"}, replies).out ==
        "POD   NAME   CPU(cores)   MEMORY(bytes)   \n"
        "a     c      2m           1Mi             \n"
        "a     d      2m           1Mi             \n"
        "b     c      2000m        3Mi             \n"
        "             ________     ________        \n"
        "             2003m        5Mi             \n");
  const Outcome none = run({"top", "pods"}, {{"GET /apis", {200, R"({"groups":[]})"}}});
  CHECK(none.err == "error: Metrics API not available\n");
  CHECK(none.code == 1);
}

TEST_CASE("bad manifests are named with file and line") {
  struct Case {
    std::string text, err;
  };
  const auto c = GENERATE(values<Case>({
      {"apiVersion: v1\nkind: [Pod\nmetadata: {}\n",
       "error: error parsing STDIN: error converting YAML to JSON: yaml: line 3: did not find "
       "expected ',' or ']'\n"},
      {"a: b\n",
       "error: error validating \"STDIN\": error validating data: [apiVersion not set, kind not "
       "set]; if you choose to ignore these errors, turn validation off with --validate=false\n"},
      {"apiVersion: v1\nkind: Foo\nmetadata: {name: x}\n",
       "error: resource mapping not found for name: \"x\" namespace: \"\" from \"STDIN\": no "
       "matches "
       "for kind \"Foo\" in version \"v1\"\nensure CRDs are installed first\n"},
      {"apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: other}\n",
       "error: the namespace from the provided object \"other\" does not match the namespace "
       "\"ns\". You must pass '--namespace=other' to perform this operation.\n"},
  }));
  CAPTURE(c.text);
  const Outcome got = run({"apply", "-f", "-"}, {}, c.text);
  CHECK(got.err == c.err);
  CHECK(got.code == 1);
}

TEST_CASE("new objects look as kubectl's") {
  const Outcome got =
      run({"create", "deployment", "web", "--image=nginx", "--dry-run=client", "-o", "yaml"});
  CHECK(
      got.out ==
      "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  creationTimestamp: null\n  labels:\n"
      "    app: web\n  name: web\n  namespace: ns\nspec:\n  replicas: 1\n  selector:\n"
      "    matchLabels:\n"
      "      app: web\n  strategy: {}\n  template:\n    metadata:\n      creationTimestamp: null\n"
      "      labels:\n        app: web\n    spec:\n      containers:\n      - image: nginx\n"
      "        name: nginx\n        resources: {}\nstatus: {}\n");
  CHECK(run({"create", "ns", "a", "--dry-run=client"}).out == "namespace/a created (dry run)\n");
  CHECK(run({"run", "web", "--image=nginx", "--dry-run=client", "-o", "name"}).out == "pod/web\n");
  CHECK(run({"create", "rolebinding", "a", "--role=r", "--user=kit", "--dry-run=client"}).out ==
        "rolebinding.rbac.authorization.k8s.io/a created (dry run)\n");
}

TEST_CASE("why prints decisions, or what the pod says") {
  const std::string decision =
      "GET /apis/lab.coracle.dev/v1alpha1/namespaces/ns/schedulingdecisions/";
  const Reply no_events{200, R"({"kind":"EventList","metadata":{},"items":[]})"};
  std::map<std::string, Reply> replies{
      {"GET /api/v1/namespaces/ns/events", no_events},
      {kPods + "/web",
       {200, R"({"metadata":{"name":"web","uid":"u"},"spec":{"nodeName":"n2"},"status":{}})"}},
      {kPods + "/big",
       {200, R"({"metadata":{"name":"big","uid":"v"},"spec":{},"status":{"conditions":[
         {"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"a, b"}]}})"}}};
  CHECK(run({"why", "web"}, replies).out == "Pod web is on node n2.\n");
  CHECK(run({"why", "pod/big"}, replies).out ==
        "Pod big is waiting for a node: Unschedulable, for this reason:\n  a\n  b\n");
  replies[decision + "web"] = {200, R"({"metadata":{"name":"web","uid":"u"},"status":{
    "result":"Placed","nodeName":"n2","nodes":3,"nodesLookedAt":3,"filters":["Fit","Taint"],
    "verdicts":[{"node":"n1","fits":true},{"node":"n2","fits":true},
      {"node":"n3","fits":false,"noes":{"Taint":{"verdict":"Never","reasons":["tainted"]}}}],
    "scores":[{"node":"n1","total":50,"scores":[
        {"plugin":"Fit","raw":50,"normalized":50,"weight":1,"weighted":50}]},
      {"node":"n2","total":90,"scores":[
        {"plugin":"Fit","raw":90,"normalized":90,"weight":1,"weighted":90}]}]}})"};
  CHECK(
      run({"why", "web"}, replies).out ==
      "Pod web was placed on node n2: of 3 nodes, 3 were looked at and 2 fitted; this one has the "
      "highest score.\n\n"
      "NODE  TOTAL  Fit\n"
      "n2    90     90 x1\n"
      "n1    50     50 x1\n"
      "(each score is 0 to 100, times its weight; equals take turns)\n\n"
      "Nodes that do not fit:\n"
      "NODE  Taint\n"
      "n3    no (1)\n"
      "(1) tainted\n"
      "No objection from: Fit\n");
  replies[decision + "big"] = {200, R"({"metadata":{"name":"big","uid":"v"},"status":{
    "result":"FitsNowhere","message":"0/2 nodes are available.","nodes":2,"nodesLookedAt":2,
    "nominatedNodeName":"n1","victims":[{"namespace":"ns","name":"low","priority":-1}],
    "filters":["Fit","Ports"],"verdicts":[
      {"node":"n1","fits":false,"noes":{"Fit":{"verdict":"NotNow","reasons":["cpu","memory"]}}},
      {"node":"n2","fits":false,"notAsked":["Ports"],
       "noes":{"Fit":{"verdict":"NotNow","reasons":["cpu","memory"]}}}],"scores":[]}})"};
  CHECK(run({"why", "big"}, replies).out ==
        "Pod big fits on none of 2 nodes.\n\n"
        "NODE  Fit\n"
        "n1    no (1)\n"
        "n2    no (1)\n"
        "(1) cpu, memory\n"
        "Not asked about every node: Ports\n\n"
        "0/2 nodes are available.\n\n"
        "It waits for node n1, which these pods have to leave for it:\n"
        "NAMESPACE  NAME  PRIORITY\n"
        "ns         low   -1\n\n"
        "(kubectl why big --what-if: what would make it fit)\n");
  CHECK(run({"why", "big", "--summary"}, replies)
            .out.find("0 of 2 nodes looked at fit.\n"
                      "PREDICATE  NODES  REASON\n"
                      "Fit        2      cpu, memory\n") != std::string::npos);
}

const std::string kReviews = "POST /apis/lab.coracle.dev/v1alpha1/namespaces/ns/schedulingreviews";
constexpr const char* kNowhere = R"({"status":{"result":"FitsNowhere","message":"0/1.","nodes":1,
  "placed":2,"podsByNode":{"n1":2},"notAsked":["Carbon"],"filters":["Fit"],"verdicts":[
    {"node":"n1","fits":false,"noes":{"Fit":{"verdict":"NotNow","reasons":["cpu"]}}}],
  "changes":[{"text":"lower the pod's cpu request from 2 to 1","node":"n1"},
             {"text":"one more node like n1","node":"another-n1"}]}})";

TEST_CASE("why asks what would be, with changes of the pod and of a node") {
  std::map<std::string, Reply> replies{
      {kReviews, {201, kNowhere}},
      {"GET /api/v1/nodes/n1",
       {200, R"({"metadata":{"name":"n1","labels":{"kubernetes.io/hostname":"n1"}},"spec":
          {"unschedulable":true,"taints":[{"key":"node.kubernetes.io/unschedulable",
          "effect":"NoSchedule"},{"key":"a","effect":"NoExecute"}]}})"}},
      {kPods + "/web", {200, R"({"metadata":{"name":"web"},"spec":{"containers":[
         {"name":"a"},{"name":"b","resources":{"requests":{"cpu":"2"}}}]}})"}}};
  const Outcome got =
      run({"why", "web", "--set", "requests.cpu=1", "-c", "b", "--set", "nodeSelector.disk=ssd",
           "--like", "n1", "--weights", "Fit=5,Taint=0", "--without-pod", "old"},
          replies);
  CHECK(got.out ==
        "Pod web then fits on none of 1 nodes.\n\n"
        "NODE  Fit\n"
        "n1    no (1)\n"
        "(1) cpu\n\n"
        "0/1.\n\n"
        "Not asked: Carbon.\n\n"
        "What would make it fit, the smallest change first:\n"
        "CHANGE                                   NODE\n"
        "lower the pod's cpu request from 2 to 1  n1\n"
        "one more node like n1                    another-n1\n");
  REQUIRE(got.bodies.size() == 1);
  const json::value spec = parse_json(got.bodies[0])->at("spec");
  CHECK(find(spec, "pod.spec")->at("containers").at(1).at("resources").at("requests").at("cpu") ==
        "1");
  CHECK(get_string(spec, "pod.spec.nodeSelector.disk") == "ssd");
  CHECK(get_int(spec, "weights.Fit") == 5);
  CHECK(get_string(spec.at("nodes").at(0), "metadata.name") == "another-n1-1");
  CHECK(spec.at("withoutPods").at(0) == "ns/old");
  const Outcome uncordoned =
      run({"why", "web", "--node", "n1", "--uncordon", "--remove-taint", "a"}, replies);
  const json::value node = parse_json(uncordoned.bodies[0])->at("spec").at("nodes").at(0);
  CHECK(node.at("spec").at("taints").as_array().empty());
  CHECK_FALSE(get_bool(node, "spec.unschedulable"));

  const auto failure = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"why", "web"});
    return run(words, replies).err;
  };
  CHECK(failure({"--node", "n1", "--remove-taint", "b"}) == "error: node n1 has no taint b\n");
  CHECK(failure({"--set", "requests.cpu=x"}).starts_with("error: --set requests.cpu=x: "));
  CHECK(failure({"--set", "what=x"}).starts_with("error: --set what: of a pod, requests.X"));
  CHECK(failure({"--weights", "Fit=x"}).starts_with("error: --weights Fit=x: want "));
  CHECK(failure({"--uncordon"}).starts_with("error: --uncordon and --remove-taint need --node"));
  replies[kReviews] = {404, "{}"};
  CHECK(failure({"--what-if"}) ==
        "error: the schedulers of this cluster answer no questions; the lab's do: coracle up "
        "--decisions\n");
}

TEST_CASE("why places the pods of a manifest that is not applied") {
  const std::string manifest =
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: many}, spec: {replicas: 3, "
      "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: x}]}}}}";
  std::map<std::string, Reply> replies{
      {kReviews, {201, kNowhere}},
      {"POST /api/v1/namespaces/ns/pods", {201, R"({"metadata":{"name":"many"},"spec":{}})"}}};
  const Outcome got = run({"why", "-f", "-", "--summary"}, replies, manifest);
  CHECK(
      got.out.starts_with("Deployment many: 2 of 3 pods would be placed: 2 on n1.\n"
                          "Number 3: Pod many then fits on none of 1 nodes.\n"));
  REQUIRE(got.bodies.size() == 2);
  CHECK(get_string(*parse_json(got.bodies[0]), "metadata.labels.a") == "b");
  CHECK(get_int(*parse_json(got.bodies[1]), "spec.copies") == 3);
  CHECK(run({"why", "-f", "-"}, replies, "{apiVersion: v1, kind: Service, metadata: {name: s}}")
            .err == "error: STDIN: a Service makes no pods\n");
}

TEST_CASE("completion says what may follow") {
  const auto next = [](std::vector<std::string> words) {
    words.insert(words.begin(), {"__complete", "--"});
    return run(words, {{kPods, {200, kPodList}}}).out;
  };
  CHECK(next({"cor"}) == "cordon\n");
  CHECK(next({"rollout", "st"}) == "status\n");
  CHECK(next({"get", "dep"}) == "deployments\n");
  CHECK(next({"get", "pods", ""}) == "a\nb\n");
  CHECK(next({"logs", "a"}) == "a\n");
  CHECK(next({"get", "pod/"}) == "pod/a\npod/b\n");
  CHECK(next({"get", "--field"}) == "--field-selector\n");
  CHECK(run({"completion", "bash"}).out.find("complete -o default") != std::string::npos);
  CHECK(run({"completion", "fish"}).err.starts_with("error: Unsupported shell type \"fish\"."));
}

TEST_CASE("every command has help") {
  for (const Command& command : all_commands()) {
    CAPTURE(command.name);
    std::vector<std::string> words;
    std::istringstream name(command.name);
    for (std::string word; name >> word;) words.push_back(word);
    words.push_back("--help");
    const Outcome got = run(words);
    CHECK(got.code == 0);
    CHECK(got.out.find("Usage:\n  kubectl " + command.name) != std::string::npos);
  }
}

}  // namespace
}  // namespace coracle::kubectl
