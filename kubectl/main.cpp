// mini-kubectl: prints what kubectl prints (docs/kubectl.md).
#include <signal.h>

#include <iostream>

#include "commands/commands.hpp"
#include "commands/plugins.hpp"

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_DFL);  // `| head` ends us as it ends others
  std::ios::sync_with_stdio(false);
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto commands = coracle::kubectl::all_commands();
  coracle::kubectl::run_plugin_if_any(commands, words);
  const coracle::kubectl::Io io{std::cin, std::cout, std::cerr};
  return coracle::kubectl::run_program(commands, words, io);
}
