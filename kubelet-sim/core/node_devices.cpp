#include "kubelet/node_devices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/object.hpp"
#include "api/quantity.hpp"
#include "base/strings.hpp"

namespace coracle::kubelet {
namespace {

constexpr std::size_t kTextMax = 64;  // of an attribute's value

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_version(std::string_view text) {
  const std::vector<std::string> parts = split(text, '.');
  return parts.size() == 3 && std::ranges::all_of(parts, is_number) &&
         std::ranges::none_of(parts, [](const auto& p) { return p.size() > 1 && p[0] == '0'; });
}

// What the form of a value says it is.
void add_value(const std::string& name, const std::string& value, DeviceSet* set) {
  long long number = 0;
  if (parse_int(value, &number)) {
    set->attributes[name] = json::object{{"int", number}};
  } else if (value == "true" || value == "false") {
    set->attributes[name] = json::object{{"bool", value == "true"}};
  } else if (is_version(value)) {
    set->attributes[name] = json::object{{"version", value}};
  } else if (api::Quantity::parse(value).ok()) {
    set->capacity[name] = json::object{{"value", value}};
  } else {
    set->attributes[name] = json::object{{"string", value}};
  }
}

Result<DeviceSet> parse_set(std::string_view text) {
  std::vector<std::string> words = split(text, ' ');
  std::erase(words, "");
  const auto wrong = [&](const std::string& why) {
    return invalid_argument(
        fmt::format("\"{}\": {}; it should be like \"gpu.coracle.dev 2 model=a100 memory=40Gi\"",
                    trim(text), why));
  };
  DeviceSet set;
  set.driver = words[0];
  if (!api::check_dns1123_subdomain(set.driver).empty() || set.driver.size() > kTextMax - 1) {
    return wrong("\"" + set.driver + "\" is no name of a driver");
  }
  long long count = 0;
  if (words.size() < 2 || !parse_int(words[1], &count) || count < 0 || count > kDevicesMax) {
    return wrong(fmt::format("behind the driver is how many there are, 0 to {}", kDevicesMax));
  }
  set.count = static_cast<int>(count);
  for (std::size_t i = 2; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    const std::string name = words[i].substr(0, equals);
    if (equals == std::string::npos || name.empty() || equals + 1 == words[i].size() ||
        words[i].size() - equals > kTextMax) {
      return wrong("\"" + words[i] + "\" is no NAME=VALUE");
    }
    add_value(name, words[i].substr(equals + 1), &set);
  }
  return set;
}

json::value device(const DeviceSet& set, const std::string& node, int index) {
  const std::string name = fmt::format("{}-{}", set.driver.substr(0, set.driver.find('.')), index);
  json::object attributes = set.attributes;
  attributes["index"] = json::object{{"int", index}};
  std::string uuid = fmt::format("{}-{}", node, name);
  if (uuid.size() > kTextMax) uuid = uuid.substr(uuid.size() - kTextMax);
  attributes["uuid"] = json::object{{"string", uuid}};
  json::object out{{"name", name}, {"attributes", std::move(attributes)}};
  if (!set.capacity.empty()) out["capacity"] = set.capacity;
  return out;
}

}  // namespace

Result<std::vector<DeviceSet>> parse_device_sets(std::string_view text) {
  std::vector<DeviceSet> sets;
  std::set<std::string> drivers;
  for (const std::string& part : split(text, ';')) {
    if (trim(part).empty()) continue;
    ASSIGN_OR_RETURN(DeviceSet set, parse_set(part));
    if (!drivers.insert(set.driver).second) {
      return invalid_argument(fmt::format("the driver {} is there twice", set.driver));
    }
    if (set.count > 0) sets.push_back(std::move(set));
  }
  return sets;
}

json::value device_slice(const DeviceSet& set, const std::string& node, const std::string& node_uid,
                         std::int64_t generation) {
  json::value slice = json::object{{"apiVersion", "resource.k8s.io/v1"}, {"kind", "ResourceSlice"}};
  json::object& metadata = make_object(slice, "metadata");
  metadata["name"] = node + "-" + set.driver;
  metadata["labels"] = json::object{{kDevicesLabel, "true"}};
  json::array owners;
  owners.push_back(
      json::object{{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node}, {"uid", node_uid}});
  metadata["ownerReferences"] = std::move(owners);
  json::object& spec = make_object(slice, "spec");
  spec["driver"] = set.driver;
  spec["pool"] =
      json::object{{"name", node}, {"generation", generation}, {"resourceSliceCount", 1}};
  spec["nodeName"] = node;
  json::array devices;
  for (int i = 0; i < set.count; ++i) devices.push_back(device(set, node, i));
  spec["devices"] = std::move(devices);
  return slice;
}

bool same_devices(const json::value& slice, const json::value& other) {
  return sorted_keys(get_array(slice, "spec.devices")) ==
         sorted_keys(get_array(other, "spec.devices"));
}

}  // namespace coracle::kubelet
