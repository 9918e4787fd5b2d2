// Programs kubectl-NAME in PATH, which are commands too.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kubectl/command.hpp"

namespace coracle::kubectl {

// The program the words mean, and what it is given: "kubectl foo bar x" is kubectl-foo-bar with x,
// else kubectl-foo with bar and x. A dash of a word is an underscore of the name. Nothing: the
// words begin with a flag, or there is none.
struct PluginCall {
  std::string program;
  std::vector<std::string> arguments;
};
std::optional<PluginCall> plugin_for(const std::vector<std::string>& words,
                                     const std::string& path);

// Becomes the plugin, if the words begin with none of our commands but mean one; else returns.
void run_plugin_if_any(const std::vector<Command>& commands, const std::vector<std::string>& words);

std::vector<Command> plugin_commands();  // plugin list

}  // namespace coracle::kubectl
