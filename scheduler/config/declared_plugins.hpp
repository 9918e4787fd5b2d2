// Plugins that a profile brings itself: an entry of pluginConfig whose args are of kind
// ExternalProcessArgs or SharedObjectArgs (lab.coracle.dev/v1alpha1) declares one under its name;
// `plugins` enables it, orders it and gives it its weight like any other. Pure.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/field_error.hpp"
#include "config/object_reader.hpp"
#include "plugins/registry.hpp"

namespace coracle::scheduler {

// A plugin that is a shared object, as the file names it.
struct SharedObjectSpec {
  std::string name;
  std::string path;
  json::value args = nullptr;
};
struct LoadedPlugin {
  std::shared_ptr<const Plugin> plugin;
  Points points = 0;  // what it extends
};
// Who can load them. A failure says what is wrong with the file.
using LoadSharedObject = std::function<Result<LoadedPlugin>(const SharedObjectSpec&)>;

// Whether the args are of one of the two kinds.
bool declares_plugin(const json::value* args);
// The entry of the plugin. Nothing: `errors` says why not. Status: the form (`decoding args for
// plugin X: strict decoding error: ...`).
Result<std::optional<PluginEntry>> read_declared(const std::string& profile,
                                                 const std::string& name, const json::value& args,
                                                 const api::FieldPath& path,
                                                 const LoadSharedObject& load,
                                                 api::FieldErrors& errors);

}  // namespace coracle::scheduler
