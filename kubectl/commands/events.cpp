// events
#include <algorithm>
#include <ostream>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "describe/describe.hpp"
#include "kubectl/output.hpp"
#include "kubectl/target.hpp"
#include "text/tabwriter.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

std::string last_seen(const json::value& event) {
  for (const char* field : {"series.lastObservedTime", "lastTimestamp", "eventTime"}) {
    const std::string text = text_at(event, field);
    if (!text.empty()) return text;
  }
  return std::string(api::creation_timestamp_of(event));
}

// --for=deployment/web
Result<std::string> field_selector_for(Session& session, const std::string& text) {
  const auto parts = split(text, '/');
  if (parts.size() != 2) {
    return fail("--for must be in resource/name form");
  }
  ASSIGN_OR_RETURN(const Resource* resource, session.resource(parts[0]));
  return "involvedObject.kind=" + resource->kind + ",involvedObject.name=" + parts[1];
}

std::vector<std::string> event_row(const json::value& event, WallTime now, bool all) {
  std::vector<std::string> row;
  if (all) row.emplace_back(api::namespace_of(event));
  for (std::string cell :
       {event_age(event, now), text_at(event, "type"), text_at(event, "reason"),
        text_at(event, "involvedObject.kind") + "/" + text_at(event, "involvedObject.name"),
        std::string(trim(get_string(event, "message")))}) {
    row.push_back(std::move(cell));
  }
  return row;
}

Status watch_events(Invocation& call, const Resource& resource, const std::string& ns,
                    client::QueryList query, const std::string& version, bool all,
                    text::ColumnPrinter& printer) {
  query.emplace_back("watch", "true");
  query.emplace_back("resourceVersion", version);
  auto end = call.session.watch(
      resource.path(ns) + client::encode_query(query), {}, [&](const json::value& event) {
        const json::value* object = find(event, "object");
        if (!object || get_string(event, "type") == "DELETED") return true;
        call.session.io.out << printer.print({event_row(*object, call.session.wall_now(), all)})
                            << std::flush;
        return true;
      });
  return end.ok() ? Status() : server_failure(end.error());
}

Status run_events(Invocation& call) {
  ASSIGN_OR_RETURN(const Resource* resource, call.session.resource("events"));
  const bool all = call.flags.is_set("all-namespaces");
  const std::string ns = all ? "" : call.session.namespace_name();
  client::QueryList query;
  if (call.flags.has("for")) {
    ASSIGN_OR_RETURN(const std::string selector,
                     field_selector_for(call.session, call.flags.get("for")));
    query.emplace_back("fieldSelector", selector);
  }
  TRY_SERVER(const json::value list, call.session.list(*resource, ns, query));
  std::vector<json::value> events;
  const auto types = call.flags.list("types");
  for (const json::value& event : get_array(list, "items")) {
    const std::string type = text_at(event, "type");
    const bool wanted =
        types.empty() || std::any_of(types.begin(), types.end(),
                                     [&](const std::string& one) { return iequals(one, type); });
    if (wanted) events.push_back(event);
  }
  std::stable_sort(events.begin(), events.end(), [](const json::value& a, const json::value& b) {
    return last_seen(a) < last_seen(b);
  });
  ASSIGN_OR_RETURN(const OutputFormat format, output_format(call.flags));
  if (!format.is_table()) {
    ASSIGN_OR_RETURN(auto printer, make_printer(format));
    json::array items(events.begin(), events.end());
    ASSIGN_OR_RETURN(const std::string text, printer->print(make_list(std::move(items))));
    call.session.io.out << text;
    return {};
  }
  const bool watch = call.flags.is_set("watch");
  if (events.empty() && !watch) {
    call.session.warn(all ? "No events found." : "No events found in " + ns + " namespace.");
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  if (!call.flags.is_set("no-headers")) {
    rows.push_back({"LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"});
    if (all) rows.back().insert(rows.back().begin(), "NAMESPACE");
  }
  for (const json::value& event : events) {
    rows.push_back(event_row(event, call.session.wall_now(), all));
  }
  text::ColumnPrinter printer;
  call.session.io.out << printer.print(rows) << std::flush;
  if (!watch) return {};
  return watch_events(call, *resource, ns, query,
                      std::string(get_string(list, "metadata.resourceVersion")), all, printer);
}

}  // namespace

Command events_command() {
  Command command{.name = "events",
                  .usage = "[--for TYPE/NAME] [-w]",
                  .summary = "List events, the latest last",
                  .examples = "  kubectl events --for deployment/web\n  kubectl events -A -w\n",
                  .flags = output_flags(),
                  .run = run_events};
  for (text::FlagSpec flag : std::vector<text::FlagSpec>{
           {"for", 0, FlagType::kString, "", "Only about this: TYPE/NAME"},
           {"types", 0, FlagType::kList, "", "Only Normal or Warning"},
           {"watch", 'w', FlagType::kBool, "false", "Stay and print what comes"},
           {"all-namespaces", 'A', FlagType::kBool, "false", "In every namespace"},
           {"no-headers", 0, FlagType::kBool, "false", "No line of headers"},
           {"chunk-size", 0, FlagType::kInt, "500", "Accepted, not used"}}) {
    command.flags.push_back(std::move(flag));
  }
  return command;
}

}  // namespace coracle::kubectl
