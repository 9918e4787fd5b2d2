#include "why/reviews_api.hpp"

#include <catch2/catch.hpp>

#include "framework/testing.hpp"
#include "plugins/registry.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::parsed;

const std::map<std::string, Profile> kProfiles = {{"default-scheduler", default_profile()}};

DecisionsAnswer review(const std::string& spec, bool leads = true) {
  Cache cache;
  cache.set_node(parse_node(a_node("a").object()));
  const std::string body =
      R"({"apiVersion":"lab.coracle.dev/v1alpha1","kind":"SchedulingReview","spec":)" + spec + "}";
  return answer_review("default", body, {kProfiles, cache, leads, {"http://x"}});
}

std::string pod_of(const std::string& cpu) {
  return R"("pod":{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","resources":
            {"requests":{"cpu":")" +
         cpu + R"("}}}]}})";
}

TEST_CASE("where reviews are posted") {
  CHECK(review_namespace("/apis/lab.coracle.dev/v1alpha1/namespaces/x/schedulingreviews") == "x");
  for (const char* path : {"/apis/lab.coracle.dev/v1alpha1/schedulingreviews",
                           "/apis/lab.coracle.dev/v1alpha1/namespaces/x/schedulingdecisions",
                           "/apis/lab.coracle.dev/v1alpha1/namespaces/x/schedulingreviews/y"}) {
    CHECK_FALSE(review_namespace(path).has_value());
  }
}

TEST_CASE("a review is answered in its status") {
  auto answer = review("{" + pod_of("1") + R"(,"copies":5})");
  CHECK(answer.http == 201);
  const json::value& status = answer.body.at("status");
  CHECK(status.at("result") == "FitsNowhere");
  CHECK(status.at("placed") == 4);
  CHECK(status.at("podsByNode") == parsed(R"({"a":4})"));
  CHECK(status.at("verdicts").as_array().size() == 1);
  CHECK(status.at("changes").as_array().front().at("text") == "one more node like a");
  CHECK(answer.body.at("spec").at("copies") == 5);
  CHECK(status.at("notAsked") == parsed(R"(["http://x"])"));
  answer = review("{" + pod_of("9") + R"(,"suggest":false})");
  CHECK(answer.body.at("status").at("changes").as_array().empty());
}

TEST_CASE("a review under another configuration") {
  const std::string config =
      R"(,"config":"apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nprofiles: [{plugins: {filter: {disabled: [{name: NodeResourcesFit}]}}}]")";
  CHECK(review("{" + pod_of("9") + config + "}").body.at("status").at("nodeName") == "a");
}

TEST_CASE("reviews that are wrong") {
  const auto refused = [](const std::string& spec) {
    const auto answer = review(spec);
    CHECK(answer.http == 400);
    return std::string(answer.body.at("message").as_string());
  };
  CHECK(refused("{}") == "spec.pod: want a Pod with containers");
  CHECK(refused("{" + pod_of("1") + R"(,"node":1})") ==
        "strict decoding error: unknown field \"spec.node\"");
  CHECK(refused("{" + pod_of("1") + R"(,"weights":{"NodeAffinity":"x"}})") ==
        "spec.weights.NodeAffinity: want a whole number");
  CHECK(refused("{" + pod_of("1") + R"(,"nodes":[1]})") == "spec.nodes[0]: want an object");
  CHECK(refused("{" + pod_of("1") + R"(,"copies":0})") ==
        "spec.copies: 0: not in valid range [1, 10000]");
  CHECK(refused(R"({"pod":{"spec":{"schedulerName":"x","containers":[{}]}}})") ==
        "spec.pod.spec.schedulerName: \"x\" is no profile of this scheduler; it has "
        "default-scheduler");
  CHECK(refused("{" + pod_of("1") + R"(,"config":"kind: Pod"})")
            .starts_with("spec.config: no kind "));
  CHECK(review("{" + pod_of("1") + "}", false).http == 503);
  CHECK(answer_review("x", "{", {kProfiles, Cache(), true, {}}).http == 400);
  CHECK(
      answer_review("x", R"({"kind":"Pod"})", {kProfiles, Cache(), true, {}}).body.at("message") ==
      "want apiVersion lab.coracle.dev/v1alpha1, kind SchedulingReview");
}

}  // namespace
}  // namespace coracle::scheduler
