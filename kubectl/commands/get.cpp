#include <ostream>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/get_watch.hpp"
#include "kubectl/output.hpp"
#include "kubectl/table_view.hpp"
#include "kubectl/target.hpp"
#include "text/tabwriter.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

constexpr const char* kExamples =
    "  # The pods of this namespace, as a table\n"
    "  kubectl get pods\n\n"
    "  # More columns; one deployment; two types at once\n"
    "  kubectl get pods -o wide\n  kubectl get deployment web\n  kubectl get po,svc\n\n"
    "  # One field of each\n"
    "  kubectl get pods -o jsonpath='{.items[*].metadata.name}'\n\n"
    "  # Stay and print what changes\n"
    "  kubectl get pods -l app=web -w\n";

// What was asked of the server for one target, and its answer.
struct Fetched {
  Target target;
  json::value answer;
};

class Get {
 public:
  explicit Get(Invocation& call)
      : session_(call.session),
        flags_(call.flags),
        options_(target_options(call.flags, call.args)) {
    options_.need_names = false;
  }

  Status run() {
    if (!flags_.get("raw").empty()) return raw();
    RETURN_IF_ERROR(check_arguments());
    ASSIGN_OR_RETURN(format_, output_format(flags_));
    std::unique_ptr<ObjectPrinter> printer;
    if (!format_.is_table()) {
      ASSIGN_OR_RETURN(printer, make_printer(format_));
    }
    ASSIGN_OR_RETURN(targets_, find_each_target(session_, options_));
    std::vector<Status> broken;
    for (const Target& target : targets_) {
      if (!target.failure.ok()) broken.push_back(target.failure);
    }
    std::erase_if(targets_, [](const Target& target) { return !target.failure.ok(); });
    if (targets_.empty()) return join_failures(broken);
    view_.wide = format_.name == "wide";
    view_.show_labels = flags_.is_set("show-labels");
    view_.label_columns = flags_.list("label-columns");
    view_.with_namespace = options_.all_namespaces;
    view_.show_kind = flags_.is_set("show-kind") || many_kinds();
    if (flags_.is_set("watch") || flags_.is_set("watch-only")) return watch(printer.get());
    const Status printed = printer ? print_objects(*printer) : print_tables();
    if (!printed.ok()) broken.insert(broken.begin(), printed);
    return join_failures(broken);
  }

 private:
  Status raw() {
    auto answer = session_.call({.target = flags_.get("raw")});
    if (!answer.ok()) {
      client::ApiError error = answer.error();
      // Not every 404 has a Status to read.
      if (error.is_not_found() && get_string(error.status, "kind") != "Status") {
        error.message = "the server could not find the requested resource";
      }
      return server_failure(error);
    }
    session_.io.out << answer.value().body;
    return {};
  }

  Status check_arguments() const {
    if (!options_.files.empty() || !options_.args.empty()) return {};
    return invalid_argument(
        "You must specify the type of resource to get. Use \"kubectl api-resources\" for a "
        "complete list of supported resources.\n\nerror: Required resource not specified.\nUse "
        "\"kubectl explain <resource>\" for a detailed description of that resource (e.g. kubectl "
        "explain pods).\nSee 'kubectl get -h' for help and examples");
  }

  bool many_kinds() const {
    for (const Target& target : targets_) {
      if (target.resource.group_resource() != targets_.front().resource.group_resource()) {
        return true;
      }
    }
    return false;
  }

  client::QueryList query(bool of_collection) const {
    client::QueryList out;
    if (!of_collection) return out;
    if (!options_.field_selector.empty()) {
      out.emplace_back("fieldSelector", options_.field_selector);
    }
    if (!options_.label_selector.empty()) {
      out.emplace_back("labelSelector", options_.label_selector);
    }
    return out;
  }

  Status failure_of(const client::ApiError& error, const Target& target) const {
    if (!target.name.empty()) return server_failure(error);
    return server_failure(list_failure(error, target.resource, options_));
  }

  // All pages of a table (or of a list, from a server without tables) as one table.
  Answer fetch_table(const Target& target) {
    const bool sorts = !flags_.get("sort-by").empty();
    client::QueryList base = query(target.name.empty());
    if (target.name.empty() && flags_.get_int("chunk-size") > 0) {
      base.emplace_back("limit", flags_.get("chunk-size"));
    }
    if (sorts) base.emplace_back("includeObject", "Object");
    json::value whole;
    std::string next;
    do {
      client::QueryList page = base;
      if (!next.empty()) page.emplace_back("continue", next);
      auto answer = session_.call_json(
          "GET",
          target.resource.path(target.ns, target.name, flags_.get("subresource")) +
              client::encode_query(page),
          nullptr, {}, kAcceptTable);
      if (!answer.ok()) return answer;
      json::value table = as_table(std::move(answer.value()), session_.wall_now());
      next = get_string(table, "metadata.continue");
      if (whole.is_null()) {
        whole = std::move(table);
        if (!whole.as_object()["rows"].is_array()) whole.as_object()["rows"].emplace_array();
      } else {
        json::array& rows = whole.as_object()["rows"].as_array();
        for (const json::value& row : get_array(table, "rows")) rows.push_back(row);
      }
    } while (!next.empty());
    return whole;
  }

  // Tables of neighbouring targets of one kind are one block of the output.
  Status print_tables() {
    std::vector<Status> failures;
    std::vector<Fetched> fetched;
    for (const Target& target : targets_) {
      auto answer = fetch_table(target);
      if (answer.ok()) {
        fetched.push_back({target, std::move(answer.value())});
      } else if (!(answer.error().is_not_found() && flags_.is_set("ignore-not-found"))) {
        failures.push_back(failure_of(answer.error(), target));
      }
    }
    bool namespaced = !options_.all_namespaces;
    bool wrote = false;
    for (size_t i = 0; i < fetched.size();) {
      size_t end = i + 1;
      while (end < fetched.size() && fetched[end].target.resource.group_resource() ==
                                         fetched[i].target.resource.group_resource()) {
        ++end;
      }
      namespaced = namespaced && fetched[i].target.resource.namespaced;
      Status status = print_block(fetched, i, end, &wrote);
      if (!status.ok()) failures.push_back(std::move(status));
      i = end;
    }
    if (!wrote && failures.empty() && !flags_.is_set("ignore-not-found")) {
      session_.warn(namespaced
                        ? "No resources found in " + session_.namespace_name() + " namespace."
                        : "No resources found");
    }
    return join_failures(failures);
  }

  Status print_block(std::vector<Fetched>& fetched, size_t from, size_t to, bool* wrote) {
    const json::value columns = *find(fetched[from].answer, "columnDefinitions");
    TableView view = view_;
    view.with_namespace = view.with_namespace && fetched[from].target.resource.namespaced;
    std::vector<TextRow> rows;
    for (size_t i = from; i < to; ++i) {
      json::value& table = fetched[i].answer;
      if (!flags_.get("sort-by").empty() && !get_array(table, "rows").empty()) {
        RETURN_IF_ERROR(
            sort_by_path(table.as_object()["rows"].as_array(), flags_.get("sort-by"), true));
      }
      for (TextRow& row : table_rows(columns, table, fetched[i].target.resource, view)) {
        rows.push_back(std::move(row));
      }
    }
    if (rows.empty()) return {};
    if (!format_.no_headers) rows.insert(rows.begin(), table_header(columns, view));
    if (*wrote && !format_.no_headers) session_.io.out << "\n";
    *wrote = true;
    text::ColumnPrinter printer;
    session_.io.out << printer.print(rows);
    return {};
  }

  Status print_objects(ObjectPrinter& printer) {
    std::vector<Status> failures;
    json::array items;
    const bool single = targets_.size() == 1 && !targets_[0].name.empty();
    for (const Target& target : targets_) {
      auto answer =
          target.name.empty()
              ? session_.list(target.resource, target.ns, query(true))
              : session_.call_json(
                    "GET", target.resource.path(target.ns, target.name, flags_.get("subresource")));
      if (!answer.ok()) {
        if (!(answer.error().is_not_found() && flags_.is_set("ignore-not-found"))) {
          failures.push_back(failure_of(answer.error(), target));
        }
        continue;
      }
      if (!target.name.empty()) {
        items.push_back(std::move(answer.value()));
      } else {
        for (const json::value& item : get_array(answer.value(), "items")) items.push_back(item);
      }
    }
    if (!flags_.get("sort-by").empty() && !items.empty()) {
      RETURN_IF_ERROR(sort_by_path(items, flags_.get("sort-by"), false));
    }
    if (single && items.empty()) return join_failures(failures);
    if (!failures.empty() && items.empty()) return join_failures(failures);
    json::value whole = single ? items[0] : make_list(std::move(items));
    ASSIGN_OR_RETURN(const std::string text, printer.print(whole));
    session_.io.out << text;
    return join_failures(failures);
  }

  Status watch(ObjectPrinter* printer) {
    if (many_kinds() && options_.files.empty()) {
      return fail("you may only specify a single resource type");
    }
    if (targets_.size() != 1) {
      return fail("watch is only supported on individual resources and resource collections - " +
                  (many_kinds() ? "more than 1 resource was found"
                                : std::to_string(targets_.size()) + " resources were found"));
    }
    GetWatch plan{session_, targets_.front(), view_, printer};
    plan.label_selector = options_.label_selector;
    plan.field_selector = options_.field_selector;
    plan.no_headers = format_.no_headers;
    plan.only_changes = flags_.is_set("watch-only");
    plan.show_events = flags_.is_set("output-watch-events");
    return watch_target(plan);
  }

  Session& session_;
  const text::ParsedFlags& flags_;
  TargetOptions options_;
  OutputFormat format_;
  TableView view_;
  std::vector<Target> targets_;
};

}  // namespace

Command get_command() {
  Command command{.name = "get",
                  .usage = "(TYPE [NAME ...] | TYPE/NAME ... | -f FILE) [flags]",
                  .summary = "Print one or many resources",
                  .examples = kExamples};
  command.flags = file_flags() + selector_flags() + output_flags();
  command.flags.push_back({"watch", 'w', FlagType::kBool, "false", "Go on printing changes"});
  command.flags.push_back({"watch-only", 0, FlagType::kBool, "false", "Print only changes"});
  command.flags.push_back(
      {"output-watch-events", 0, FlagType::kBool, "false", "Name the kind of each change"});
  command.flags.push_back({"show-labels", 0, FlagType::kBool, "false", "A last column of labels"});
  command.flags.push_back({"show-kind", 0, FlagType::kBool, "false", "Print kind/name"});
  command.flags.push_back(
      {"label-columns", 'L', FlagType::kList, "", "Labels that get a column of their own"});
  command.flags.push_back(
      {"sort-by", 0, FlagType::kString, "", "Sort by the field at this JSONPath"});
  command.flags.push_back({"no-headers", 0, FlagType::kBool, "false", "No line of headers"});
  command.flags.push_back(
      {"ignore-not-found", 0, FlagType::kBool, "false", "Nothing found is no failure"});
  command.flags.push_back({"chunk-size", 0, FlagType::kInt, "500", "Objects a request; 0: all"});
  command.flags.push_back({"raw", 0, FlagType::kString, "", "Print the answer to this path"});
  command.flags.push_back({"server-print", 0, FlagType::kBool, "true", "Accepted and not used"});
  command.flags.push_back(
      {"subresource", 0, FlagType::kString, "", "That part of the object, e.g. scale"});
  command.run = [](Invocation& call) { return Get(call).run(); };
  return command;
}

}  // namespace coracle::kubectl
