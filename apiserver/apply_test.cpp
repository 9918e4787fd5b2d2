// Who owns which field: every write records it, server-side apply acts on it.
#include <catch2/catch.hpp>

#include "apiserver/testing/api_world.hpp"

namespace coracle::apiserver {
namespace {

const std::string kDeployments = "/apis/apps/v1/namespaces/a/deployments";
const std::string kWeb = kDeployments + "/web";

std::string a_deployment(const std::string& spec_more = "") {
  return R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{)"
         R"("selector":{"matchLabels":{"app":"w"}},"template":{"metadata":{"labels":{"app":"w"}},)"
         R"("spec":{"containers":[{"name":"c","image":"i"}]}})" +
         spec_more + "}}";
}

std::string with_spec(const std::string& spec) {
  return R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":)" + spec +
         "}";
}

// "manager Operation[/subresource] fields" of each entry.
std::vector<std::string> owners(const json::value& object) {
  std::vector<std::string> out;
  for (const json::value& entry : get_array(object, "metadata.managedFields")) {
    std::string line(get_string(entry, "manager"));
    line.append(" ").append(get_string(entry, "operation"));
    const std::string_view sub = get_string(entry, "subresource");
    if (!sub.empty()) line.append("/").append(sub);
    line.append(" ").append(to_json(*find(entry, "fieldsV1")));
    out.push_back(line);
  }
  return out;
}

std::shared_ptr<FakeExchange> apply(ApiWorld& w, const std::string& path, const std::string& body,
                                    const std::string& manager, const std::string& more = "") {
  return w.patch("apply-patch+yaml", path + "?fieldManager=" + manager + more, body);
}

std::string message(const std::shared_ptr<FakeExchange>& answer) {
  return std::string(get_string(ApiWorld::tree(answer), "message"));
}

using Lines = std::vector<std::string>;

TEST_CASE("a create owns what it says and its defaults, not what admission adds") {
  ApiWorld w;
  const auto made = w.call("POST", kDeployments + "?fieldManager=kubectl-create", a_deployment());
  REQUIRE(made->status == 201);
  const json::value object = w.tree(made);
  CHECK(owners(object) ==
        Lines{R"(kubectl-create Update {"f:spec":{"f:progressDeadlineSeconds":{},"f:replicas":{},)"
              R"("f:revisionHistoryLimit":{},"f:selector":{},"f:strategy":{"f:rollingUpdate":)"
              R"({".":{},"f:maxSurge":{},"f:maxUnavailable":{}},"f:type":{}},"f:template":)"
              R"({"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:containers":)"
              R"({"k:{\"name\":\"c\"}":{".":{},"f:image":{},"f:imagePullPolicy":{},"f:name":{},)"
              R"("f:resources":{},"f:terminationMessagePath":{},"f:terminationMessagePolicy":{}}},)"
              R"("f:dnsPolicy":{},"f:restartPolicy":{},"f:schedulerName":{},)"
              R"("f:securityContext":{},"f:terminationGracePeriodSeconds":{}}}}})"});
  const json::value& entry = get_array(object, "metadata.managedFields")[0];
  CHECK(get_string(entry, "apiVersion") == "apps/v1");
  CHECK(get_string(entry, "fieldsType") == "FieldsV1");
  CHECK(get_string(entry, "time") == format_time(w.executor.wall_now()));
  const json::value pod = w.tree(w.call("POST", kPods, a_pod("p")));
  CHECK(owners(pod)[0].find("tolerations") == std::string::npos);
  CHECK(owners(pod)[0].find("f:status") == std::string::npos);
}

TEST_CASE("the manager is the fieldManager, or the program's name") {
  ApiWorld w;
  const auto name_of = [&](const std::string& target, const std::string& agent) {
    const auto made =
        w.call("POST", target, R"({"metadata":{"generateName":"m-"},"data":{"k":"v"}})",
               {{"User-Agent", agent}});
    REQUIRE(made->status == 201);
    return std::string(get_string(get_array(w.tree(made), "metadata.managedFields")[0], "manager"));
  };
  CHECK(name_of(std::string(kMaps) + "?fieldManager=me", "kubectl/v1.32 (linux)") == "me");
  CHECK(name_of(kMaps, "kubectl/v1.32 (linux)") == "kubectl");
  CHECK(name_of(kMaps, "") == "unknown");
  CHECK(name_of(kMaps, std::string(200, 'x')) == std::string(128, 'x'));
  const auto long_name =
      w.call("POST", std::string(kMaps) + "?fieldManager=" + std::string(129, 'x'), "{}");
  CHECK(long_name->status == 422);
}

TEST_CASE("an update takes what it changes, a status write is told apart") {
  ApiWorld w;
  REQUIRE(w.call("POST", kMaps, a_config_map("m", R"({"a":"1","b":"2"})"), {{"User-Agent", "one"}})
              ->status == 201);
  const std::string path = std::string(kMaps) + "/m";
  const json::value changed =
      w.tree(w.call("PATCH", path, R"({"data":{"a":"9","b":null,"c":"3"}})",
                    {{"User-Agent", "two"}, {"Content-Type", "application/merge-patch+json"}}));
  CHECK(owners(changed) ==
        Lines{R"(one Update {"f:data":{}})", R"(two Update {"f:data":{"f:a":{},"f:c":{}}})"});
  REQUIRE(w.call("POST", kDeployments, a_deployment(), {{"User-Agent", "one"}})->status == 201);
  const json::value counted =
      w.tree(w.call("PATCH", kWeb + "/status", R"({"status":{"replicas":1},"spec":{"replicas":7}})",
                    {{"User-Agent", "two"}, {"Content-Type", "application/merge-patch+json"}}));
  CHECK(owners(counted).back() == R"(two Update/status {"f:status":{"f:replicas":{}}})");
  CHECK(get_int(counted, "spec.replicas") == 1);
}

TEST_CASE("a write that changes nothing leaves the owners and the version alone") {
  ApiWorld w;
  const json::value made = w.tree(w.call("POST", kMaps, a_config_map("m", R"({"a":"1"})")));
  w.executor.advance(std::chrono::minutes(1));
  const std::string path = std::string(kMaps) + "/m";
  CHECK(w.tree(w.call("PUT", path, a_config_map("m", R"({"a":"1"})"), {{"User-Agent", "two"}})) ==
        made);
  const std::string config = a_config_map("m", R"({"a":"1"})");
  const json::value first = w.tree(apply(w, path, config, "x"));
  const json::value other = w.tree(apply(w, path, config, "y"));
  w.executor.advance(std::chrono::minutes(1));
  CHECK(w.tree(apply(w, path, config, "x")) == other);
  CHECK(owners(first)[0] == R"(x Apply {"f:data":{"f:a":{}}})");
}

TEST_CASE("conflicts are told in upstream's words") {
  ApiWorld w;
  REQUIRE(w.call("POST", kDeployments + "?fieldManager=kubectl-client-side-apply", a_deployment())
              ->status == 201);
  const auto one = apply(w, kWeb, with_spec(R"({"replicas":5})"), "m");
  CHECK(one->status == 409);
  CHECK(one->body ==
        R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":)"
        R"("Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using )"
        R"(apps/v1: .spec.replicas","reason":"Conflict","details":{"causes":[{"reason":)"
        R"("FieldManagerConflict","message":"conflict with \"kubectl-client-side-apply\" using )"
        R"(apps/v1","field":".spec.replicas"}]},"code":409})"
        "\n");
  REQUIRE(apply(w, kWeb, with_spec(R"({"replicas":1})"), "kubectl")->status == 200);
  const auto two = apply(
      w, kWeb,
      with_spec(R"({"replicas":5,"template":{"spec":{"containers":[{"name":"c","image":"z"}]}}})"),
      "m");
  CHECK(message(two) ==
        "Apply failed with 3 conflicts: conflicts with \"kubectl\":\n- .spec.replicas\n"
        "conflicts with \"kubectl-client-side-apply\" using apps/v1:\n- .spec.replicas\n"
        "- .spec.template.spec.containers[name=\"c\"].image");
  const json::value forced =
      w.tree(apply(w, kWeb, with_spec(R"({"replicas":5})"), "m", "&force=true"));
  CHECK(get_int(forced, "spec.replicas") == 5);
  CHECK(owners(forced)[0] == R"(m Apply {"f:spec":{"f:replicas":{}}})");
  CHECK(owners(forced)[1].find("f:replicas") == std::string::npos);
  CHECK(owners(forced).size() == 2);  // kubectl applied nothing else
}

TEST_CASE("what an applier gives up goes, unless somebody else owns it") {
  ApiWorld w;
  const std::string path = std::string(kMaps) + "/m";
  const auto config = [](const std::string& data, const std::string& labels) {
    return R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m","labels":)" + labels +
           R"(},"data":)" + data + "}";
  };
  const auto made =
      apply(w, path, config(R"({"a":"1","b":"2","c":"3"})", R"({"x":"1","y":"2"})"), "one");
  REQUIRE(made->status == 201);
  REQUIRE(apply(w, path, config(R"({"b":"2"})", R"({"y":"2"})"), "two")->status == 200);
  REQUIRE(w.call("PATCH", path, R"({"data":{"d":"4"}})",
                 {{"Content-Type", "application/merge-patch+json"}})
              ->status == 200);
  const json::value left = w.tree(apply(w, path, config(R"({"c":"3"})", "{}"), "one"));
  CHECK(*find(left, "data") == *parse_json(R"({"b":"2","c":"3","d":"4"})"));
  CHECK(*find(left, "metadata.labels") == *parse_json(R"({"y":"2"})"));
  CHECK(owners(left) ==
        Lines{R"(one Apply {"f:data":{"f:c":{}},"f:metadata":{"f:labels":{}}})",
              R"(two Apply {"f:data":{"f:b":{}},"f:metadata":{"f:labels":{"f:y":{}}}})",
              R"(unknown Update {"f:data":{"f:d":{}}})"});
}

TEST_CASE("lists merge by their keys, as sets, or whole") {
  ApiWorld w;
  const std::string services = "/api/v1/namespaces/a/services";
  const auto config = [](const std::string& meta, const std::string& spec) {
    return R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"s")" + meta +
           R"(},"spec":{)" + spec + "}}";
  };
  const std::string path = services + "/s";
  REQUIRE(apply(w, path,
                config(R"(,"finalizers":["x.io/a"])",
                       R"("externalIPs":["10.0.0.1"],"ports":[{"name":"h","port":80}])"),
                "one")
              ->status == 201);
  const auto two = apply(w, path,
                         config(R"(,"finalizers":["x.io/b"])",
                                R"("ports":[{"name":"t","port":443},{"name":"d","port":53,)"
                                R"("protocol":"UDP"}])"),
                         "two");
  REQUIRE(two->status == 200);
  const json::value object = w.tree(two);
  CHECK(*find(object, "metadata.finalizers") == *parse_json(R"(["x.io/a","x.io/b"])"));
  Lines ports;
  for (const json::value& port : get_array(object, "spec.ports")) {
    ports.emplace_back(get_string(port, "name"));
  }
  CHECK(ports == Lines{"h", "t", "d"});
  CHECK(owners(object)[1] ==
        R"(two Apply {"f:metadata":{"f:finalizers":{"v:\"x.io/b\"":{}}},"f:spec":{"f:ports":)"
        R"({"k:{\"port\":53,\"protocol\":\"UDP\"}":{".":{},"f:name":{},"f:port":{},)"
        R"("f:protocol":{}},"k:{\"port\":443,\"protocol\":\"TCP\"}":{".":{},"f:name":{},)"
        R"("f:port":{}}}}})");
  const auto whole = apply(w, path, config("", R"("externalIPs":["10.0.0.2"])"), "two");
  CHECK(message(whole) == "Apply failed with 1 conflict: conflict with \"one\": .spec.externalIPs");
  const json::value fewer = w.tree(apply(w, path, config("", ""), "two"));
  CHECK(get_array(fewer, "spec.ports").size() == 1);
}

TEST_CASE("configurations that do not fit are refused") {
  ApiWorld w;
  REQUIRE(w.call("POST", kDeployments, a_deployment())->status == 201);
  struct Case {
    std::string name, query, body;
    int code;
    std::string want;
  };
  const auto c = GENERATE(values<Case>({
      {"unknown field", "?fieldManager=m", with_spec(R"({"replcas":3})"), 500,
       "failed to create typed patch object (a/web; apps/v1, Kind=Deployment): .spec.replcas: "
       "field not declared in schema"},
      {"wrong type", "?fieldManager=m", with_spec(R"({"replicas":"three"})"), 500,
       "failed to create typed patch object (a/web; apps/v1, Kind=Deployment): .spec.replicas: "
       "expected numeric (int or float), got string"},
      {"element twice", "?fieldManager=m",
       with_spec(R"({"template":{"spec":{"containers":[{"name":"c"},{"name":"c"}]}}})"), 500,
       "failed to create typed patch object (a/web; apps/v1, Kind=Deployment): "
       ".spec.template.spec.containers: duplicate entries for key [name=\"c\"]"},
      {"no version", "?fieldManager=m", R"({"kind":"Deployment","metadata":{"name":"web"}})", 400,
       "invalid object type: /, Kind=Deployment"},
      {"other kind", "?fieldManager=m", R"({"apiVersion":"v1","kind":"Pod"})", 400,
       "invalid object type: /v1, Kind=Pod"},
      {"owners given", "?fieldManager=m",
       R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"managedFields":[]}})", 400,
       "metadata.managedFields must be nil"},
      {"no manager", "", with_spec("{}"), 422,
       "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for "
       "apply patch"},
      {"other name", "?fieldManager=m",
       R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"x"}})", 400,
       "the name of the object (x) does not match the name on the URL (web)"},
  }));
  CAPTURE(c.name);
  const auto answer = w.patch("apply-patch+yaml", kWeb + c.query, c.body);
  CHECK(answer->status == c.code);
  CHECK(message(answer) == c.want);
}

TEST_CASE("an object nobody was said to own is owned by what was there first") {
  ApiWorld w;
  REQUIRE(w.call("POST", kMaps, a_config_map("m", R"({"a":"1"})"))->status == 201);
  const std::string path = std::string(kMaps) + "/m";
  const json::value reset =
      w.tree(w.patch("json-patch+json", path,
                     R"([{"op":"replace","path":"/metadata/managedFields","value":[{}]}])"));
  CHECK(owners(reset).empty());
  const json::value plain = w.tree(w.patch("merge-patch+json", path, R"({"data":{"b":"2"}})"));
  CHECK(owners(plain).empty());
  CHECK(message(apply(w, path, a_config_map("m", R"({"a":"9"})"), "x")) ==
        "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .data.a");
  CHECK(owners(w.tree(apply(w, path, a_config_map("m", R"({"a":"1"})"), "x"))) ==
        Lines{R"(x Apply {"f:data":{"f:a":{}}})",
              R"(before-first-apply Update {"f:data":{".":{},"f:a":{},"f:b":{}}})"});
}

TEST_CASE("owners may be rewritten by a client: kubectl's change to server-side apply") {
  ApiWorld w;
  const std::string path = std::string(kMaps) + "/m";
  const std::string config =
      R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},"data":{"a":"1"}})";
  json::value first = *parse_json(config);
  set_path(first, "metadata.annotations",
           json::object{{"kubectl.kubernetes.io/last-applied-configuration", config}});
  REQUIRE(
      w.call("POST", std::string(kMaps) + "?fieldManager=kubectl-client-side-apply", to_json(first))
          ->status == 201);
  // kubectl may change what its client-side apply set.
  const std::string next =
      R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},"data":{"a":"2"}})";
  const auto applied = apply(w, path, next, "kubectl");
  REQUIRE(applied->status == 200);
  const json::value object = w.tree(applied);
  CHECK(get_string(object, "data.a") == "2");
  CHECK(std::string(get_object(object, "metadata.annotations")
                        .at("kubectl.kubernetes.io/last-applied-configuration")
                        .as_string()) ==
        R"({"apiVersion":"v1","data":{"a":"2"},"kind":"ConfigMap","metadata":{"name":"m"}})"
        "\n");
  const std::string migrated =
      R"([{"manager":"kubectl","operation":"Apply","apiVersion":"v1","time":"2026-01-01T00:00:00Z",)"
      R"("fieldsType":"FieldsV1","fieldsV1":{"f:data":{"f:a":{}}}}])";
  const auto patched =
      w.patch("json-patch+json", path,
              R"([{"op":"replace","path":"/metadata/managedFields","value":)" + migrated +
                  R"(},{"op":"replace","path":"/metadata/resourceVersion","value":")" +
                  std::string(get_string(object, "metadata.resourceVersion")) + R"("}])");
  REQUIRE(patched->status == 200);
  CHECK(owners(w.tree(patched)) == Lines{R"(kubectl Apply {"f:data":{"f:a":{}}})"});
}

TEST_CASE("apply goes through status too, and dry runs leave nothing") {
  ApiWorld w;
  REQUIRE(w.call("POST", kDeployments, a_deployment(), {{"User-Agent", "one"}})->status == 201);
  const auto revision = w.store.revision();
  const json::value dry =
      w.tree(apply(w, kWeb, with_spec(R"({"replicas":3})"), "m", "&force=true&dryRun=All"));
  CHECK(get_int(dry, "spec.replicas") == 3);
  CHECK(w.store.revision() == revision);
  const std::string status =
      R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},)"
      R"("spec":{"replicas":9},"status":{"replicas":2}})";
  const json::value done = w.tree(apply(w, kWeb + "/status", status, "m"));
  CHECK(get_int(done, "status.replicas") == 2);
  CHECK(get_int(done, "spec.replicas") == 1);
  CHECK(owners(done)[0] == R"(m Apply/status {"f:status":{"f:replicas":{}}})");
}

TEST_CASE("the replicas have the same owners through the scale") {
  ApiWorld w;
  REQUIRE(w.call("POST", kDeployments, a_deployment(), {{"User-Agent", "one"}})->status == 201);
  const auto scale = [](int replicas) {
    return R"({"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"web"},)"
           R"("spec":{"replicas":)" +
           std::to_string(replicas) + "}}";
  };
  CHECK(message(apply(w, kWeb + "/scale", scale(4), "m")) ==
        "Apply failed with 1 conflict: conflict with \"one\" using autoscaling/v1: "
        ".spec.replicas");
  REQUIRE(apply(w, kWeb + "/scale", scale(4), "m", "&force=true")->status == 200);
  const json::value applied = w.get(kWeb);
  CHECK(get_int(applied, "spec.replicas") == 4);
  CHECK(owners(applied)[0] == R"(m Apply/scale {"f:spec":{"f:replicas":{}}})");
  CHECK(owners(applied)[1].find("f:replicas") == std::string::npos);
  const auto put =
      w.call("PATCH", kWeb + "/scale", R"({"spec":{"replicas":2}})",
             {{"User-Agent", "two"}, {"Content-Type", "application/merge-patch+json"}});
  REQUIRE(put->status == 200);
  CHECK(owners(w.get(kWeb)).back() == R"(two Update/scale {"f:spec":{"f:replicas":{}}})");
}

TEST_CASE("plain updaters beyond ten become one") {
  ApiWorld w;
  REQUIRE(w.call("POST", kMaps, a_config_map("m", R"({"a":"1"})"))->status == 201);
  const std::string path = std::string(kMaps) + "/m";
  for (int i = 0; i < 13; ++i) {
    w.executor.advance(std::chrono::seconds(1));
    const std::string n = std::to_string(i);
    REQUIRE(w.call("PATCH", path, R"({"data":{"k)" + n + R"(":"1"}})",
                   {{"User-Agent", "u" + n}, {"Content-Type", "application/merge-patch+json"}})
                ->status == 200);
  }
  const Lines list = owners(w.get(path));
  REQUIRE(list.size() == 10);
  CHECK(
      list[0] ==
      R"(ancient-changes Update {"f:data":{".":{},"f:a":{},"f:k0":{},"f:k1":{},"f:k2":{},"f:k3":{}}})");
  CHECK(list[9] == R"(u12 Update {"f:data":{"f:k12":{}}})");
}

}  // namespace
}  // namespace coracle::apiserver
