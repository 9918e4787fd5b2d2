// Google clusterdata-2019 (Tirmazi et al., "Borg: the Next Generation", EuroSys'20):
// machine_events, instance_events and, for names, collection_events; as JSON Lines or CSV
// (records.hpp). Times are microseconds; 0: before the trace began, 2^63-1: after its end. The
// largest machine's CPU and memory are 1, which becomes 100 CPU and 1000 GiB. Alloc sets, which
// only hold room for others, are left out; who runs in one is a pod like others.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <map>

#include "trace_import/importer.hpp"
#include "trace_import/records.hpp"

namespace coracle::sim {
namespace {

constexpr double kCpuMilli = 100'000, kMemoryMib = 1000 * 1024;

// Of instances and collections, as the trace numbers them.
enum class Type {
  kSubmit,
  kQueue,
  kEnable,
  kSchedule,
  kEvict,
  kFail,
  kFinish,
  kKill,
  kLost,
  kUpdatePending,
  kUpdateRunning
};
enum class MachineType { kAdd = 1, kRemove = 2, kUpdate = 3 };

struct Amounts {
  std::int64_t cpu_milli = 0, memory_mib = 0;
};

struct Instance {
  size_t event = 0;  // of its pod, in the trace
  bool there = false;
  std::optional<Duration> scheduled;
  int times = 0;  // submitted
};

Result<std::optional<Duration>> time_of(const Records& row) {
  ASSIGN_OR_RETURN(const std::optional<std::int64_t> time, row.whole("time"));
  if (!time) return row.wrong("time", "is missing");
  if (*time < 0) return row.wrong("time", fmt::format("{} is negative", *time));
  if (*time == std::numeric_limits<std::int64_t>::max()) return std::optional<Duration>();
  return std::optional<Duration>(std::chrono::microseconds(*time));
}

Result<int> type_of(const Records& row, int least, int most) {
  ASSIGN_OR_RETURN(const std::optional<std::int64_t> type, row.whole("type"));
  if (!type) return row.wrong("type", "is missing");
  if (*type < least || *type > most) {
    return row.wrong("type", fmt::format("{} is not in {}..{}", *type, least, most));
  }
  return static_cast<int>(*type);
}

Result<std::optional<Amounts>> amounts(const Records& row, const std::string& of) {
  ASSIGN_OR_RETURN(const std::optional<double> cpus, row.number(of + ".cpus"));
  ASSIGN_OR_RETURN(const std::optional<double> memory, row.number(of + ".memory"));
  if (!cpus || !memory) return std::optional<Amounts>();
  return std::optional(
      Amounts{std::llround(*cpus * kCpuMilli), std::llround(*memory * kMemoryMib)});
}

json::object allocatable(const Amounts& capacity) {
  json::object amounts = amounts_of(capacity.cpu_milli, capacity.memory_mib);
  amounts["pods"] = "1000";
  return amounts;
}

class Machines {
 public:
  explicit Machines(Imported& imported, LeftOut& left_out)
      : trace_(imported.trace), left_out_(left_out) {}

  Status read(const Records& row) {
    ASSIGN_OR_RETURN(const std::optional<Duration> at, time_of(row));
    ASSIGN_OR_RETURN(const std::optional<std::string> id, row.text("machine_id"));
    ASSIGN_OR_RETURN(const int type, type_of(row, 1, 3));
    ASSIGN_OR_RETURN(const std::optional<Amounts> capacity, amounts(row, "capacity"));
    if (!id) return row.wrong("machine_id", "is missing");
    if (!at) return row.wrong("time", "a machine's event after the end of the trace");
    bool& there = there_[*id];
    const std::string name = "machine-" + *id;
    if (type == static_cast<int>(MachineType::kRemove)) {
      if (!there) return left_out("removals of machines that were not there");
      there = false;
      return add(TraceNodeEvent{*at, name, TraceNodeEvent::Kind::kRemove, {}});
    }
    if (!capacity) return left_out("machines whose capacity is not told");
    if (there) {
      return add(TraceNodeEvent{*at, name, TraceNodeEvent::Kind::kResize, allocatable(*capacity)});
    }
    there = true;
    TraceNode node;
    node.at = *at;
    node.name = name;
    node.allocatable = allocatable(*capacity);
    return add(std::move(node));
  }

 private:
  Status add(TraceEvent event) {
    trace_.events.push_back(std::move(event));
    return {};
  }
  Status left_out(const char* why) {
    left_out_.count(why);
    return {};
  }

  Trace& trace_;
  LeftOut& left_out_;
  std::map<std::string, bool> there_;
};

class Instances {
 public:
  Instances(Imported& imported, LeftOut& left_out, const std::map<std::string, std::string>& users)
      : trace_(imported.trace), left_out_(left_out), users_(users) {}

  Status read(const Records& row) {
    ASSIGN_OR_RETURN(const std::optional<Duration> at, time_of(row));
    ASSIGN_OR_RETURN(const int type, type_of(row, 0, 10));
    ASSIGN_OR_RETURN(const std::optional<std::string> collection, row.text("collection_id"));
    ASSIGN_OR_RETURN(const std::optional<std::int64_t> index, row.whole("instance_index"));
    ASSIGN_OR_RETURN(const std::optional<std::int64_t> kind, row.whole("collection_type"));
    if (!collection) return row.wrong("collection_id", "is missing");
    if (!index) return row.wrong("instance_index", "is missing");
    if (kind.value_or(0) != 0) return left_out("events of alloc sets");
    const std::string key = fmt::format("{}-{}", *collection, *index);
    Instance& instance = instances_[key];
    switch (static_cast<Type>(type)) {
      case Type::kSubmit:
        if (instance.there || !at) return left_out("submissions of instances that are there");
        return arrive(row, instance, key, *collection, *at);
      case Type::kSchedule:
        if (!instance.there && at) RETURN_IF_ERROR(arrive(row, instance, key, *collection, *at));
        return schedule(row, instance, at);
      case Type::kFail:
      case Type::kFinish:
        return end(instance, at, true, static_cast<Type>(type) == Type::kFail);
      case Type::kKill:
      case Type::kLost:
        return end(instance, at, false, false);
      case Type::kQueue:
      case Type::kEnable:
        return left_out("events of the batch queue");
      case Type::kEvict:
        return left_out("evictions: another scheduler decides anew");
      case Type::kUpdatePending:
      case Type::kUpdateRunning:
        return left_out("changes of what a pod requests");
    }
    return {};
  }
  std::int64_t pods() const { return pods_; }
  const Amounts& sum() const { return sum_; }

 private:
  Status left_out(const char* why) {
    left_out_.count(why);
    return {};
  }

  Status arrive(const Records& row, Instance& instance, const std::string& key,
                const std::string& collection, Duration at) {
    ASSIGN_OR_RETURN(const std::optional<Amounts> request, amounts(row, "resource_request"));
    ASSIGN_OR_RETURN(const std::optional<std::int64_t> priority, row.whole("priority"));
    if (!request) return left_out("instances that do not say what they need");
    TracePod pod;
    pod.at = at;
    pod.name = instance.times == 0 ? key : fmt::format("{}-{}", key, instance.times);
    pod.requests = amounts_of(request->cpu_milli, request->memory_mib);
    pod.labels["collection"] = collection;
    const auto user = users_.find(collection);
    if (user != users_.end()) pod.annotations["google/user"] = user->second;
    if (priority) pod.spec["priority"] = *priority;
    instance.event = trace_.events.size();
    instance.there = true;
    instance.scheduled.reset();
    ++instance.times;
    ++pods_;
    sum_.cpu_milli += request->cpu_milli;
    sum_.memory_mib += request->memory_mib;
    trace_.events.emplace_back(std::move(pod));
    return {};
  }

  Status schedule(const Records& row, Instance& instance, std::optional<Duration> at) {
    if (!instance.there || !at) return {};
    ASSIGN_OR_RETURN(const std::optional<std::int64_t> machine, row.whole("machine_id"));
    TracePod& pod = std::get<TracePod>(trace_.events[instance.event]);
    if (*at < pod.at) return row.wrong("time", "is before the instance was submitted");
    if (!instance.scheduled && machine.value_or(0) > 0) {
      pod.placed_on = fmt::format("machine-{}", *machine);
      pod.placed_at = *at;
    }
    instance.scheduled = at;
    return {};
  }

  // By itself after it ran: it would run as long elsewhere. Else its owner ended it then.
  Status end(Instance& instance, std::optional<Duration> at, bool by_itself, bool fails) {
    if (!instance.there) return left_out("ends of instances that are not there");
    TracePod& pod = std::get<TracePod>(trace_.events[instance.event]);
    instance.there = false;
    if (!at) return {};
    if (*at < pod.at) return left_out("ends before the submission");
    if (by_itself && instance.scheduled && *instance.scheduled <= *at) {
      pod.lifetime = *at - *instance.scheduled;
      pod.fails = fails;
    } else {
      pod.until = *at;
    }
    return {};
  }

  Trace& trace_;
  LeftOut& left_out_;
  const std::map<std::string, std::string>& users_;
  std::map<std::string, Instance> instances_;
  std::int64_t pods_ = 0;
  Amounts sum_;
};

Result<std::map<std::string, std::string>> read_users(SourceFile& file) {
  std::map<std::string, std::string> users;
  ASSIGN_OR_RETURN(Records rows, Records::open(*file.in, file.name, {"collection_id", "user"}));
  while (true) {
    ASSIGN_OR_RETURN(const bool any, rows.next());
    if (!any) return users;
    ASSIGN_OR_RETURN(const std::optional<std::string> id, rows.text("collection_id"));
    ASSIGN_OR_RETURN(const std::optional<std::string> user, rows.text("user"));
    if (!id) return rows.wrong("collection_id", "is missing");
    if (user) users[*id] = *user;
  }
}

}  // namespace

Result<Imported> import_google2019(std::vector<SourceFile>& files) {
  Imported imported;
  imported.trace.name = "google-2019";
  imported.trace.source = "Google clusterdata-2019; the largest machine is 100 CPU and 1000 GiB";
  LeftOut machines_left_out, instances_left_out;
  std::map<std::string, std::string> users;
  if (files.size() > 2) {
    ASSIGN_OR_RETURN(users, read_users(files[2]));
  }
  Machines machines(imported, machines_left_out);
  ASSIGN_OR_RETURN(Records machine_rows, Records::open(*files[0].in, files[0].name,
                                                       {"time", "machine_id", "type",
                                                        "capacity.cpus", "capacity.memory"}));
  while (true) {
    ASSIGN_OR_RETURN(const bool any, machine_rows.next());
    if (!any) break;
    RETURN_IF_ERROR(machines.read(machine_rows));
  }
  Instances instances(imported, instances_left_out, users);
  ASSIGN_OR_RETURN(Records instance_rows,
                   Records::open(*files[1].in, files[1].name,
                                 {"time", "type", "collection_id", "collection_type", "priority",
                                  "instance_index", "machine_id", "resource_request.cpus",
                                  "resource_request.memory"}));
  while (true) {
    ASSIGN_OR_RETURN(const bool any, instance_rows.next());
    if (!any) break;
    RETURN_IF_ERROR(instances.read(instance_rows));
  }
  const Trace& trace = imported.trace;
  const TraceCounts counts = trace.counts();
  imported.checks = {
      {"machine events", machine_rows.rows() - machines_left_out.total(),
       counts.nodes + counts.node_events},
      {"instances", instances.pods(), counts.pods},
      {"cpu milli", instances.sum().cpu_milli, sum_of_pods(trace, "cpu", true)},
      {"memory MiB", instances.sum().memory_mib, sum_of_pods(trace, "memory", false) >> 20},
  };
  imported.left_out = machines_left_out.texts();
  for (std::string& text : instances_left_out.texts()) imported.left_out.push_back(text);
  return imported;
}

}  // namespace coracle::sim
