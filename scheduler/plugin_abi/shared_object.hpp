// Plugins in shared objects: loads them (dlopen) and speaks coracle_plugin.h with them, as a Plugin
// like any other. Part of the driver: the file system is read here, decisions only see the Plugin.
//
// A loaded object stays loaded as long as any plugin made of it. A score outside 0..100 after
// normalize is cut to that range and counted as 0 or 100.
#pragma once

#include <memory>
#include <string>

#include "config/declared_plugins.hpp"

namespace coracle::scheduler {

// `directory`: where a relative path starts. Failures name what is wrong: no such file, not a
// shared object, no coracle_plugin_entry, another ABI version, the plugin's own refusal of its
// args.
Result<LoadedPlugin> load_shared_object(const SharedObjectSpec& spec, const std::string& directory);

}  // namespace coracle::scheduler
