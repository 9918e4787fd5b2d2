#include "kubelet/eviction.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/object.hpp"
#include "api/quantity.hpp"

namespace coracle::kubelet {
namespace {

constexpr std::int64_t kSystemCritical = 2'000'000'000;
constexpr char kMemory[] = "memory", kDisk[] = "ephemeral-storage";

std::string binary_text(std::int64_t bytes) {
  return api::Quantity::from_units(bytes, api::QuantityFormat::kBinarySI).text();
}

api::Quantity request_of(const json::value& container, const std::string& resource) {
  const json::object& requests = get_object(container, "resources.requests");
  const json::value* text = requests.if_contains(resource);
  if (text == nullptr) return {};
  const auto parsed =
      api::Quantity::parse(text->is_string() ? std::string(text->get_string()) : to_json(*text));
  return parsed.ok() ? *parsed : api::Quantity();
}

std::int64_t requests_of(const json::value& pod, const std::string& resource) {
  std::int64_t sum = 0;
  for (const json::value& c : get_array(pod, "spec.containers")) {
    sum += request_of(c, resource).value();
  }
  return sum;
}

std::string message_of(const EvictionCandidate& who, const std::string& resource,
                       std::int64_t threshold, std::int64_t available) {
  std::string text =
      fmt::format("The node was low on resource: {}. Threshold quantity: {}, available: {}. ",
                  resource, binary_text(threshold), binary_text(available));
  for (const json::value& c : get_array(*who.pod, "spec.containers")) {
    for (const ContainerUse& use : who.use->containers) {
      if (use.name != get_string(c, "name")) continue;
      const std::int64_t bytes = resource == kMemory ? use.memory_bytes : use.disk_bytes;
      const api::Quantity request = request_of(c, resource);
      if (bytes <= request.value()) continue;
      text +=
          fmt::format("Container {} was using {}, request is {}, has larger consumption of {}. ",
                      use.name, binary_text(bytes), request.text(), resource);
    }
  }
  return text;
}

// BestEffort: nothing is asked for, nothing limited.
bool asks_for_nothing(const json::value& pod) {
  for (const char* list : {"spec.containers", "spec.initContainers"}) {
    for (const json::value& c : get_array(pod, list)) {
      for (const char* kind : {"resources.requests", "resources.limits"}) {
        const json::object& amounts = get_object(c, kind);
        if (amounts.contains("cpu") || amounts.contains(kMemory)) return false;
      }
    }
  }
  return true;
}

bool tolerates(const json::value& pod, std::string_view taint) {
  for (const json::value& t : get_array(pod, "spec.tolerations")) {
    const std::string_view key = get_string(t, "key"), effect = get_string(t, "effect");
    const bool all = key.empty() && get_string(t, "operator") == "Exists";
    if ((all || key == taint) && (effect.empty() || effect == "NoSchedule")) return true;
  }
  return false;
}

}  // namespace

bool NodePressure::Flag::see(bool now_short, Instant now) {
  if (now_short) seen = now.now;
  const bool wanted = now_short || (on && now.now - seen < kPressureStays);
  if (wanted == on) return false;
  on = wanted;
  since = now.wall;
  return true;
}

bool NodePressure::see(const NodeFill& fill, Instant now) {
  const bool memory_changed = memory_.see(fill.memory_short(), now);
  return disk_.see(fill.disk_short(), now) || memory_changed;
}

bool is_critical(const json::value& pod) {
  for (const char* kind : {"kubernetes.io/config.mirror", "kubernetes.io/config.source"}) {
    const std::string_view value = api::annotation_of(pod, kind);
    if (!value.empty() && value != "api") return true;
  }
  return get_int(pod, "spec.priority") >= kSystemCritical;
}

std::optional<Eviction> choose_eviction(const NodeFill& fill,
                                        const std::vector<EvictionCandidate>& pods) {
  const bool memory = fill.memory_short();
  if (!memory && !fill.disk_short()) return std::nullopt;
  const std::string resource = memory ? kMemory : kDisk;
  struct Ranked {
    const EvictionCandidate* who = nullptr;
    std::int64_t priority = 0, over = 0;
  };
  std::vector<Ranked> ranked;
  for (const EvictionCandidate& c : pods) {
    if (is_critical(*c.pod)) continue;
    const std::int64_t used = memory ? c.use->memory_bytes : c.use->disk_bytes;
    ranked.push_back({&c, get_int(*c.pod, "spec.priority"), used - requests_of(*c.pod, resource)});
  }
  if (ranked.empty()) return std::nullopt;
  const auto first =
      std::min_element(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) {
        if ((a.over > 0) != (b.over > 0)) return a.over > 0;
        if (a.priority != b.priority) return a.priority < b.priority;
        return a.over > b.over;
      });
  const std::int64_t capacity = memory ? fill.memory_capacity : fill.disk_capacity;
  const std::int64_t used = memory ? fill.memory_bytes : fill.disk_bytes;
  const std::int64_t threshold =
      memory ? kMemoryLeft : static_cast<std::int64_t>(kDiskLeft * static_cast<double>(capacity));
  return Eviction{
      first->who->use->uid,
      message_of(*first->who, resource, threshold, std::max<std::int64_t>(0, capacity - used)),
      resource};
}

std::string refuse_under_pressure(const json::value& pod, const NodePressure& pressure) {
  if (is_critical(pod)) return {};
  if (!pressure.memory() && !pressure.disk()) return {};
  if (pressure.memory() && !pressure.disk()) {
    if (!asks_for_nothing(pod) || tolerates(pod, "node.kubernetes.io/memory-pressure")) return {};
  }
  std::string conditions;
  if (pressure.disk()) conditions += "DiskPressure";
  if (pressure.memory())
    conditions += std::string(conditions.empty() ? "" : " ") + "MemoryPressure";
  return fmt::format("The node had condition: [{}]. ", conditions);
}

}  // namespace coracle::kubelet
