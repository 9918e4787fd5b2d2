// coracle-sim: experiments in the simulated world. `coracle sim` runs it.
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "program/commands.hpp"

namespace {

std::string usage() {
  std::string text =
      "coracle sim: experiments with schedulers, on virtual time.\n"
      "\n"
      "Usage: coracle sim COMMAND [flags]\n"
      "\n"
      "Commands:\n";
  for (const coracle::sim::Command& command : coracle::sim::commands()) {
    text += fmt::format("  {:<10}{}\n", command.name, command.summary);
  }
  return text +
         "\n"
         "Examples:\n"
         "  coracle sim run examples/research/first.yaml --out first\n"
         "\n"
         "'coracle sim COMMAND --help' tells the flags of a command.\n";
}

}  // namespace

int main(int argc, char** argv) {
  coracle::log::init("coracle sim", coracle::log::Level::kWarn);
  if (argc < 2) {
    std::fputs(usage().c_str(), stderr);
    return 2;
  }
  const std::string_view name = argv[1];
  if (name == "--help" || name == "-h" || name == "help") {
    std::fputs(usage().c_str(), stdout);
    return 0;
  }
  for (const coracle::sim::Command& command : coracle::sim::commands()) {
    if (name == command.name) return command.run(argc - 1, argv + 1);
  }
  std::fprintf(stderr, "coracle sim: unknown command \"%s\"\n\n%s", argv[1], usage().c_str());
  return 2;
}
