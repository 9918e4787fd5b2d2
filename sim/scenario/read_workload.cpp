#include <fmt/format.h>

#include <limits>
#include <set>
#include <sstream>

#include "scenario/plan.hpp"
#include "scenario/read_parts.hpp"
#include "trace/amounts.hpp"
#include "trace/fields.hpp"
#include "trace/trace_file.hpp"

namespace coracle::sim {
namespace {

constexpr std::int64_t kCountMax = 10'000'000;
constexpr double kRateMax = 1e5;    // a second
constexpr double kUsageMax = 1000;  // times what is requested
constexpr AmountRange kCounts{1, static_cast<double>(kCountMax)};
constexpr AmountRange kLifetimes{0, static_cast<double>(kLatest / std::chrono::seconds(1))};
constexpr AmountRange kPriorities{std::numeric_limits<std::int32_t>::min(),
                                  std::numeric_limits<std::int32_t>::max()};

void read_rate(FieldReader& in, ArrivalSpec* out) {
  static constexpr std::pair<const char*, double> kRates[] = {
      {"perSecond", 1}, {"perMinute", 60}, {"perHour", 3600}, {"perDay", 86400}};
  int said = 0;
  for (const auto& [name, seconds] : kRates) {
    double rate = 0;
    if (!in.has(name)) continue;
    ++said;
    if (in.read(name, &rate, 1e-9, kRateMax * seconds)) out->per_second = rate / seconds;
  }
  if (said != 1) in.wrong("", "poisson wants one of perSecond, perMinute, perHour and perDay");
}

void read_daily(FieldReader& in, Problems& problems, ArrivalSpec* out) {
  const json::value* value = in.find("daily");
  if (value == nullptr) return;
  FieldReader daily(value, in.path("daily"), problems);
  if (daily.need("swing") != nullptr) daily.read("swing", &out->daily_swing, 0, 1);
  daily.read("peak", &out->daily_peak);
}

ArrivalSpec read_arrivals(const json::value* value, const std::string& path, Problems& problems) {
  using Process = ArrivalSpec::Process;
  ArrivalSpec out;
  FieldReader in(value, path, problems);
  if (value == nullptr) return out;
  const auto process = in.need("process") == nullptr
                           ? std::nullopt
                           : in.choice("process", {"poisson", "constant", "uniform", "burst"});
  out.process = static_cast<Process>(process.value_or(0));
  in.read("from", &out.from);
  in.read("until", &out.until);
  in.read("count", &out.count, 1, kCountMax);
  if (!process) return out;
  switch (out.process) {
    case Process::kPoisson:
      read_rate(in, &out);
      read_daily(in, problems, &out);
      break;
    case Process::kUniform:
      in.need("count");
      break;
    case Process::kBurst: {
      out.size.a = 1;
      if (const json::value* size = in.need("size")) {
        out.size = read_distribution(*size, in.path("size"), Unit::kNumber, kCounts, problems);
      }
      [[fallthrough]];
    }
    case Process::kConstant:
      if (in.need("every") != nullptr) in.read("every", &out.every);
      if (out.every < std::chrono::microseconds(10)) {
        in.wrong("every", "want at least 10us");
        out.every = std::chrono::hours(1);
      }
      break;
  }
  return out;
}

void read_amounts(FieldReader& in, std::string_view name, Unit unit, Problems& problems,
                  std::vector<std::pair<std::string, Distribution>>* out) {
  json::object amounts;
  if (!in.read(name, &amounts)) return;
  for (const auto& member : amounts) {
    const std::string resource(member.key());
    const AmountRange range{0, unit == Unit::kQuantity ? amount_max(resource) : kUsageMax};
    out->emplace_back(
        resource, read_distribution(member.value(), fmt::format("{}.{}", in.path(name), resource),
                                    unit, range, problems));
  }
}

std::optional<Distribution> read_optional(FieldReader& in, std::string_view name, Unit unit,
                                          AmountRange range, Problems& problems) {
  const json::value* value = in.find(name);
  if (value == nullptr) return {};
  return read_distribution(*value, in.path(name), unit, range, problems);
}

// What it generates first of each kind of owner must be what the apiserver takes.
void try_generator(const GeneratorSpec& generator, const std::string& path, Problems& problems) {
  for (const auto& [owner, weight] : generator.owner.words) {
    Rng rng(1);
    Arrival arrival = generate(generator, owner, 1, rng);
    const Status status = admit(arrival.object);
    if (!status.ok()) {
      problems.add(path, fmt::format("the {} it makes is refused: {}", owner, status.message()));
      return;
    }
  }
}

GeneratorSpec read_generator(const json::value* value, const std::string& path,
                             Problems& problems) {
  GeneratorSpec out;
  const size_t before = problems.count();
  {
    FieldReader in(value, path, problems);
    if (in.need("name") != nullptr) in.read("name", &out.name);
    in.read("namespace", &out.ns);
    out.arrivals = read_arrivals(in.need("arrivals"), in.path("arrivals"), problems);
    static const json::value kPod("Pod");
    const json::value* owner = in.find("owner");
    out.owner = read_words(owner == nullptr ? kPod : *owner, in.path("owner"),
                           {"Pod", "Deployment", "Job"}, problems);
    out.replicas.a = 1;
    if (const json::value* replicas = in.find("replicas")) {
      out.replicas =
          read_distribution(*replicas, in.path("replicas"), Unit::kNumber, kCounts, problems);
    }
    read_amounts(in, "requests", Unit::kQuantity, problems, &out.requests);
    read_amounts(in, "usage", Unit::kNumber, problems, &out.usage);
    for (const auto& [resource, share] : out.usage) {
      bool requested = false;
      for (const auto& [name, amount] : out.requests) requested = requested || name == resource;
      if (!requested) in.wrong("usage." + resource, "is a share of a request that is not there");
    }
    out.lifetime = read_optional(in, "lifetime", Unit::kSeconds, kLifetimes, problems);
    out.priority = read_optional(in, "priority", Unit::kNumber, kPriorities, problems);
    in.read("labels", &out.labels);
    in.read("annotations", &out.annotations);
    in.read("spec", &out.spec);
  }
  if (problems.count() == before) try_generator(out, path, problems);
  return out;
}

// Whether the apiserver takes it, and this machine the pods it makes.
Status admit_manifest(json::object& object) {
  RETURN_IF_ERROR(admit(object));
  const json::value value = object;
  for (const char* path : {"spec.replicas", "spec.parallelism"}) {
    const std::int64_t pods = get_int(value, path);
    if (pods <= kCountMax) continue;
    return invalid_argument(fmt::format("{}: {} is too much: at most {}", path, pods, kCountMax));
  }
  return {};
}

void read_objects(const std::string& text, FieldReader& in, std::string_view name,
                  ManifestSpec* out) {
  auto documents = parse_yaml(text);
  if (!documents.ok()) return in.wrong(name, documents.status().message());
  for (YamlDocument& document : *documents) {
    const std::string where = fmt::format("document at line {}: ", document.line);
    if (!document.value.is_object()) {
      in.wrong(name, where + "want an object");
      continue;
    }
    for (const std::string& repeat : document.repeats) in.wrong(name, repeat);
    out->objects.push_back(std::move(document.value.get_object()));
    const Status status = admit_manifest(out->objects.back());
    if (!status.ok()) in.wrong(name, where + status.message());
  }
}

ManifestSpec read_manifest(const json::value* value, const std::string& path,
                           const ReadFile& read_file, Problems& problems) {
  ManifestSpec out;
  FieldReader in(value, path, problems);
  in.read("at", &out.at);
  if (in.read("until", &out.until) && *out.until < out.at) in.wrong("until", "is before at");
  std::string file;
  if (in.read("file", &file)) {
    const auto text = read_file(file);
    if (!text.ok()) in.wrong("file", text.status().message());
    if (text.ok()) read_objects(*text, in, "file", &out);
    out.source = file;
  }
  json::array objects;
  if (in.read("objects", &objects)) {
    out.source = path;
    for (size_t i = 0; i < objects.size(); ++i) {
      const std::string at = fmt::format("objects[{}]", i);
      if (!objects[i].is_object()) {
        in.wrong(at, "want an object");
        continue;
      }
      out.objects.push_back(std::move(objects[i].get_object()));
      const Status status = admit_manifest(out.objects.back());
      if (!status.ok()) in.wrong(at, status.message());
    }
  }
  if (!in.has("file") && !in.has("objects")) problems.add(path, "want file or objects");
  return out;
}

}  // namespace

TraceSpec read_trace_spec(const json::value* value, const std::string& path,
                          const ReadFile& read_file, Problems& problems) {
  TraceSpec out;
  FieldReader in(value, path, problems);
  in.read("offset", &out.offset);
  in.read("speed", &out.speed, 1e-6, 1e6);
  in.read("nodes", &out.nodes);
  if (in.need("file") != nullptr && in.read("file", &out.file)) {
    const auto text = read_file(out.file);
    if (!text.ok()) {
      in.wrong("file", text.status().message());
    } else {
      std::istringstream stream(*text);
      auto trace = read_trace(stream, out.file);
      if (!trace.ok()) in.wrong("file", trace.status().message());
      if (trace.ok()) out.trace = std::make_shared<const Trace>(std::move(*trace));
    }
  }
  out.name = out.file;
  in.read("name", &out.name);
  if (out.trace == nullptr) out.trace = std::make_shared<const Trace>();
  return out;
}

void read_workload(const json::value* value, const ReadFile& read_file, Problems& problems,
                   Scenario* out) {
  FieldReader in(value, "workload", problems);
  for (const auto& [element, path] : in.list("manifests")) {
    out->manifests.push_back(read_manifest(element, path, read_file, problems));
  }
  std::set<std::string> names;
  for (const auto& [element, path] : in.list("generators")) {
    out->generators.push_back(read_generator(element, path, problems));
    if (!names.insert(out->generators.back().name).second) {
      problems.add(path + ".name", "another generator is called so");
    }
  }
  for (const auto& [element, path] : in.list("traces")) {
    out->traces.push_back(read_trace_spec(element, path, read_file, problems));
  }
}

}  // namespace coracle::sim
