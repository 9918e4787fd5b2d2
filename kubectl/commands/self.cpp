// options: about the program itself; kustomize, which needs no cluster.
#include <ostream>
#include <utility>

#include "base/yaml.hpp"
#include "commands/commands.hpp"
#include "kubectl/manifest.hpp"

namespace coracle::kubectl {
namespace {

Status print_kustomization(Invocation& call) {
  if (call.args.size() > 1) return fail("specify one path to kustomization.yaml");
  const std::string directory = call.args.empty() ? "." : call.args[0];
  const auto objects = kustomize::build(directory, files_on_disk());
  if (!objects.ok()) return fail(objects.status().message());
  bool first = true;
  for (const json::value& object : *objects) {
    if (!std::exchange(first, false)) call.session.io.out << "---\n";
    call.session.io.out << to_yaml(sorted_keys(object));
  }
  return {};
}

}  // namespace

Command kustomize_command() {
  return {.name = "kustomize",
          .usage = "[DIR]",
          .summary = "Print the objects that a kustomization.yaml makes",
          .examples =
              "  kubectl kustomize overlays/production\n"
              "  kubectl apply -k overlays/production\n",
          .flags = {},
          .run = print_kustomization};
}

std::vector<Command> self_commands() {
  Command options{.name = "options",
                  .usage = "",
                  .summary = "Print the flags that every command has",
                  .run = [](Invocation& call) -> Status {
                    call.session.io.out << "The following options can be passed to any command:\n\n"
                                        << text::flag_help(global_flags());
                    return {};
                  }};
  return {options};
}

}  // namespace coracle::kubectl
