// Azure Trace for Packing 2020 (Hadary et al., "Protean", OSDI'20): the tables vmType (id,
// vmTypeId, machineId, core, memory, hdd, ssd, nic: parts of a machine) and vm (vmId, tenantId,
// vmTypeId, priority, starttime, endtime: days), as CSV with a header. The trace tells no number of
// machines: the scenario brings nodes. A whole machine is kCpuMilli, kMemoryMib and kParts of each
// of the others.
#include <fmt/format.h>

#include <cmath>
#include <map>

#include "trace_import/importer.hpp"

namespace coracle::sim {
namespace {

constexpr double kCpuMilli = 100'000, kMemoryMib = 1000 * 1024, kParts = 1'000'000;
constexpr double kDay = 86'400;

struct Size {
  std::int64_t cpu_milli = 0, memory_mib = 0;
  json::object requests;
};
using Sizes = std::map<std::string, std::map<std::string, Size>>;  // machineId -> vmTypeId

Result<Sizes> read_types(Csv& csv) {
  RETURN_IF_ERROR(
      csv.must_have({"id", "vmTypeId", "machineId", "core", "memory", "hdd", "ssd", "nic"}));
  Sizes sizes;
  while (true) {
    ASSIGN_OR_RETURN(const bool any, csv.next());
    if (!any) return sizes;
    ASSIGN_OR_RETURN(const double core, csv.number("core"));
    ASSIGN_OR_RETURN(const double memory, csv.number("memory"));
    Size size;
    size.cpu_milli = std::llround(core * kCpuMilli);
    size.memory_mib = std::llround(memory * kMemoryMib);
    size.requests = amounts_of(size.cpu_milli, size.memory_mib);
    for (const char* other : {"hdd", "ssd", "nic"}) {
      ASSIGN_OR_RETURN(const std::optional<double> part, csv.number_or_none(other));
      if (part.value_or(0) == 0) continue;
      size.requests[std::string("lab.coracle.dev/azure-") + other] =
          std::to_string(std::llround(*part * kParts));
    }
    if (!sizes[csv.text("machineId")].emplace(csv.text("vmTypeId"), std::move(size)).second) {
      return csv.wrong("vmTypeId", "is there twice for its machineId");
    }
  }
}

// The machine most types run on: one request is of one machine.
std::string commonest(const Sizes& sizes) {
  std::string best;
  size_t most = 0;
  for (const auto& [machine, types] : sizes) {
    if (types.size() <= most) continue;
    most = types.size();
    best = machine;
  }
  return best;
}

Duration of_days(double days) { return std::chrono::microseconds(std::llround(days * kDay * 1e6)); }

}  // namespace

Result<Imported> import_azure_packing(std::vector<SourceFile>& files) {
  ASSIGN_OR_RETURN(Csv types, Csv::open(*files[0].in, files[0].name));
  ASSIGN_OR_RETURN(const Sizes sizes, read_types(types));
  if (sizes.empty()) return invalid_argument(files[0].name + ": has no VM types");
  const std::string machine = commonest(sizes);
  const auto& of_machine = sizes.at(machine);

  Imported imported;
  imported.trace.name = "azure-packing-2020";
  imported.trace.source = fmt::format("Azure Trace for Packing 2020, sizes on machine {}", machine);
  LeftOut left_out;
  std::int64_t cpu = 0, memory = 0, began_before = 0;
  ASSIGN_OR_RETURN(Csv vms, Csv::open(*files[1].in, files[1].name));
  RETURN_IF_ERROR(
      vms.must_have({"vmId", "tenantId", "vmTypeId", "priority", "starttime", "endtime"}));
  while (true) {
    ASSIGN_OR_RETURN(const bool any, vms.next());
    if (!any) break;
    ASSIGN_OR_RETURN(const double start, vms.signed_number("starttime"));
    std::optional<double> end;
    if (!vms.text("endtime").empty() && vms.text("endtime") != "NULL") {
      ASSIGN_OR_RETURN(end, vms.signed_number("endtime"));
      if (*end < start) return vms.wrong("endtime", "is before starttime");
    }
    ASSIGN_OR_RETURN(const std::int64_t priority, vms.whole("priority"));
    const auto size = of_machine.find(vms.text("vmTypeId"));
    if (size == of_machine.end()) {
      left_out.count("VMs of types that machine " + machine + " does not run");
      continue;
    }
    if (end && *end < 0) {
      left_out.count("VMs that ended before the trace began");
      continue;
    }
    if (start < 0) ++began_before;
    TracePod pod;
    pod.name = "vm-" + vms.text("vmId");
    pod.at = of_days(std::max(0.0, start));
    if (end) pod.until = of_days(*end);
    pod.requests = size->second.requests;
    pod.labels["tenant"] = vms.text("tenantId");
    pod.labels["vm-type"] = vms.text("vmTypeId");
    pod.spec["priority"] = priority == 0 ? 1 : 0;  // 0 is the high one there
    cpu += size->second.cpu_milli;
    memory += size->second.memory_mib;
    imported.trace.events.emplace_back(std::move(pod));
  }
  imported.checks = {
      {"VMs", vms.rows() - left_out.total(), imported.trace.counts().pods},
      {"cpu milli", cpu, sum_of_pods(imported.trace, "cpu", true)},
      {"memory MiB", memory, sum_of_pods(imported.trace, "memory", false) >> 20},
  };
  imported.left_out = left_out.texts();
  if (began_before > 0) {
    imported.left_out.push_back(
        fmt::format("the time before the trace of {} VMs: they arrive at 0", began_before));
  }
  return imported;
}

}  // namespace coracle::sim
