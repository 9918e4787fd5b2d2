// The parts of a scenario file, one reader each. They note what is wrong and go on. Pure but for
// ReadFile.
#pragma once

#include "scenario/fields.hpp"
#include "scenario/scenario.hpp"

namespace coracle::scheduler {
struct Config;
}

namespace coracle::sim {

void read_cluster(const json::value* value, const ReadFile& read_file, Problems& problems,
                  ClusterSpec* cluster);
void read_workload(const json::value* value, const ReadFile& read_file, Problems& problems,
                   Scenario* scenario);
TraceSpec read_trace_spec(const json::value* value, const std::string& path,
                          const ReadFile& read_file, Problems& problems);
void read_faults(FieldReader& in, Problems& problems, Scenario* scenario);
// Names of nodes, zones and classes in them exist. After all parts were read.
void check_faults(Problems& problems, const Scenario& scenario);
// What the whole simulated cluster has not.
void check_cluster(Problems& problems, const Scenario& scenario);
void read_policies(FieldReader& in, const ReadFile& read_file, Problems& problems,
                   Scenario* scenario);
// InvalidArgument: it asks others (extenders, plugins that are programs), who take no part.
Status check_policy(const scheduler::Config& policy);
void read_metrics(const json::value* value, Problems& problems, Scenario* scenario);
void read_assertions(FieldReader& in, Problems& problems, Scenario* scenario);

// Whether the apiserver would create the object; its words if not. Then the object is as it was
// decoded, in its namespace.
Status admit(json::object& object);

}  // namespace coracle::sim
