#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/config.hpp"
#include "scenario/metric_names.hpp"
#include "scenario/read_parts.hpp"

namespace coracle::sim {
namespace {

constexpr std::int64_t kSeedsMax = 10'000;
constexpr double kObjectsMax = 1e7;  // of a generator

void read_seeds(FieldReader& in, Problems& problems, Scenario* out) {
  const json::value* value = in.find("seeds");
  if (value == nullptr) return;
  const auto bad = [&](const std::string& path, const json::value& seed) {
    problems.add(path, fmt::format("want a whole number from 0 on, not {}", to_json(seed)));
  };
  std::vector<std::uint64_t> seeds;
  if (value->is_object()) {
    FieldReader range(value, in.path("seeds"), problems);
    std::int64_t from = 1, to = 1;
    range.read("from", &from, 0, std::int64_t(1) << 53);
    if (range.need("to") != nullptr) range.read("to", &to, from, from + kSeedsMax - 1);
    for (std::int64_t seed = from; seed <= to; ++seed) seeds.push_back(std::uint64_t(seed));
  } else {
    for (const auto& [element, path] : in.list("seeds")) {
      if (!element->is_int64() || element->get_int64() < 0) {
        bad(path, *element);
        continue;
      }
      seeds.push_back(static_cast<std::uint64_t>(element->get_int64()));
      if (std::count(seeds.begin(), seeds.end(), seeds.back()) > 1) {
        problems.add(path, fmt::format("seed {} is there twice", seeds.back()));
      }
    }
    if (seeds.empty()) in.wrong("seeds", "want at least one, like [1, 2, 3] or {from: 1, to: 10}");
  }
  if (!seeds.empty()) out->seeds = std::move(seeds);
}

void read_head(FieldReader& in, Problems& problems, Scenario* out) {
  std::string version, kind;
  if (in.need("apiVersion") != nullptr && in.read("apiVersion", &version) &&
      version != kScenarioVersion) {
    in.wrong("apiVersion", fmt::format("want {}, not \"{}\"", kScenarioVersion, version));
  }
  if (in.need("kind") != nullptr && in.read("kind", &kind) && kind != "Scenario") {
    in.wrong("kind", fmt::format("want Scenario, not \"{}\"", kind));
  }
  FieldReader meta(in.need("metadata"), in.path("metadata"), problems);
  if (in.has("metadata") && meta.need("name") != nullptr) meta.read("name", &out->name);
  std::string description;
  meta.read("description", &description);
  if (in.need("engine") != nullptr) {
    if (const auto engine = in.choice("engine", {"placement", "cluster"})) {
      out->engine = *engine == 0 ? EngineKind::kPlacement : EngineKind::kCluster;
    }
  }
  if (in.need("duration") != nullptr && in.read("duration", &out->duration) &&
      out->duration == Duration(0)) {
    in.wrong("duration", "want more than nothing");
  }
  if (const auto what = in.choice("onPluginFailure", {"stop", "skip"})) {
    out->skip_failed_policies = *what == 1;
  }
}

// Traces that fit the same names cannot both be there; a sweep takes one at a time.
void read_sweep(const json::value* value, const ReadFile& read_file, Problems& problems,
                Scenario* out) {
  if (value == nullptr) return;
  FieldReader in(value, "sweep", problems);
  std::set<std::string> names;
  for (const auto& [element, path] : in.list("traces")) {
    out->sweep_traces.push_back(read_trace_spec(element, path, read_file, problems));
    if (!names.insert(out->sweep_traces.back().name).second) {
      problems.add(path + ".name", "another trace is called so");
    }
  }
}

// The model around the scheduler's core is small: what it does not know is refused.
void check_placement(Problems& problems, const Scenario& scenario) {
  const std::set<std::string> known{"Pod", "Deployment", "ReplicaSet", "Job"};
  for (size_t m = 0; m < scenario.manifests.size(); ++m) {
    for (const json::object& object : scenario.manifests[m].objects) {
      const json::value value = object;
      const std::string kind(get_string(value, "kind"));
      const std::string path = fmt::format("workload.manifests[{}]", m);
      if (!known.contains(kind)) {
        problems.add(path, fmt::format("the placement engine knows Pods, Deployments, ReplicaSets "
                                       "and Jobs, not a {}; want engine: cluster",
                                       kind));
      }
      for (const char* pod : {"spec.priorityClassName", "spec.template.spec.priorityClassName"}) {
        if (get_string(value, pod).empty()) continue;
        problems.add(path, "the placement engine knows no priority classes; say priority");
      }
    }
  }
  for (size_t g = 0; g < scenario.generators.size(); ++g) {
    if (!scenario.generators[g].spec.contains("priorityClassName")) continue;
    problems.add(fmt::format("workload.generators[{}].spec.priorityClassName", g),
                 "the placement engine knows no priority classes; say priority");
  }
}

// About how many times something arrives, unless `count` says how often at most.
double arrivals_of(const ArrivalSpec& arrivals, Duration end) {
  const Duration span = std::min(arrivals.until.value_or(end), end) - arrivals.from;
  if (arrivals.count > 0 || span <= Duration(0)) return static_cast<double>(arrivals.count);
  if (arrivals.process == ArrivalSpec::Process::kPoisson) {
    return arrivals.per_second * std::chrono::duration<double>(span).count();
  }
  const double times = static_cast<double>(span.count()) /
                       static_cast<double>(std::max<std::int64_t>(arrivals.every.count(), 1));
  const bool burst = arrivals.process == ArrivalSpec::Process::kBurst;
  return times * (burst ? std::max(1.0, arrivals.size.least()) : 1);
}

void check_number(Problems& problems, const GeneratorSpec& generator, size_t index, Duration end) {
  const double number = arrivals_of(generator.arrivals, end);
  if (number <= kObjectsMax) return;
  problems.add(fmt::format("workload.generators[{}].arrivals", index),
               fmt::format("makes about {:.0f} objects; at most {:.0f} (say count, or until)",
                           number, kObjectsMax));
}

void check_whole(Problems& problems, const Scenario& scenario) {
  const auto& cluster = scenario.cluster;
  bool nodes = !cluster.nodes.empty();
  for (const TraceSpec& trace : scenario.traces) nodes = nodes || trace.nodes;
  for (const TraceSpec& trace : scenario.sweep_traces) nodes = nodes || trace.nodes;
  if (!nodes) problems.add("cluster.nodes", "the cluster has no nodes, and no trace brings any");
  if (scenario.manifests.empty() && scenario.generators.empty() && scenario.traces.empty() &&
      scenario.sweep_traces.empty()) {
    problems.add("workload", "nothing to schedule: want manifests, generators or traces");
  }
  for (size_t i = 0; i < scenario.generators.size(); ++i) {
    const ArrivalSpec& arrivals = scenario.generators[i].arrivals;
    const std::string path = fmt::format("workload.generators[{}].arrivals.from", i);
    if (arrivals.from >= arrivals.until.value_or(scenario.duration) &&
        scenario.duration > Duration(0)) {
      problems.add(path, "is not before the end of the arrivals");
    }
    check_number(problems, scenario.generators[i], i, scenario.duration);
  }
}

}  // namespace

Status check_policy(const scheduler::Config& policy) {
  if (!policy.extenders.empty()) {
    return invalid_argument("extenders are not asked in the simulated world");
  }
  for (const scheduler::Profile& profile : policy.profiles) {
    if (!profile.asks_programs) continue;
    return invalid_argument(
        fmt::format("profile {} has plugins that are programs; those are not "
                    "asked in the simulated world",
                    profile.name));
  }
  return {};
}

void read_policies(FieldReader& in, const ReadFile& read_file, Problems& problems, Scenario* out) {
  for (const auto& [element, path] : in.list("policies")) {
    FieldReader one(element, path, problems);
    PolicySpec policy;
    if (one.need("name") != nullptr) one.read("name", &policy.name);
    if (out->policy(policy.name) != nullptr) one.wrong("name", "another policy is called so");
    std::string file;
    json::object config;
    const bool inline_there = one.read("config", &config);
    std::string at = one.path("config");
    if (inline_there) policy.config = to_yaml(json::value(config));
    if (one.read("file", &file)) {
      at = one.path("file");
      if (inline_there) one.wrong("file", "there is a config already");
      const auto text = read_file(file);
      if (!text.ok()) one.wrong("file", text.status().message());
      if (text.ok()) policy.config = *text;
    }
    if (!policy.config.empty()) {
      scheduler::Config config_read;
      const Status status = scheduler::parse_config(policy.config, &config_read);
      if (!status.ok()) problems.add(at, status.message());
      const Status alone = check_policy(config_read);
      if (!alone.ok()) problems.add(at, alone.message());
    }
    out->policies.push_back(std::move(policy));
  }
  if (out->policies.empty()) out->policies.push_back({"default", ""});
}

void read_metrics(const json::value* value, Problems& problems, Scenario* out) {
  FieldReader in(value, "metrics", problems);
  const auto interval = [&](std::string_view name, Duration* every) {
    if (in.read(name, every) && *every < std::chrono::seconds(1)) {
      in.wrong(name, "want at least 1s");
      *every = std::chrono::seconds(1);
    }
  };
  interval("interval", &out->sample_every);
  interval("nodeInterval", &out->node_sample_every);
  in.read("explainedNodes", &out->explained_nodes, 0, 1000);
  in.read("series", &out->series);
  for (size_t i = 0; i < out->series.size(); ++i) {
    if (is_series(out->series[i])) continue;
    in.wrong(fmt::format("series[{}]", i),
             fmt::format("there is no series \"{}\" ({})", out->series[i], known_series()));
  }
}

void read_assertions(FieldReader& in, Problems& problems, Scenario* out) {
  for (const auto& [element, path] : in.list("assertions")) {
    if (!element->is_string()) {
      problems.add(path,
                   fmt::format("want a text like \"unscheduled == 0\", not {}", to_json(*element)));
      continue;
    }
    const std::string text(element->get_string());
    auto assertion = Assertion::parse(text);
    if (!assertion.ok()) {
      problems.add(path, assertion.status().message());
      continue;
    }
    for (const auto& [name, in_function] : assertion->names()) {
      const bool number = std::count(numbers().begin(), numbers().end(), name) > 0;
      if (!is_metric(name)) {
        problems.add(path, fmt::format("there is no metric \"{}\" ({})", name, known_metrics()));
      } else if (number && in_function) {
        problems.add(path, fmt::format("\"{}\" is one number; want it without a function", name));
      } else if (!number && !in_function) {
        problems.add(path, fmt::format("\"{}\" has many values; want a function of it, like "
                                       "mean({})",
                                       name, name));
      }
    }
    out->assertions.push_back({text, std::move(*assertion)});
  }
}

const PolicySpec* Scenario::policy(std::string_view policy_name) const {
  for (const PolicySpec& policy : policies) {
    if (policy.name == policy_name) return &policy;
  }
  return nullptr;
}

Result<Scenario> read_scenario(const std::string& text, const std::string& file,
                               const ReadFile& read_file) {
  YamlLines lines;
  auto value = parse_yaml_strict(text, &lines);
  if (!value.ok()) return invalid_argument(fmt::format("{}: {}", file, value.status().message()));
  Problems problems(file, std::move(lines));
  Scenario scenario;
  scenario.text = text;
  {
    FieldReader in(&*value, "", problems);
    read_head(in, problems, &scenario);
    read_seeds(in, problems, &scenario);
    read_cluster(in.find("cluster"), read_file, problems, &scenario.cluster);
    read_workload(in.need("workload"), read_file, problems, &scenario);
    read_sweep(in.find("sweep"), read_file, problems, &scenario);
    read_faults(in, problems, &scenario);
    read_policies(in, read_file, problems, &scenario);
    read_metrics(in.find("metrics"), problems, &scenario);
    read_assertions(in, problems, &scenario);
  }
  check_faults(problems, scenario);
  check_whole(problems, scenario);
  if (scenario.engine == EngineKind::kPlacement) check_placement(problems, scenario);
  if (scenario.engine == EngineKind::kCluster) check_cluster(problems, scenario);
  RETURN_IF_ERROR(problems.status());
  return scenario;
}

}  // namespace coracle::sim
