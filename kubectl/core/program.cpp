// From the words of the command line to a command, its help and its exit code.
#include <algorithm>
#include <ostream>

#include "base/strings.hpp"
#include "kubectl/command.hpp"
#include "kubectl/removed.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagSpec;

const Command* find_command(const std::vector<Command>& commands, const std::string& parent,
                            const std::string& word) {
  const std::string prefix = parent.empty() ? "" : parent + " ";
  for (const Command& command : commands) {
    if (command.name == prefix + word) return &command;
    const size_t space = command.name.rfind(' ');
    const std::string its_parent = space == command.name.npos ? "" : command.name.substr(0, space);
    if (its_parent != parent) continue;
    if (std::find(command.aliases.begin(), command.aliases.end(), word) != command.aliases.end()) {
      return &command;
    }
  }
  return nullptr;
}

bool has_children(const std::vector<Command>& commands, const std::string& name) {
  return std::any_of(commands.begin(), commands.end(), [&](const Command& command) {
    return command.name.rfind(name + " ", 0) == 0;
  });
}

// Whether the word is a flag that swallows the next one.
bool takes_next(const std::string& word, const std::vector<FlagSpec>& specs) {
  if (word.size() < 2 || word[0] != '-' || word.find('=') != word.npos) return false;
  for (const FlagSpec& spec : specs) {
    const bool is_it = word[1] == '-'
                           ? word.substr(2) == spec.name
                           : spec.shorthand && word.size() == 2 && word[1] == spec.shorthand;
    if (is_it) return spec.type != text::FlagType::kBool && !spec.bare;
  }
  return false;
}

struct Found {
  const Command* command = nullptr;
  std::vector<std::string> rest;  // the words without the command's
  std::string unknown;            // the first word that is no command
};

// Walks down: the first word that is no flag names the command, the next one a subcommand, ...
Found resolve(const std::vector<Command>& commands, std::vector<std::string> words) {
  Found found;
  std::string path;
  std::vector<FlagSpec> specs = global_flags();
  for (size_t i = 0; i < words.size();) {
    const std::string& word = words[i];
    if (word == "--") break;
    if (word.size() > 1 && word[0] == '-') {
      i += takes_next(word, specs) ? 2 : 1;
      continue;
    }
    const Command* next = find_command(commands, path, word);
    if (!next) {
      if (!found.command || !found.command->run) found.unknown = word;
      break;
    }
    found.command = next;
    path = next->name;
    specs.insert(specs.end(), next->flags.begin(), next->flags.end());
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(i));
    if (!has_children(commands, path)) break;
    i = 0;  // flags that stood before are looked over again
  }
  found.rest = std::move(words);
  return found;
}

void print_groups(const std::vector<Command>& commands, const std::string& parent,
                  std::ostream& out) {
  out << "Commands:\n";
  for (const Command& command : commands) {
    const size_t space = command.name.rfind(' ');
    const std::string its_parent = space == command.name.npos ? "" : command.name.substr(0, space);
    if (its_parent != parent || command.name.starts_with("__")) continue;
    std::string last = command.name.substr(space == command.name.npos ? 0 : space + 1);
    if (last.size() < 16) last.append(16 - last.size(), ' ');
    out << "  " << last << " " << command.summary << "\n";
  }
}

void print_help(const std::vector<Command>& commands, const Command* command, std::ostream& out) {
  if (!command) {
    out << "mini-kubectl talks to a Kubernetes cluster as kubectl does.\n\n";
    print_groups(commands, "", out);
    out << "\nUsage:\n  kubectl [command] [flags]\n\n"
        << "Use \"kubectl <command> --help\" for more about one command.\n";
    return;
  }
  out << command->summary << "\n\n";
  if (!command->examples.empty()) out << "Examples:\n" << command->examples << "\n";
  if (has_children(commands, command->name)) {
    print_groups(commands, command->name, out);
    out << "\n";
  }
  if (!command->flags.empty()) out << "Options:\n" << text::flag_help(command->flags);
  out << "Usage:\n  kubectl " << command->name << " " << command->usage << "\n\n"
      << "Every command also takes the connection's flags:\n"
      << text::flag_help(global_flags());
}

int report(const Status& status, Io& io, int failure_code = 1) {
  io.out.flush();
  if (status.ok()) return 0;
  if (!status.message().empty()) io.err << status.message() << "\n";
  io.err.flush();
  return failure_code;
}

Status unknown_command(const std::vector<Command>& commands, const Found& found) {
  const std::string parent = found.command ? found.command->name : "";
  std::string text = "unknown command " + quoted(found.unknown) + " for \"kubectl" +
                     (parent.empty() ? "" : " " + parent) + "\"";
  std::string near;
  for (const Command& command : commands) {
    if (command.name.rfind(found.unknown, 0) == 0 ||
        (found.unknown.size() > 2 && command.name.find(' ') == command.name.npos &&
         command.name.rfind(found.unknown.substr(0, found.unknown.size() - 1), 0) == 0)) {
      near += "\t" + command.name + "\n";
    }
  }
  if (!near.empty()) text += "\n\nDid you mean this?\n" + near;
  const std::string instead = parent.empty() ? instead_of_command(found.unknown) : "";
  if (!instead.empty()) text += "\n" + instead;
  return fail(text);
}

// "unknown flag: --export", with what there is in its place.
Status bad_flags(const Command* command, const Status& why) {
  const std::string where = command ? "kubectl " + command->name : "kubectl";
  std::string text = why.message() + "\nSee '" + where + " --help' for usage.";
  const size_t dash = why.message().find("--");
  const std::string instead =
      dash == std::string::npos
          ? ""
          : instead_of_flag(command ? command->name : "", why.message().substr(dash));
  if (!instead.empty()) text += "\n" + instead;
  return fail(text);
}

}  // namespace

std::string Invocation::line() const {
  std::string out = "kubectl " + command;
  for (const std::string& arg : args) out += " " + arg;
  for (const std::string& flag : flags.given) {
    const std::string name = flag.substr(0, flag.find('='));
    out += " " + (name == "--token" ? name + "=CLASSIFIED" : flag);
  }
  return out;
}

const Command* command_of(const std::vector<Command>& commands,
                          const std::vector<std::string>& words, std::vector<std::string>* rest) {
  Found found = resolve(commands, words);
  *rest = std::move(found.rest);
  return found.command;
}

int run_program(const std::vector<Command>& commands, const std::vector<std::string>& words, Io io,
                std::unique_ptr<Wire> wire) {
  std::vector<std::string> asked = words;
  bool wants_help = false;
  if (!asked.empty() && asked.front() == "help") {
    asked.erase(asked.begin());
    wants_help = true;
  }
  Found found = resolve(commands, asked);
  if (!found.unknown.empty()) return report(unknown_command(commands, found), io);
  const Command* command = found.command;
  // A command's own flag hides the connection's of the same name (create rolebinding --user).
  std::vector<FlagSpec> specs = command ? command->flags : std::vector<FlagSpec>();
  specs.insert(specs.end(), global_flags().begin(), global_flags().end());
  auto flags = text::parse_flags(specs, found.rest);
  if (!flags.ok()) return report(bad_flags(command, flags.status()), io);
  if (wants_help || !command || !command->run || flags->is_set("help")) {
    print_help(commands, command, io.out);
    return report({}, io);
  }
  text::ParsedFlags connection = *flags;
  for (const FlagSpec& own : command->flags) connection.forget(own.name);
  Session session(io, connection, std::move(wire));
  Invocation call{session, *flags, flags->args, command->name};
  const Status status = command->run(call);
  return report(status, io, session.failure_code);
}

}  // namespace coracle::kubectl
