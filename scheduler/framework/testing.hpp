// Builders for tests of the scheduler: a_pod("web").cpu("100m").on("n1"), a_node("n1").taint(...).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "framework/snapshot.hpp"

namespace coracle::scheduler::testing {

inline json::value parsed(const std::string& text) {
  auto value = parse_json(text);
  CHECK_MSG(value.ok(), value.status().to_string() << " in " << text);
  return std::move(*value);
}

class a_pod {
 public:
  explicit a_pod(const std::string& name, const std::string& ns = "default") {
    pod_ = parsed(R"({"kind":"Pod","apiVersion":"v1","metadata":{},"spec":{"containers":[{}]}})");
    set_path(pod_, "metadata.name", json::value(name));
    set_path(pod_, "metadata.namespace", json::value(ns));
    set_path(pod_, "metadata.uid", json::value("uid-" + name));
    container()["name"] = "c";
    container()["image"] = "nginx";
  }
  a_pod& request(const std::string& resource, const std::string& amount) {
    json::value& c = container_value();
    make_object(c, "resources.requests")[resource] = amount;
    return *this;
  }
  a_pod& cpu(const std::string& amount) { return request("cpu", amount); }
  a_pod& memory(const std::string& amount) { return request("memory", amount); }
  a_pod& label(const std::string& key, const std::string& value) {
    make_object(pod_, "metadata.labels")[key] = value;
    return *this;
  }
  a_pod& on(const std::string& node) { return set("spec.nodeName", json::value(node)); }
  a_pod& priority(std::int64_t p) { return set("spec.priority", json::value(p)); }
  a_pod& host_port(int port) {
    container()["ports"] = json::array{json::object{{"hostPort", port}, {"containerPort", port}}};
    return *this;
  }
  a_pod& image(const std::string& name) {
    container()["image"] = name;
    return *this;
  }
  // Any member of the object, as JSON text: set("spec.affinity", R"({...})").
  a_pod& set(const std::string& path, const std::string& json_text) {
    return set(path, parsed(json_text));
  }
  a_pod& set(const std::string& path, const char* json_text) {
    return set(path, std::string(json_text));
  }
  a_pod& set(const std::string& path, json::value value) {
    set_path(pod_, path, std::move(value));
    return *this;
  }
  a_pod& claim(const std::string& name) {
    json::value& spec = pod_.as_object()["spec"];
    if (find(spec, "volumes") == nullptr) spec.as_object()["volumes"].emplace_array();
    spec.as_object()["volumes"].as_array().push_back(
        json::object{{"name", name}, {"persistentVolumeClaim", json::object{{"claimName", name}}}});
    return *this;
  }
  const json::value& object() const { return pod_; }
  PodPtr info() const { return parse_pod(pod_); }

 private:
  json::value& container_value() {
    return pod_.as_object()["spec"].as_object()["containers"].as_array()[0];
  }
  json::object& container() { return container_value().as_object(); }
  json::value pod_;
};

class a_node {
 public:
  explicit a_node(const std::string& name) {
    node_ = parsed(R"({"kind":"Node","apiVersion":"v1","metadata":{},"spec":{},"status":{
      "allocatable":{"cpu":"4","memory":"8Gi","pods":"110","ephemeral-storage":"100Gi"}}})");
    set_path(node_, "metadata.name", json::value(name));
    label("kubernetes.io/hostname", name);
  }
  a_node& has(const std::string& resource, const std::string& amount) {
    make_object(node_, "status.allocatable")[resource] = amount;
    return *this;
  }
  a_node& label(const std::string& key, const std::string& value) {
    make_object(node_, "metadata.labels")[key] = value;
    return *this;
  }
  a_node& zone(const std::string& value) { return label("topology.kubernetes.io/zone", value); }
  a_node& taint(const std::string& key, const std::string& value, const std::string& effect) {
    json::value& spec = node_.as_object()["spec"];
    if (find(spec, "taints") == nullptr) spec.as_object()["taints"].emplace_array();
    spec.as_object()["taints"].as_array().push_back(
        json::object{{"key", key}, {"value", value}, {"effect", effect}});
    return *this;
  }
  a_node& set(const std::string& path, const std::string& json_text) {
    set_path(node_, path, parsed(json_text));
    return *this;
  }
  const json::value& object() const { return node_; }

 private:
  json::value node_;
};

// A snapshot of these nodes with these placed pods. Pods on a node that is not there are a CHECK.
inline Snapshot a_world(const std::vector<a_node>& nodes, const std::vector<a_pod>& pods = {}) {
  Snapshot world;
  for (const a_node& node : nodes) {
    const auto facts = parse_node(node.object());
    NodeInfo info(facts->name);
    info.set_facts(facts);
    world.add_node(std::move(info));
  }
  for (const a_pod& pod : pods) {
    const PodPtr info = pod.info();
    const auto index = world.nodes.index_of(info->node_name);
    CHECK_MSG(index.has_value(), info->key << " is on no node");
    world.add_pod(*index, info);
    world.count_claims(*info, 1);
  }
  return world;
}

}  // namespace coracle::scheduler::testing
