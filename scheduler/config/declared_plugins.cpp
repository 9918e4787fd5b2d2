#include "config/declared_plugins.hpp"

#include <fmt/format.h>

#include "external/process_plugin.hpp"

namespace coracle::scheduler {
namespace {

using api::FieldErrors;
using api::FieldPath;

constexpr const char* kVersion = "lab.coracle.dev/v1alpha1";
constexpr const char* kProcess = "ExternalProcessArgs";
constexpr const char* kObject = "SharedObjectArgs";
constexpr Points kFilter = point_bit(Point::kFilter), kScore = point_bit(Point::kScore);

void read_time(ObjectReader& in, const FieldPath& path, const char* name, FieldErrors& errors,
               Duration* out) {
  if (in.read(name, out) && *out <= Duration(0)) {
    errors.invalid(path.child(name), fmt::format("{}ms", out->count() / 1'000'000),
                   "must be greater than zero");
  }
}

// What is to happen when it fails has no default: either may ruin an experiment.
void read_on_failure(ObjectReader& in, const FieldPath& path, FieldErrors& errors,
                     ProcessSpec* spec) {
  std::string what;
  in.read("onFailure", &what);
  if (what.empty()) {
    errors.required(path.child("onFailure"),
                    "stop (the decision fails, and is tried again) or skip (it is made without the "
                    "plugin)");
  } else if (what != "stop" && what != "skip") {
    errors.not_supported(path.child("onFailure"), what, {"skip", "stop"});
  }
  spec->on_failure = what == "skip" ? ProcessSpec::OnFailure::kSkip : ProcessSpec::OnFailure::kStop;
}

void read_process(ObjectReader& in, const FieldPath& path, FieldErrors& errors, ProcessSpec* spec) {
  in.read("command", &spec->command);
  if (spec->command.empty() || spec->command.front().empty()) {
    errors.required(path.child("command"), "the program and its arguments");
  }
  if (const json::value* args = in.find("args")) spec->args = *args;
  read_time(in, path, "timeout", errors, &spec->timeout);
  read_time(in, path, "startTimeout", errors, &spec->start_timeout);
  in.read("nodePods", &spec->node_pods);
  read_on_failure(in, path, errors, spec);
}

PluginEntry entry_of(const std::string& name, Points points, std::shared_ptr<const Plugin> plugin) {
  PluginEntry entry;
  entry.name = name;
  entry.points = points;
  entry.by_default = false;
  entry.make = [plugin = std::move(plugin)](const PluginArgs&) { return plugin; };
  return entry;
}

}  // namespace

bool declares_plugin(const json::value* args) {
  if (args == nullptr) return false;
  const std::string_view kind = get_string(*args, "kind");
  return kind == kProcess || kind == kObject;
}

Result<std::optional<PluginEntry>> read_declared(const std::string& profile,
                                                 const std::string& name, const json::value& args,
                                                 const FieldPath& path,
                                                 const LoadSharedObject& load,
                                                 FieldErrors& errors) {
  FormErrors form;
  ProcessSpec process;
  SharedObjectSpec object;
  process.key = profile + "/" + name;
  process.name = object.name = name;
  const bool is_process = get_string(args, "kind") == kProcess;
  const size_t errors_before = errors.size();
  {
    ObjectReader in(args, "", form);
    std::string version;
    in.skip("kind");
    in.read("apiVersion", &version);
    if (version != kVersion) {
      errors.invalid(path.child("apiVersion"), version, fmt::format("must be {}", kVersion));
    }
    if (is_process) {
      read_process(in, path, errors, &process);
    } else {
      in.read("path", &object.path);
      if (const json::value* given = in.find("args")) object.args = *given;
      if (object.path.empty()) errors.required(path.child("path"), "the shared object");
    }
  }
  RETURN_IF_ERROR(form.status().with_context(fmt::format("decoding args for plugin {}", name)));
  if (name.empty()) errors.required(path, "a plugin that is declared here needs a name");
  if (find_plugin(plugin_table(), name) != nullptr) {
    errors.invalid(path, name, "is the name of a plugin of the scheduler's own");
  }
  if (errors.size() != errors_before) return std::optional<PluginEntry>();
  if (is_process) {
    return std::optional(
        entry_of(name, kFilter | kScore, std::make_shared<ProcessPlugin>(process)));
  }
  if (load == nullptr) {
    return invalid_argument(fmt::format("plugin {}: shared objects are not loaded here", name));
  }
  auto loaded = load(object);
  if (!loaded.ok()) {
    errors.invalid(path.child("path"), object.path, loaded.status().message());
    return std::optional<PluginEntry>();
  }
  PluginEntry entry = entry_of(name, loaded->points, std::move(loaded->plugin));
  entry.needs = loaded->points & (point_bit(Point::kPreFilter) | point_bit(Point::kPreScore));
  return std::optional(std::move(entry));
}

}  // namespace coracle::scheduler
