// api-resources, api-versions
#include <algorithm>
#include <ostream>

#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "text/tabwriter.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

bool has_all(const std::vector<std::string>& have, const std::vector<std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& one) {
    return std::find(have.begin(), have.end(), one) != have.end();
  });
}

// The preferred version of each resource, as the flags select them, by group and name.
std::vector<Resource> selected(const Discovery& discovery, const text::ParsedFlags& flags) {
  std::vector<Resource> out;
  for (const Resource& resource : discovery.resources()) {
    const bool seen = std::any_of(out.begin(), out.end(), [&](const Resource& other) {
      return other.group_resource() == resource.group_resource();
    });
    if (seen || resource.verbs.empty()) continue;
    if (flags.has("api-group") && resource.group != flags.get("api-group")) continue;
    if (flags.has("namespaced") && resource.namespaced != flags.is_set("namespaced")) continue;
    if (!has_all(resource.verbs, flags.list("verbs"))) continue;
    if (!has_all(resource.categories, flags.list("categories"))) continue;
    out.push_back(resource);
  }
  const bool by_kind = flags.get("sort-by") == "kind", by_name = flags.get("sort-by") == "name";
  std::stable_sort(out.begin(), out.end(), [&](const Resource& a, const Resource& b) {
    if (by_kind && a.kind != b.kind) return a.kind < b.kind;
    if (!by_kind && !by_name && a.group != b.group) return a.group < b.group;
    return a.plural < b.plural;
  });
  return out;
}

Status run_resources(Invocation& call) {
  if (!call.args.empty()) {
    return usage_failure(call.command, "unexpected arguments: [" + join(call.args, " ") + "]");
  }
  const std::string output = call.flags.get("output");
  if (!output.empty() && output != "wide" && output != "name") {
    return fail("--output " + output + " is not available in kubectl api-resources");
  }
  ASSIGN_OR_RETURN(const Discovery* discovery, call.session.discovery());
  std::vector<std::vector<std::string>> rows;
  if (!call.flags.is_set("no-headers")) {
    rows.push_back({"NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"});
    if (output == "wide") rows.back().insert(rows.back().end(), {"VERBS", "CATEGORIES"});
  }
  for (const Resource& resource : selected(*discovery, call.flags)) {
    if (output == "name") {
      call.session.io.out << resource.group_resource() << "\n";
      continue;
    }
    rows.push_back({resource.plural, join(resource.short_names, ","), resource.api_version(),
                    resource.namespaced ? "true" : "false", resource.kind});
    if (output == "wide") {
      std::vector<std::string> verbs = resource.verbs;
      std::sort(verbs.begin(), verbs.end());
      rows.back().push_back(join(verbs, ","));
      rows.back().push_back(join(resource.categories, ","));
    }
  }
  text::ColumnPrinter printer;
  if (output != "name") call.session.io.out << printer.print(rows);
  return {};
}

Status run_versions(Invocation& call) {
  ASSIGN_OR_RETURN(const Discovery* discovery, call.session.discovery());
  std::vector<std::string> versions = discovery->api_versions();
  std::sort(versions.begin(), versions.end());
  for (const std::string& version : versions) call.session.io.out << version << "\n";
  return {};
}

}  // namespace

std::vector<Command> api_commands() {
  Command resources{.name = "api-resources",
                    .usage = "[flags]",
                    .summary = "List what kinds the server knows",
                    .examples = "  kubectl api-resources --namespaced=false -o name\n",
                    .run = run_resources};
  for (text::FlagSpec flag : std::vector<text::FlagSpec>{
           {"output", 'o', FlagType::kString, "", "wide or name"},
           {"api-group", 0, FlagType::kString, "", "Only this group"},
           {"namespaced", 0, FlagType::kBool, "true", "Only those in namespaces, or only not"},
           {"verbs", 0, FlagType::kList, "", "Only those with all these verbs"},
           {"categories", 0, FlagType::kList, "", "Only those of these categories"},
           {"sort-by", 0, FlagType::kString, "", "name or kind"},
           {"no-headers", 0, FlagType::kBool, "false", "No line of headers"},
           {"cached", 0, FlagType::kBool, "false", "Accepted, not used"}}) {
    resources.flags.push_back(std::move(flag));
  }
  return {resources,
          {.name = "api-versions",
           .usage = "",
           .summary = "List groups and versions",
           .run = run_versions}};
}

}  // namespace coracle::kubectl
