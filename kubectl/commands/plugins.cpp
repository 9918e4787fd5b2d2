#include "commands/plugins.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <ostream>

#include "base/strings.hpp"

namespace coracle::kubectl {
namespace {

namespace fs = std::filesystem;

// Programs named kubectl-* of the folders of PATH.
std::vector<std::string> plugins_of(const std::string& path) {
  std::vector<std::string> out;
  for (const std::string& folder : split(path, ':')) {
    std::error_code error;
    std::vector<std::string> here;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      if (!entry.path().filename().string().starts_with("kubectl-")) continue;
      if (!entry.is_directory(error)) here.push_back(entry.path().string());
    }
    std::sort(here.begin(), here.end());
    out.insert(out.end(), here.begin(), here.end());
  }
  return out;
}

Status list_plugins(Invocation& call) {
  const char* path = std::getenv("PATH");
  const std::vector<std::string> found = plugins_of(path == nullptr ? "" : path);
  if (found.empty()) return fail("unable to find any kubectl plugins in your PATH");
  std::ostream& out = call.session.io.out;
  out << "The following compatible plugins are available:\n\n";
  int warnings = 0;
  for (const std::string& plugin : found) {
    out << (call.flags.is_set("name-only") ? fs::path(plugin).filename().string() : plugin) << "\n";
    if (::access(plugin.c_str(), X_OK) == 0) continue;
    call.session.warn("  - warning: " + plugin +
                      " identified as a kubectl plugin, but it is not executable");
    ++warnings;
  }
  if (warnings == 0) return {};
  return fail(warnings == 1 ? "one plugin warning was found"
                            : std::to_string(warnings) + " plugin warnings were found");
}

std::string found_in(const std::string& path, const std::string& name) {
  for (const std::string& folder : split(path, ':')) {
    const std::string file = folder + "/" + name;
    std::error_code error;
    if (::access(file.c_str(), X_OK) == 0 && !fs::is_directory(file, error)) return file;
  }
  return {};
}

}  // namespace

std::optional<PluginCall> plugin_for(const std::vector<std::string>& words,
                                     const std::string& path) {
  std::vector<std::string> name;
  for (const std::string& word : words) {
    if (word.starts_with('-')) break;
    name.push_back(replace_all(word, "-", "_"));
  }
  for (size_t count = name.size(); count > 0; --count) {
    const std::string program = found_in(
        path, "kubectl-" + join({name.begin(), name.begin() + static_cast<long>(count)}, "-"));
    if (program.empty()) continue;
    return PluginCall{program, {words.begin() + static_cast<long>(count), words.end()}};
  }
  return std::nullopt;
}

void run_plugin_if_any(const std::vector<Command>& commands,
                       const std::vector<std::string>& words) {
  std::vector<std::string> rest;
  if (words.empty() || command_of(commands, words, &rest) != nullptr) return;
  const char* path = std::getenv("PATH");
  const auto plugin = plugin_for(words, path == nullptr ? "" : path);
  if (!plugin) return;
  std::vector<char*> argv{const_cast<char*>(plugin->program.c_str())};
  for (const std::string& word : plugin->arguments) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
}

std::vector<Command> plugin_commands() {
  Command list{.name = "plugin list",
               .usage = "",
               .summary = "Print the programs kubectl-* that are in PATH",
               .run = list_plugins};
  list.flags.push_back(
      {"name-only", 0, text::FlagType::kBool, "false", "Names without their folders"});
  return {{.name = "plugin",
           .usage = "SUBCOMMAND",
           .summary = "Programs kubectl-* in PATH: kubectl-foo is the command foo"},
          list};
}

}  // namespace coracle::kubectl
