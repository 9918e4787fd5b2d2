#include <algorithm>
#include <string>

#include "api/columns/cells.hpp"
#include "api/columns/columns.hpp"
#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::api {
namespace {

json::value status(const json::value& node, WallTime) {
  std::string text = "Unknown";
  for (const json::value& condition : get_array(node, "status.conditions")) {
    if (get_string(condition, "type") == "Ready") {
      text = get_string(condition, "status") == "True" ? "Ready" : "NotReady";
    }
  }
  if (get_bool(node, "spec.unschedulable")) {
    text += ",SchedulingDisabled";
  }
  return cells::text(text);
}

json::value roles(const json::value& node, WallTime) {
  constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
  std::vector<std::string> found;
  for (const auto& [key, value] : labels_of(node)) {
    const std::string_view label = key;
    if (label.starts_with(kPrefix) && label.size() > kPrefix.size()) {
      found.emplace_back(label.substr(kPrefix.size()));
    } else if (label == "kubernetes.io/role" && value.is_string() && !value.get_string().empty()) {
      found.push_back(cells::scalar_text(&value));
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return cells::text_or(join(found, ","), cells::kNone);
}

json::value address(const json::value& node, std::string_view type) {
  for (const json::value& entry : get_array(node, "status.addresses")) {
    if (get_string(entry, "type") == type) {
      return cells::text(get_string(entry, "address"));
    }
  }
  return cells::text(cells::kNone);
}

json::value internal_ip(const json::value& node, WallTime) { return address(node, "InternalIP"); }
json::value external_ip(const json::value& node, WallTime) { return address(node, "ExternalIP"); }

json::value os_image(const json::value& node, WallTime) {
  return cells::string_at(node, "status.nodeInfo.osImage", cells::kUnknown);
}

json::value kernel_version(const json::value& node, WallTime) {
  std::string text(get_string(node, "status.nodeInfo.kernelVersion", cells::kUnknown));
  const std::string_view architecture = get_string(node, "status.nodeInfo.architecture");
  if (text.empty()) {
    text = cells::kUnknown;
  } else if (!architecture.empty()) {
    text += " (" + std::string(architecture) + ")";
  }
  return cells::text(text);
}

json::value runtime(const json::value& node, WallTime) {
  return cells::string_at(node, "status.nodeInfo.containerRuntimeVersion", cells::kUnknown);
}

constexpr ColumnHook kColumns[] = {
    {"node.status", status},
    {"node.roles", roles},
    {"node.internalIP", internal_ip},
    {"node.externalIP", external_ip},
    {"node.osImage", os_image},
    {"node.kernelVersion", kernel_version},
    {"node.containerRuntime", runtime},
};

}  // namespace

std::span<const ColumnHook> node_columns() { return kColumns; }

}  // namespace coracle::api
