#include "framework/resources.hpp"

#include <algorithm>
#include <limits>

#include "api/quantity.hpp"

namespace coracle::scheduler {
namespace {

template <class Apply>
void merge(Resources& into, const Resources& from, Apply apply) {
  apply(into.cpu_milli, from.cpu_milli);
  apply(into.memory, from.memory);
  apply(into.ephemeral_storage, from.ephemeral_storage);
  for (const auto& [name, amount] : from.scalars) apply(into.scalar_slot(name), amount);
}

// What is more than a number can hold is the most it can: it fits nowhere.
void add_capped(Resources& into, const Resources& from) {
  merge(into, from, [](std::int64_t& a, std::int64_t b) {
    if (__builtin_add_overflow(a, b, &a)) a = std::numeric_limits<std::int64_t>::max();
  });
}

Resources container_requests(const json::value& container, bool assume_defaults) {
  const json::object& requests = get_object(container, "resources.requests");
  Resources r = parse_resources(requests);
  if (assume_defaults) {
    if (!requests.contains("cpu")) r.cpu_milli = kDefaultCpuMilli;
    if (!requests.contains("memory")) r.memory = kDefaultMemory;
  }
  return r;
}

}  // namespace

void Resources::add(const Resources& other) {
  merge(*this, other, [](std::int64_t& a, std::int64_t b) { a += b; });
}

void Resources::subtract(const Resources& other) {
  merge(*this, other, [](std::int64_t& a, std::int64_t b) { a -= b; });
  std::erase_if(scalars, [](const auto& s) { return s.second == 0; });
}

void Resources::raise_to(const Resources& other) {
  merge(*this, other, [](std::int64_t& a, std::int64_t b) { a = std::max(a, b); });
}

std::int64_t Resources::scalar(std::string_view name) const {
  for (const auto& [known, amount] : scalars) {
    if (known == name) return amount;
  }
  return 0;
}

std::int64_t& Resources::scalar_slot(const std::string& name) {
  const auto at = std::lower_bound(scalars.begin(), scalars.end(), name,
                                   [](const auto& s, const auto& n) { return s.first < n; });
  if (at != scalars.end() && at->first == name) return at->second;
  return scalars.insert(at, {name, 0})->second;
}

std::int64_t Resources::amount(std::string_view name) const {
  if (name == "cpu") return cpu_milli;
  if (name == "memory") return memory;
  if (name == "ephemeral-storage") return ephemeral_storage;
  return scalar(name);
}

bool is_extended(std::string_view resource) {
  return resource != "cpu" && resource != "memory" && resource != "ephemeral-storage";
}

Resources parse_resources(const json::object& amounts) {
  Resources r;
  for (const auto& [name, value] : amounts) {
    std::string text;
    if (value.is_string()) {
      text = std::string(value.as_string());
    } else if (value.is_int64()) {
      text = std::to_string(value.as_int64());
    }
    const auto quantity = api::Quantity::parse(text);
    if (!quantity.ok() || name == "pods") continue;
    if (name == "cpu") {
      r.cpu_milli = quantity->milli_value();
    } else if (name == "memory") {
      r.memory = quantity->value();
    } else if (name == "ephemeral-storage") {
      r.ephemeral_storage = quantity->value();
    } else if (quantity->value() != 0) {
      r.scalar_slot(std::string(name)) = quantity->value();
    }
  }
  return r;
}

Resources pod_requests(const json::value& pod, bool assume_defaults) {
  Resources total;
  for (const json::value& container : get_array(pod, "spec.containers")) {
    add_capped(total, container_requests(container, assume_defaults));
  }
  Resources sidecars, largest_step;
  for (const json::value& container : get_array(pod, "spec.initContainers")) {
    Resources step = container_requests(container, assume_defaults);
    if (get_string(container, "restartPolicy") == "Always") {
      add_capped(sidecars, step);
      step = sidecars;  // it starts, and stays, beside those before it
    } else {
      add_capped(step, sidecars);
    }
    largest_step.raise_to(step);
  }
  add_capped(total, sidecars);
  total.raise_to(largest_step);
  const json::object& of_pod = get_object(pod, "spec.resources.requests");
  const Resources pod_level = parse_resources(of_pod);
  if (of_pod.contains("cpu")) total.cpu_milli = pod_level.cpu_milli;
  if (of_pod.contains("memory")) total.memory = pod_level.memory;
  for (const auto& [name, amount] : of_pod) {
    if (!name.starts_with("hugepages-")) continue;
    std::erase_if(total.scalars, [&](const auto& s) { return s.first == name; });
    if (pod_level.scalar(name) != 0) total.scalar_slot(std::string(name)) = pod_level.scalar(name);
  }
  add_capped(total, parse_resources(get_object(pod, "spec.overhead")));
  return total;
}

}  // namespace coracle::scheduler
