#include "client/object_cache.hpp"

#include <catch2/catch.hpp>

#include "base/rng.hpp"

using namespace coracle;
using namespace coracle::client;

namespace {

ObjectPtr pod(const std::string& name, const std::string& node, bool odd) {
  json::value object = json::object();
  set_path(object, "metadata.name", json::string(name));
  set_path(object, "metadata.namespace", "ns");
  set_path(object, "spec.nodeName", json::string(node));
  set_path(object, "odd", odd);
  return std::make_shared<const json::value>(std::move(object));
}

// Two values of some objects, none of others.
std::vector<std::string> index_odd(const json::value& object) {
  if (!get_bool(object, "odd")) return {};
  return {std::string(get_string(object, "spec.nodeName")), "~"};
}

std::vector<std::string> names(const std::vector<ObjectPtr>& objects) {
  std::vector<std::string> out;
  for (const ObjectPtr& object : objects) {
    out.emplace_back(get_string(*object, "metadata.name"));
  }
  return out;
}

}  // namespace

TEST_CASE("indexes hold what a walk over all objects finds") {
  Rng rng(7);
  ObjectCache cache;
  cache.add_index("node", index_by_node_name);
  std::map<std::string, ObjectPtr> naive;
  for (int step = 0; step < 600; ++step) {
    const std::string name = "p" + std::to_string(rng.below(30));
    if (step == 50) cache.add_index("odd", index_odd);
    if (rng.chance(0.3)) {
      CHECK((cache.erase("ns/" + name) != nullptr) == (naive.erase("ns/" + name) == 1));
    } else {
      const ObjectPtr object = pod(name, "n" + std::to_string(rng.below(4)), rng.chance(0.5));
      CHECK((cache.put("ns/" + name, object) != nullptr) == naive.contains("ns/" + name));
      naive["ns/" + name] = object;
    }
    if (step < 50) continue;
    std::vector<ObjectPtr> all_odd, in_order;
    for (const char* node : {"n0", "n1", "n2", "n3"}) {
      std::vector<ObjectPtr> there;
      for (const auto& [key, object] : naive) {
        if (get_string(*object, "spec.nodeName") != node) continue;
        there.push_back(object);
        if (get_bool(*object, "odd")) in_order.push_back(object);
      }
      REQUIRE(cache.by_index("node", node) == there);
      REQUIRE(cache.count("node", node) == there.size());
    }
    for (const auto& [key, object] : naive) {
      if (get_bool(*object, "odd")) all_odd.push_back(object);
    }
    REQUIRE(cache.by_index("odd", "~") == all_odd);
    const size_t half = in_order.size() / 2;
    REQUIRE(cache.first_of("odd", half) ==
            std::vector<ObjectPtr>(in_order.begin(), in_order.begin() + static_cast<long>(half)));
  }
  CHECK(cache.count("node", "nowhere") == 0);
}

TEST_CASE("the first of an index come by its values, then by their keys") {
  ObjectCache cache;
  cache.add_index("odd", index_odd);
  cache.put("ns/a", pod("a", "n2", true));
  cache.put("ns/c", pod("c", "n1", true));
  cache.put("ns/b", pod("b", "n1", true));
  cache.put("ns/d", pod("d", "n0", false));
  using Names = std::vector<std::string>;
  CHECK(names(cache.first_of("odd", 3)) == Names{"b", "c", "a"});
  CHECK(names(cache.first_of("odd", 1)) == Names{"b"});
  // Each comes with each of its values.
  CHECK(names(cache.first_of("odd", 9)) == Names{"b", "c", "a", "a", "b", "c"});
}
