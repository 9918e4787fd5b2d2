#include "trace/trace.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"

namespace coracle::sim {
namespace {

constexpr std::array<std::string_view, 6> kEventNames{"remove", "fail",     "recover",
                                                      "cordon", "uncordon", "resize"};

}  // namespace

std::string_view event_name(TraceNodeEvent::Kind kind) {
  return kEventNames.at(static_cast<size_t>(kind));
}

Duration at_of(const TraceEvent& event) {
  return std::visit([](const auto& one) { return one.at; }, event);
}

void TraceCounts::count(const TraceEvent& event) {
  switch (event.index()) {
    case 0:
      ++nodes;
      break;
    case 1:
      ++node_events;
      break;
    case 2:
      ++pods;
      break;
    default:
      ++usages;
  }
}

TraceCounts Trace::counts() const {
  TraceCounts counts;
  for (const TraceEvent& event : events) counts.count(event);
  return counts;
}

json::value node_object(const TraceNode& node) {
  json::object allocatable = node.allocatable;
  if (!allocatable.contains("pods")) allocatable["pods"] = "110";
  json::object labels = node.labels;
  if (!labels.contains("kubernetes.io/hostname")) labels["kubernetes.io/hostname"] = node.name;
  json::object spec;
  if (!node.taints.empty()) spec["taints"] = node.taints;
  json::object object;
  object["apiVersion"] = "v1";
  object["kind"] = "Node";
  json::object metadata;
  metadata["name"] = node.name;
  metadata["labels"] = std::move(labels);
  object["metadata"] = std::move(metadata);
  object["spec"] = std::move(spec);
  json::object status;
  status["capacity"] = allocatable;
  status["allocatable"] = std::move(allocatable);
  object["status"] = std::move(status);
  return object;
}

json::array main_container(const json::object& requests) {
  json::object container;
  container["name"] = "main";
  container["image"] = "pause";
  json::object resources;
  resources["requests"] = requests;
  // Extended resources are not overcommitted: the API wants the limit beside the request.
  json::object limits;
  for (const auto& amount : requests) {
    if (amount.key().find('/') != json::string_view::npos) limits[amount.key()] = amount.value();
  }
  if (!limits.empty()) resources["limits"] = std::move(limits);
  container["resources"] = std::move(resources);
  json::array containers;
  containers.push_back(std::move(container));
  return containers;
}

json::value pod_object(const TracePod& pod) {
  json::object metadata;
  metadata["name"] = pod.name;
  metadata["namespace"] = pod.ns;
  if (!pod.labels.empty()) metadata["labels"] = pod.labels;
  if (!pod.annotations.empty()) metadata["annotations"] = pod.annotations;
  json::object spec = pod.spec;
  if (!spec.contains("containers")) spec["containers"] = main_container(pod.requests);
  if (pod.lifetime && !spec.contains("restartPolicy")) spec["restartPolicy"] = "Never";
  json::object object;
  object["apiVersion"] = "v1";
  object["kind"] = "Pod";
  object["metadata"] = std::move(metadata);
  object["spec"] = std::move(spec);
  return object;
}

}  // namespace coracle::sim
