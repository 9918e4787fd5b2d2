#include "commands/get_watch.hpp"

#include <ostream>

#include "text/tabwriter.hpp"

namespace coracle::kubectl {
namespace {

class Watcher {
 public:
  explicit Watcher(const GetWatch& plan) : plan_(plan) {}

  Status run() {
    // One object: the watch itself begins with it. Many: list, then watch from there.
    std::string version = "0";
    if (plan_.target.name.empty()) {
      RETURN_IF_ERROR(first_list(&version));
    } else {
      auto there = plan_.session.get(plan_.target.resource, plan_.target.ns, plan_.target.name);
      if (!there.ok()) return server_failure(there.error());
      skip_ = plan_.only_changes ? 1 : 0;
    }
    client::QueryList query = selectors();
    query.emplace_back("watch", "true");
    query.emplace_back("resourceVersion", version);
    Status failure;
    auto end = plan_.session.watch(
        plan_.target.resource.path(plan_.target.ns) + client::encode_query(query),
        plan_.printer ? std::string_view() : kAcceptTable, [&](const json::value& event) {
          failure = on_event(event);
          return failure.ok();
        });
    if (!end.ok()) return server_failure(end.error());
    return failure;
  }

 private:
  client::QueryList selectors() const {
    client::QueryList out;
    std::string fields = plan_.field_selector;
    if (!plan_.target.name.empty()) fields = "metadata.name=" + plan_.target.name;
    if (!fields.empty()) out.emplace_back("fieldSelector", fields);
    if (!plan_.label_selector.empty()) out.emplace_back("labelSelector", plan_.label_selector);
    return out;
  }

  Status first_list(std::string* version) {
    auto answer = plan_.session.call_json(
        "GET", plan_.target.resource.path(plan_.target.ns) + client::encode_query(selectors()),
        nullptr, {}, plan_.printer ? std::string_view() : kAcceptTable);
    if (!answer.ok()) return server_failure(answer.error());
    json::value list = std::move(answer.value());
    *version = get_string(list, "metadata.resourceVersion");
    if (plan_.only_changes) return {};
    if (!plan_.printer)
      return print_table(as_table(std::move(list), plan_.session.wall_now()), "ADDED");
    for (const json::value& item : get_array(list, "items")) {
      json::value object = item;
      object.as_object()["apiVersion"] = plan_.target.resource.api_version();
      object.as_object()["kind"] = plan_.target.resource.kind;
      RETURN_IF_ERROR(print_object(object));
    }
    return {};
  }

  Status on_event(const json::value& event) {
    const std::string type(get_string(event, "type"));
    const json::value* object = find(event, "object");
    if (!object || type == "BOOKMARK") return {};
    if (type == "ERROR") {
      return server_failure(client::error_from_status_object(*object));
    }
    if (skip_ > 0) return --skip_, Status();
    if (plan_.printer) return print_object(*object);
    return print_table(as_table(*object, plan_.session.wall_now()), type);
  }

  Status print_object(const json::value& object) {
    ASSIGN_OR_RETURN(const std::string text, plan_.printer->print(object));
    plan_.session.io.out << text << std::flush;
    return {};
  }

  Status print_table(const json::value& table, const std::string& event) {
    if (const json::value* definitions = find(table, "columnDefinitions");
        definitions && definitions->is_array() && columns_.is_null()) {
      columns_ = *definitions;
    }
    if (columns_.is_null()) return {};
    std::vector<TextRow> rows = table_rows(columns_, table, plan_.target.resource, plan_.view);
    if (plan_.show_events) {
      for (TextRow& row : rows) row.insert(row.begin(), event);
    }
    if (rows.empty()) return {};
    if (!plan_.no_headers && !std::exchange(has_header_, true)) {
      TextRow header = table_header(columns_, plan_.view);
      if (plan_.show_events) header.insert(header.begin(), "EVENT");
      rows.insert(rows.begin(), std::move(header));
    }
    plan_.session.io.out << columns_printer_.print(rows) << std::flush;
    return {};
  }

  const GetWatch& plan_;
  json::value columns_;
  bool has_header_ = false;
  int skip_ = 0;
  text::ColumnPrinter columns_printer_;
};

}  // namespace

Status watch_target(const GetWatch& plan) { return Watcher(plan).run(); }

}  // namespace coracle::kubectl
