// pluginConfig: the arguments of one plugin, read into PluginArgs and checked as upstream does it.
// Pure.
#pragma once

#include <string>

#include "api/field_error.hpp"
#include "config/object_reader.hpp"
#include "plugins/plugin_args.hpp"

namespace coracle::scheduler {

// Status: the form (`decoding args for plugin X: strict decoding error: ...`, or it takes none).
// `errors`: the values; `path` is that of the args in the file.
Status read_plugin_args(const std::string& plugin, const json::value& raw,
                        const api::FieldPath& path, api::FieldErrors& errors, PluginArgs* args);

}  // namespace coracle::scheduler
