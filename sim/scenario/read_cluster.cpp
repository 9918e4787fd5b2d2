#include <fmt/format.h>

#include <map>
#include <set>

#include "api/object.hpp"
#include "api/quantity.hpp"
#include "framework/gpus.hpp"
#include "scenario/read_parts.hpp"
#include "trace/amounts.hpp"

namespace coracle::sim {
namespace {

constexpr std::int64_t kNodesMax = 200'000;

void read_capacity(FieldReader& in, json::object* out) {
  json::object said;
  if (in.need("capacity") != nullptr) in.read("capacity", &said);
  for (const auto& member : said) {
    const std::string name(member.key());
    const std::string at = fmt::format("capacity.{}", name);
    std::string text = member.value().is_string() ? std::string(member.value().get_string())
                                                  : to_json(member.value());
    const auto amount = api::Quantity::parse(text);
    if (!amount.ok() || amount->sign() < 0) {
      in.wrong(
          at, fmt::format("want a quantity like 4, 500m or 16Gi, not {}", to_json(member.value())));
      continue;
    }
    if (const double most = amount_max(name); amount->as_double() > most) {
      in.wrong(at, fmt::format("{} is too much: at most {:.0f}", to_json(member.value()), most));
      continue;
    }
    (*out)[name] = amount->text();
  }
  for (const char* needed : {"cpu", "memory"}) {
    if (in.has("capacity") && !said.contains(needed)) {
      in.wrong(fmt::format("capacity.{}", needed), "required");
    }
  }
  if (!out->contains("pods")) (*out)["pods"] = "110";
}

void read_gpus(FieldReader& in, Problems& problems, NodeClass* out) {
  const json::value* value = in.find("gpus");
  if (value == nullptr) return;
  FieldReader gpus(value, in.path("gpus"), problems);
  std::int64_t count = 1;
  std::string model, resource = kGpuResource;
  if (gpus.need("count") != nullptr) gpus.read("count", &count, 1, 64);
  gpus.read("model", &model);
  gpus.read("resource", &resource);
  // In parts, as the GpuShare plugin gives them out: a device is 1000 of them.
  const bool in_parts = resource == scheduler::kGpuMilli;
  out->capacity[resource] = std::to_string(in_parts ? count * scheduler::kDeviceMilli : count);
  if (!model.empty()) out->labels[kGpuModelLabel] = model;
}

NodeClass read_class(const json::value* value, const std::string& path, Problems& problems) {
  NodeClass out;
  FieldReader in(value, path, problems);
  if (in.need("class") != nullptr) in.read("class", &out.name);
  if (in.need("count") != nullptr) in.read("count", &out.count, 1, kNodesMax);
  in.read("zones", &out.zones);
  in.read("labels", &out.labels);
  in.read("taints", &out.taints);
  read_capacity(in, &out.capacity);
  read_gpus(in, problems, &out);
  // One of them as the apiserver would take it: names, labels, taints.
  const TraceNode node{Duration(0), out.name + "-1", out.capacity, out.labels, out.taints};
  json::value object = node_object(node);
  const Status status = admit(object.as_object());
  if (!out.name.empty() && !status.ok()) {
    problems.add(path, "no such node can be: " + status.message());
  }
  return out;
}

void check_total(FieldReader& in, const std::vector<NodeClass>& classes) {
  std::map<std::string, double> totals;
  for (const NodeClass& one : classes) {
    for (const auto& member : one.capacity) {
      const auto amount = api::Quantity::parse(std::string_view(member.value().as_string()));
      if (!amount.ok()) continue;
      totals[std::string(member.key())] += amount->as_double() * static_cast<double>(one.count);
    }
  }
  for (const auto& [resource, total] : totals) {
    if (total <= kTotalMax) continue;
    in.wrong("nodes",
             fmt::format("{:.3g} of {} in all; at most {:.3g}", total, resource, kTotalMax));
  }
}

}  // namespace

void read_cluster(const json::value* value, const ReadFile& read_file, Problems& problems,
                  ClusterSpec* out) {
  FieldReader in(value, "cluster", problems);
  if (in.read("storeMembers", &out->store_members, 0, 5) && out->store_members != 0 &&
      out->store_members % 2 == 0) {
    in.wrong("storeMembers", "want 1, 3 or 5, or 0 for a store in memory that never fails");
  }
  in.read("apiservers", &out->apiservers, 1, 9);
  in.read("schedulers", &out->schedulers, 1, 9);
  if (in.read("kubeletLease", &out->lease) &&
      (out->lease < std::chrono::seconds(4) || out->lease > std::chrono::hours(24))) {
    in.wrong("kubeletLease", "want 4s to 24h");
  }
  in.read("evictAfter", &out->toleration);
  in.read("decisionTime", &out->decision_time);
  std::set<std::string> names;
  std::int64_t total = 0;
  for (const auto& [element, path] : in.list("nodes")) {
    out->nodes.push_back(read_class(element, path, problems));
    total += out->nodes.back().count;
    if (!names.insert(out->nodes.back().name).second) {
      problems.add(path + ".class", "another class is called so");
    }
  }
  if (total > kNodesMax) {
    in.wrong("nodes", fmt::format("{} nodes in all; at most {}", total, kNodesMax));
  }
  check_total(in, out->nodes);
  const json::value* images = in.find("images");
  if (images == nullptr) return;
  FieldReader catalog(images, in.path("images"), problems);
  std::string file;
  json::array entries;
  if (catalog.read("entries", &entries)) {
    out->images = to_yaml(json::object{{"images", entries}});
  }
  if (catalog.read("file", &file)) {
    if (!entries.empty()) catalog.wrong("file", "there are entries already");
    auto text = read_file(file);
    if (!text.ok()) catalog.wrong("file", text.status().message());
    if (text.ok()) out->images = std::move(*text);
  }
}

}  // namespace coracle::sim
