#include "controller_testing/cluster.hpp"

#include <catch2/catch.hpp>

#include "api/catalog.hpp"
#include "api/object.hpp"
#include "api/patch.hpp"
#include "base/yaml.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers::testing {

json::value& Cluster::put(const client::Gvr& gvr, const std::string& yaml) {
  json::value object = *parse_yaml_one(yaml);
  if (gvr.namespaced) set_path(object, "metadata.namespace", json::value("ns"));
  return keep(gvr, std::move(object));
}

json::value& Cluster::at(const std::string& key) {
  INFO(key);
  REQUIRE(objects.contains(key));
  return objects.at(key).second;
}

std::vector<std::string> Cluster::names(const std::string& plural) const {
  std::vector<std::string> all;
  for (const auto& [key, entry] : objects) {
    if (entry.first.plural == plural) all.emplace_back(api::name_of(entry.second));
  }
  return all;
}

void Cluster::set_spec(const std::string& key, const std::string& path, const std::string& yaml) {
  json::value& object = at(key);
  set_path(object, "spec." + path, *parse_yaml_one(yaml));
  set_path(object, "metadata.generation", json::value(api::generation_of(object) + 1));
}

std::vector<std::string> Cluster::step(const std::string& key) {
  FixedWorld world;
  world.memory = memory_;
  for (const auto& [name, entry] : objects) world.put(entry.first, entry.second);
  last = controller_.reconcile(world.view(), key, {TimePoint(std::chrono::hours(1)), wall});
  for (const EventNote& e : last.events) told.push_back(e.reason + ": " + e.message);
  std::vector<std::string> done;
  for (const Write& write : last.writes) done.push_back(apply(write));
  if (last.remember) memory_[key] = *last.remember;
  return done;
}

std::vector<std::string> Cluster::settle(const std::string& key, int most) {
  std::vector<std::string> all;
  for (int i = 0; i < most; ++i) {
    const auto done = step(key);
    if (done.empty()) return all;
    all.insert(all.end(), done.begin(), done.end());
  }
  FAIL("does not settle");
  return all;
}

void Cluster::run(json::value& pod) {
  set_path(pod, "status.phase", json::value("Running"));
  json::object ready{{"type", "Ready"}, {"status", "True"}};
  ready["lastTransitionTime"] = format_time(wall);
  set_path(pod, "status.conditions", json::array({json::value(std::move(ready))}));
}

void Cluster::run_all() {
  each_pod([this](json::value& pod) {
    if (phase_of(pod) == "Pending" && !is_deleting(pod)) run(pod);
  });
}

void Cluster::finish(json::value& pod, int exit_code) {
  set_path(pod, "status.phase", json::value(exit_code == 0 ? "Succeeded" : "Failed"));
  set_path(pod, "status.conditions", json::array());
  json::value container = json::object({{"name", "c"}});
  set_path(container, "state.terminated.exitCode", json::value(exit_code));
  set_path(container, "state.terminated.finishedAt", json::value(format_time(wall)));
  set_path(pod, "status.containerStatuses", json::array({std::move(container)}));
}

void Cluster::reap() {
  each_pod([this](json::value& pod) {
    if (is_deleting(pod) && !has_ended(pod)) finish(pod, 1);
  });
  std::erase_if(objects, [](const auto& entry) {
    const json::value& object = entry.second.second;
    return is_deleting(object) && api::finalizers_of(object).empty();
  });
}

json::value& Cluster::keep(const client::Gvr& gvr, json::value object) {
  const std::string key = gvr.plural + "/" + std::string(api::name_of(object));
  auto& slot = objects[key];
  slot = {gvr, std::move(object)};
  return slot.second;
}

std::string Cluster::apply(const Write& write) {
  const std::string key = write.gvr.plural + "/" + write.name;
  switch (write.verb) {
    case Write::Verb::kCreate:
      return create(write);
    case Write::Verb::kDelete:
      if (!write.done_reason.empty()) told.push_back(write.done_reason + ": " + write.done_message);
      set_path(at(key), "metadata.deletionTimestamp", json::value(format_time(wall)));
      if (write.gvr != gvr::kPods && api::finalizers_of(at(key)).empty()) objects.erase(key);
      return "delete " + key;
    case Write::Verb::kPatch: {
      const auto* kind = api::Catalog::builtin().find_kind("", "v1", "Pod");
      at(key) = *api::apply_strategic_patch(at(key), write.body, kind->schema);
      return "patch " + key;
    }
    case Write::Verb::kUpdateStatus:
      make_object(at(key), "status") = get_object(write.body, "status");
      return "status";
    case Write::Verb::kUpdateSubresource:
      told.push_back(write.done_reason + ": " + write.done_message);
      return write.subresource + " " + key;
    default:
      keep(write.gvr, write.body);
      return "update " + key;
  }
}

std::string Cluster::create(const Write& write) {
  json::value object = write.body;
  std::string name(api::name_of(object));
  if (name.empty()) {
    name = std::string(api::generate_name_of(object)) + std::to_string(++made_);
    set_path(object, "metadata.name", json::value(name));
  }
  const std::string key = write.gvr.plural + "/" + name;
  INFO(key);
  REQUIRE_FALSE(objects.contains(key));
  set_path(object, "metadata.uid", json::value("uid-" + name + "-" + std::to_string(++made_)));
  set_path(object, "metadata.generation", json::value(1));
  set_path(object, "metadata.creationTimestamp", json::value(format_time(wall)));
  if (write.gvr == gvr::kPods) set_path(object, "status.phase", json::value("Pending"));
  if (!write.done_reason.empty()) told.push_back(write.done_reason + ": " + write.done_message);
  keep(write.gvr, std::move(object));
  return "create " + key;
}

}  // namespace coracle::controllers::testing
