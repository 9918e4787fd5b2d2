#include "controllers/adoption.hpp"

#include <catch2/catch.hpp>

#include "api/object.hpp"
#include "base/rng.hpp"
#include "controllers/controller.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

using Names = std::vector<std::string>;

json::value object(const std::string& name, const std::string& labels,
                   const std::string& more = "") {
  return *parse_json(R"({"metadata":{"namespace":"default","name":")" + name + R"(","uid":"u-)" +
                     name + R"(","labels":)" + labels + more + "}}");
}

json::value owner(const std::string& name, const std::string& selector) {
  return *parse_json(R"({"kind":"Job","metadata":{"namespace":"default","name":")" + name +
                     R"(","uid":"u-)" + name + R"("},"spec":{"selector":)" + selector + "}}");
}

constexpr const char* kControlled =
    R"(,"ownerReferences":[{"kind":"Job","name":"j","uid":"u-j","controller":true}])";

Names names_of(const std::vector<client::ObjectPtr>& objects) {
  Names out;
  for (const auto& one : objects) out.emplace_back(api::name_of(*one));
  return out;
}

Names orphans(FixedWorld& world, const std::string& selector) {
  const json::value parsed = *parse_json(selector);
  return names_of(orphans_for(world.view().of(gvr::kPods), "default",
                              *api::LabelSelector::from_object(&parsed)));
}

TEST_CASE("an orphan is found by a label that the selector demands, without a look at others") {
  FixedWorld world;
  world.put(gvr::kPods, object("a1", R"({"app":"a","tier":"x"})"));
  world.put(gvr::kPods, object("a2", R"({"app":"a"})"));
  world.put(gvr::kPods, object("a3", R"({"app":"a"})", kControlled));
  world.put(gvr::kPods, object("b", R"({"app":"b","tier":"x"})"));
  world.put(gvr::kPods, object("none", "{}"));
  struct Case {
    const char* selector;
    Names found;
  };
  const std::vector<Case> cases{
      {R"({"matchLabels":{"app":"a"}})", {"a1", "a2"}},
      {R"({"matchLabels":{"app":"c"}})", {}},
      {R"({"matchExpressions":[{"key":"tier","operator":"In","values":["x"]}]})", {"a1", "b"}},
      {R"({"matchLabels":{"tier":"x"},"matchExpressions":[{"key":"app","operator":"Exists"}]})",
       {"a1", "b"}},
      // Nothing is demanded that an orphan could be found by.
      {R"({"matchExpressions":[{"key":"app","operator":"Exists"}]})", {"a1", "a2", "b", "none"}},
      {R"({"matchExpressions":[{"key":"app","operator":"In","values":["a","b"]}]})",
       {"a1", "a2", "b", "none"}},
      {"{}", {"a1", "a2", "b", "none"}},
      {"null", {}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.selector);
    CHECK(orphans(world, c.selector) == c.found);
  }
}

TEST_CASE("who may adopt an orphan is found by its labels, in key order") {
  FixedWorld world;
  world.put(gvr::kJobs, owner("z-app", R"({"matchLabels":{"app":"a"}})"));
  world.put(gvr::kJobs, owner("m-tier", R"({"matchLabels":{"tier":"x","zone":"1"}})"));
  world.put(gvr::kJobs,
            owner("a-any", R"({"matchExpressions":[{"key":"q","operator":"Exists"}]})"));
  world.put(gvr::kJobs, owner("other", R"({"matchLabels":{"app":"b"}})"));
  world.put(gvr::kJobs, owner("broken", R"({"matchLabels":{"app":7}})"));
  world.put(gvr::kJobs, owner("nothing", "null"));
  const auto adopters = [&](const json::value& pod) {
    return names_of(adopters_of(world.view().of(gvr::kJobs), pod));
  };
  CHECK(adopters(object("p", R"({"app":"a","tier":"x"})")) == Names{"a-any", "m-tier", "z-app"});
  CHECK(adopters(object("p", "{}")) == Names{"a-any"});
  CHECK(adopters(object("p", R"({"app":"c"})")) == Names{"a-any"});
}

// The naive twin: everybody of the namespace is asked.
TEST_CASE("what is found by labels holds all that match, of any selectors and orphans") {
  Rng rng(20261128);
  CAPTURE(rng.next());
  const auto pick = [&](std::initializer_list<const char*> of) {
    return std::string(*(of.begin() + static_cast<std::ptrdiff_t>(rng.below(of.size()))));
  };
  FixedWorld world;
  std::vector<json::value> pods, owners;
  for (int i = 0; i < 150; ++i) {
    json::object labels;
    for (const char* key : {"app", "tier", "example.com/zone"}) {
      if (rng.below(2) == 0) labels[key] = pick({"a", "b", ""});
    }
    pods.push_back(object("p" + std::to_string(i), json::serialize(labels),
                          rng.below(3) == 0 ? kControlled : ""));
    world.put(gvr::kPods, pods.back());

    json::object wanted;
    for (const char* key : {"app", "tier", "example.com/zone"}) {
      if (rng.below(3) == 0) wanted[key] = pick({"a", "b", ""});
    }
    const std::string op = pick({"In", "NotIn", "Exists", "DoesNotExist"});
    json::array values;
    if (op == "In" || op == "NotIn") {
      for (std::uint64_t n = 1 + rng.below(2); n > 0; --n)
        values.push_back(pick({"a", "b"}).c_str());
    }
    json::object selector{{"matchLabels", wanted}};
    if (rng.below(2) == 0) {
      selector["matchExpressions"] = json::array{json::object{
          {"key", pick({"app", "tier"}).c_str()}, {"operator", op.c_str()}, {"values", values}}};
    }
    owners.push_back(owner("o" + std::to_string(i), json::serialize(selector)));
    world.put(gvr::kJobs, owners.back());
  }
  int matches = 0;
  for (const json::value& one : owners) {
    const auto selector = *selector_of(one);
    Names naive, found;
    for (const client::ObjectPtr& pod : world.view().of(gvr::kPods).all()) {
      const bool orphan = api::controller_of(*pod) == nullptr;
      if (orphan && selector.matches(api::labels_of(*pod))) naive.emplace_back(api::name_of(*pod));
    }
    for (const auto& pod : orphans_for(world.view().of(gvr::kPods), "default", selector)) {
      if (selector.matches(api::labels_of(*pod))) found.emplace_back(api::name_of(*pod));
    }
    CHECK(found == naive);
    matches += static_cast<int>(naive.size());
  }
  CHECK(matches > 1000);
  for (const json::value& pod : pods) {
    Names naive, found;
    const auto takes = [&](const json::value& one) {
      return selector_of(one)->matches(api::labels_of(pod));
    };
    for (const client::ObjectPtr& one : world.view().of(gvr::kJobs).all()) {
      if (takes(*one)) naive.emplace_back(api::name_of(*one));
    }
    for (const auto& one : adopters_of(world.view().of(gvr::kJobs), pod)) {
      if (takes(*one)) found.emplace_back(api::name_of(*one));
    }
    CHECK(found == naive);
  }
}

}  // namespace
}  // namespace coracle::controllers
