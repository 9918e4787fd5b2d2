#include "kubelet_driver/device_publisher.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "base/log.hpp"

namespace coracle::kubelet {
namespace {

Status to_status(const client::ApiError& error) { return {error.code, error.message}; }

client::ListOptions published() {
  client::ListOptions options;
  options.label_selector = std::string(kDevicesLabel) + "=true";
  return options;
}

}  // namespace

DevicePublisher::DevicePublisher(Executor& executor, client::Api& api, NodeAgent& nodes,
                                 std::vector<DeviceSet> everywhere)
    : nodes_(nodes),
      everywhere_(std::move(everywhere)),
      slices_(api, {"resource.k8s.io", "v1", "resourceslices", false}),
      events_(executor, api),
      queue_(executor, kPublishWorkers, [this](const std::string& node, auto finish) {
        spawn<Status>(sync(node), [node, finish](const Status& status) {
          if (!status.ok()) log::warn("devices of {}: {}", node, status.message());
          finish({status.ok() ? client::WorkQueueDriver::Outcome::kDone
                              : client::WorkQueueDriver::Outcome::kRetry,
                  {}});
        });
      }) {
  nodes_.on_annotations([this](const std::string& node, const json::object& annotations) {
    if (nodes_.find(node) != nullptr) on_annotations(node, annotations);
  });
}

void DevicePublisher::start() {
  queue_.start();
  spawn<Status>(look_at_old(), [](const Status& status) {
    if (!status.ok()) log::warn("devices that were announced before: {}", status.message());
  });
}

void DevicePublisher::on_annotations(const std::string& node, const json::object& annotations) {
  const json::value* text = annotations.if_contains(kDevicesAnnotation);
  std::vector<DeviceSet> sets = everywhere_;
  if (text != nullptr && text->is_string()) {
    auto parsed = parse_device_sets(text->get_string());
    if (!parsed.ok()) {
      events_.tell(
          node, "Warning", "DevicesNotPublished",
          std::string("annotation ") + kDevicesAnnotation + ": " + parsed.status().message());
      return;
    }
    sets = *std::move(parsed);
  }
  if (sets.empty() && !wanted_.contains(node)) return;
  wanted_[node] = std::move(sets);
  queue_.add(node);
}

Task<Status> DevicePublisher::look_at_old() {
  const auto list = co_await slices_.list_all(published());
  if (!list.ok()) co_return to_status(list.error());
  for (const json::value& slice : get_array(list.value(), "items")) {
    const std::string node(get_string(slice, "spec.nodeName"));
    if (nodes_.find(node) == nullptr) continue;
    wanted_.try_emplace(node, everywhere_);
    queue_.add(node);
  }
  co_return Status();
}

Task<Status> DevicePublisher::sync(std::string node) {
  if (nodes_.uid(node).empty()) co_return unavailable("the node is not registered yet");
  client::ListOptions options = published();
  options.field_selector = "spec.nodeName=" + node;
  auto list = co_await slices_.list_all(options);
  if (!list.ok()) co_return to_status(list.error());
  const std::vector<DeviceSet> sets = wanted_[node];
  std::map<std::string, json::value> there;  // by driver
  for (const json::value& slice : get_array(list.value(), "items")) {
    there.emplace(get_string(slice, "spec.driver"), slice);
  }
  for (const DeviceSet& set : sets) {
    const auto found = there.find(set.driver);
    const Status status =
        co_await put(node, set, found == there.end() ? json::value() : found->second);
    if (!status.ok()) co_return status;
    if (found != there.end()) there.erase(found);
  }
  for (const auto& [driver, slice] : there) {
    const auto gone = co_await slices_.remove("", std::string(api::name_of(slice)));
    if (!gone.ok() && !gone.error().is_not_found()) co_return to_status(gone.error());
  }
  co_return Status();
}

// `slice`: as it is; null: there is none.
Task<Status> DevicePublisher::put(std::string node, DeviceSet set, json::value slice) {
  json::value wanted =
      device_slice(set, node, nodes_.uid(node), get_int(slice, "spec.pool.generation") + 1);
  if (slice.is_null()) {
    const auto made = co_await slices_.create("", wanted);
    co_return made.ok() ? Status() : to_status(made.error());
  }
  if (same_devices(slice, wanted)) co_return Status();
  set_path(wanted, "metadata.resourceVersion", json::value(api::resource_version_of(slice)));
  const auto written = co_await slices_.update(wanted);
  co_return written.ok() ? Status() : to_status(written.error());
}

}  // namespace coracle::kubelet
