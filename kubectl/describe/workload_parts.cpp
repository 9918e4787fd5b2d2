#include "describe/workload_parts.hpp"

#include "api/object.hpp"
#include "api/selectors.hpp"

namespace coracle::kubectl {

std::string number(const json::value& object, std::string_view path, std::int64_t fallback) {
  return std::to_string(get_int(object, path, fallback));
}

std::string number_or(const json::value& object, std::string_view path, std::string_view missing) {
  const std::string text = text_at(object, path);
  return text.empty() ? std::string(missing) : text;
}

std::string selector_text(const json::value& object) {
  if (api::kind_of(object) == "ReplicationController") {
    return labels_line(get_object(object, "spec.selector"));
  }
  return api::format_label_selector(find(object, "spec.selector"));
}

std::vector<json::value> owned(const DescribeContext& context, std::string_view resource) {
  std::vector<json::value> out;
  for (json::value& item : context.list(resource, context.target.ns,
                                        {{"labelSelector", selector_text(context.object)}})) {
    if (api::is_owned_by(item, api::uid_of(context.object))) out.push_back(std::move(item));
  }
  return out;
}

std::string pods_status(const DescribeContext& context) {
  std::int64_t running = 0, waiting = 0, succeeded = 0, failed = 0;
  for (const json::value& pod : owned(context, "pods")) {
    const std::string phase = text_at(pod, "status.phase");
    running += phase == "Running";
    waiting += phase == "Pending";
    succeeded += phase == "Succeeded";
    failed += phase == "Failed";
  }
  return std::to_string(running) + " Running / " + std::to_string(waiting) + " Waiting / " +
         std::to_string(succeeded) + " Succeeded / " + std::to_string(failed) + " Failed";
}

}  // namespace coracle::kubectl
