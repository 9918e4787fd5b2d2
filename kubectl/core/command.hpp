// Command: one verb of the program: its flags, its help, what it does. Commands are plain functions
// over a Session; commands/registry.cpp lists them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kubectl/session.hpp"

namespace coracle::kubectl {

struct Invocation {
  Session& session;
  const text::ParsedFlags& flags;
  const std::vector<std::string>& args;
  std::string command;  // "create deployment"

  // As --record keeps it: "kubectl set image deployment/web web=nginx --record=true".
  std::string line() const;
};

struct Command {
  std::string name;      // "get", "create deployment"
  std::string usage;     // what follows the name: "TYPE [NAME] [flags]"
  std::string summary;   // one line
  std::string examples;  // two-space indented lines
  std::vector<text::FlagSpec> flags;
  std::function<Status(Invocation&)> run;  // empty: a group of subcommands
  std::vector<std::string> aliases = {};   // other last words: "svc" of "create service"
};

// The command the words begin with, and the words after it; flags may stand between. Null: they
// begin with no command.
const Command* command_of(const std::vector<Command>& commands,
                          const std::vector<std::string>& words, std::vector<std::string>* rest);

// Finds the command the words mean and runs it; prints help and failures. The exit code. `wire`
// stands for the server in tests.
int run_program(const std::vector<Command>& commands, const std::vector<std::string>& words, Io io,
                std::unique_ptr<Wire> wire = nullptr);

}  // namespace coracle::kubectl
