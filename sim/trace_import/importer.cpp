#include "trace_import/importer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/quantity.hpp"
#include "base/strings.hpp"
#include "trace/trace_check.hpp"

namespace coracle::sim {
namespace {

constexpr Importer kImporters[] = {
    {"openb", "NODES.csv PODS.csv", "Alibaba cluster-trace-gpu-v2023 (OpenB)", 2, 2, import_openb},
    {"azure-packing", "vmType.csv vm.csv",
     "Azure Trace for Packing 2020: its tables, exported with a header", 2, 2,
     import_azure_packing},
    {"alibaba2018", "machine_meta.csv batch_task.csv container_meta.csv",
     "Alibaba cluster-trace-v2018", 3, 3, import_alibaba2018},
    {"google2019", "machine_events instance_events [collection_events]",
     "Google clusterdata-2019: JSON Lines, or CSV with resource_request.cpus and the like", 2, 3,
     import_google2019},
    {"philly", "cluster_machine_list cluster_job_log", "Microsoft Philly (ATC'19)", 2, 2,
     import_philly},
};

}  // namespace

std::span<const Importer> importers() { return kImporters; }

Result<Imported> import_trace(std::string_view kind, std::vector<SourceFile> files) {
  std::vector<std::string> names;
  for (const Importer& importer : kImporters) {
    names.emplace_back(importer.kind);
    if (importer.kind != kind) continue;
    if (files.size() < importer.files_min || files.size() > importer.files_max) {
      return invalid_argument(
          fmt::format("{} wants the files {}; there are {}", kind, importer.files, files.size()));
    }
    ASSIGN_OR_RETURN(Imported imported, importer.import(files));
    RETURN_IF_ERROR(finish_import(imported));
    return imported;
  }
  return not_found(
      fmt::format("there is no importer \"{}\"; there are {}", kind, join(names, ", ")));
}

Status finish_import(Imported& imported) {
  auto& events = imported.trace.events;
  std::stable_sort(events.begin(), events.end(), [](const TraceEvent& a, const TraceEvent& b) {
    return std::pair(at_of(a), a.index()) < std::pair(at_of(b), b.index());
  });
  RETURN_IF_ERROR(check_trace(imported.trace));
  for (const ImportCheck& check : imported.checks) {
    if (check.read == check.made) continue;
    return data_loss(
        fmt::format("{}: the files have {}, the trace has {}", check.what, check.read, check.made));
  }
  return {};
}

void LeftOut::count(const std::string& why) { ++counts_[why]; }

std::int64_t LeftOut::total() const {
  std::int64_t total = 0;
  for (const auto& [why, count] : counts_) total += count;
  return total;
}

std::vector<std::string> LeftOut::texts() const {
  std::vector<std::string> texts;
  for (const auto& [why, count] : counts_) texts.push_back(fmt::format("{} {}", count, why));
  return texts;
}

json::object amounts_of(std::int64_t cpu_milli, std::int64_t memory_mib) {
  json::object amounts;
  amounts["cpu"] = api::Quantity::from_milli(cpu_milli).text();
  amounts["memory"] = fmt::format("{}Mi", memory_mib);
  return amounts;
}

std::int64_t amount_in(const json::object& amounts, std::string_view resource, bool milli) {
  const json::value* text = amounts.if_contains(resource);
  if (text == nullptr || !text->is_string()) return 0;
  const auto quantity = api::Quantity::parse(std::string_view(text->as_string()));
  if (!quantity.ok()) return 0;
  return milli ? quantity->milli_value() : quantity->value();
}

std::int64_t sum_of_pods(const Trace& trace, std::string_view resource, bool milli) {
  std::int64_t sum = 0;
  for (const TraceEvent& event : trace.events) {
    const auto* pod = std::get_if<TracePod>(&event);
    if (pod != nullptr) sum += amount_in(pod->requests, resource, milli);
  }
  return sum;
}

std::int64_t sum_of_nodes(const Trace& trace, std::string_view resource, bool milli) {
  std::int64_t sum = 0;
  for (const TraceEvent& event : trace.events) {
    const auto* node = std::get_if<TraceNode>(&event);
    if (node != nullptr) sum += amount_in(node->allocatable, resource, milli);
  }
  return sum;
}

}  // namespace coracle::sim
