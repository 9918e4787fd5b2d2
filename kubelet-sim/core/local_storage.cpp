#include "kubelet/local_storage.hpp"

#include <fmt/format.h>

#include "api/quantity.hpp"

namespace coracle::kubelet {
namespace {

constexpr char kLimit[] = "resources.limits.ephemeral-storage";

// What is not there, or no quantity, is no limit.
std::optional<api::Quantity> quantity_at(const json::value& object, std::string_view path) {
  const json::value* text = find(object, path);
  if (text == nullptr || !text->is_string()) return std::nullopt;
  const auto parsed = api::Quantity::parse(text->get_string());
  return parsed.ok() ? std::optional(*parsed) : std::nullopt;
}

// 0 is no limit, as upstream has it.
std::optional<api::Quantity> size_limit(const json::value& volume) {
  const auto limit = quantity_at(volume, "emptyDir.sizeLimit");
  return limit && limit->sign() > 0 ? limit : std::nullopt;
}

std::int64_t bytes_of(const std::map<std::string, std::int64_t>& use, const json::value& named) {
  const auto found = use.find(std::string(get_string(named, "name")));
  return found == use.end() ? 0 : found->second;
}

bool in_memory(const json::value& volume) {
  return get_string(volume, "emptyDir.medium") == "Memory";
}

std::optional<std::string> over_pod_limit(const json::value& pod, const StorageUse& use) {
  api::Quantity limit;
  bool limited = false;
  std::int64_t bytes = 0;
  for (const json::value& container : get_array(pod, "spec.containers")) {
    bytes += bytes_of(use.containers, container);
    if (const auto own = quantity_at(container, kLimit)) {
      limit.add(*own);
      limited = true;
    }
  }
  for (const json::value& volume : get_array(pod, "spec.volumes")) {
    if (!in_memory(volume)) bytes += bytes_of(use.empty_dirs, volume);
  }
  if (!limited || bytes <= limit.value()) return std::nullopt;
  return fmt::format("Pod ephemeral local storage usage exceeds the total limit of containers {}. ",
                     limit.text());
}

}  // namespace

bool has_storage_limit(const json::value& pod) {
  for (const json::value& volume : get_array(pod, "spec.volumes")) {
    if (size_limit(volume)) return true;
  }
  for (const json::value& container : get_array(pod, "spec.containers")) {
    if (quantity_at(container, kLimit)) return true;
  }
  return false;
}

std::optional<std::string> over_storage_limit(const json::value& pod, const StorageUse& use) {
  for (const json::value& volume : get_array(pod, "spec.volumes")) {
    const auto limit = size_limit(volume);
    if (!limit || bytes_of(use.empty_dirs, volume) <= limit->value()) continue;
    return fmt::format("Usage of EmptyDir volume \"{}\" exceeds the limit \"{}\". ",
                       get_string(volume, "name"), limit->text());
  }
  if (auto why = over_pod_limit(pod, use)) return why;
  for (const json::value& container : get_array(pod, "spec.containers")) {
    const auto limit = quantity_at(container, kLimit);
    if (!limit || bytes_of(use.containers, container) <= limit->value()) continue;
    return fmt::format("Container {} exceeded its local ephemeral storage limit \"{}\". ",
                       get_string(container, "name"), limit->text());
  }
  return std::nullopt;
}

}  // namespace coracle::kubelet
