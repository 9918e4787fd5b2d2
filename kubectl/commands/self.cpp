// options, plugin list: about the program itself.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <ostream>

#include "base/strings.hpp"
#include "commands/commands.hpp"

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

}  // namespace

std::vector<Command> self_commands() {
  Command options{.name = "options",
                  .usage = "",
                  .summary = "Print the flags that every command has",
                  .run = [](Invocation& call) -> Status {
                    call.session.io.out << "The following options can be passed to any command:\n\n"
                                        << text::flag_help(global_flags());
                    return {};
                  }};
  Command plugins{.name = "plugin list",
                  .usage = "",
                  .summary = "Print the programs kubectl-* that are in PATH",
                  .run = list_plugins};
  plugins.flags.push_back(
      {"name-only", 0, text::FlagType::kBool, "false", "Names without their folders"});
  return {options,
          {.name = "plugin", .usage = "SUBCOMMAND", .summary = "Programs kubectl-* in PATH"},
          plugins};
}

}  // namespace coracle::kubectl
