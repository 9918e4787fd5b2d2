#include <fmt/format.h>

#include <algorithm>

#include "apiserver/flow/flow_control.hpp"

namespace coracle::apiserver {

namespace {

using Row = std::vector<std::string>;

constexpr std::size_t kCellMin = 8;

// Cells end in a comma and are filled to the width of their column.
std::string table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const Row& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      widths[i] = std::max({widths[i], kCellMin, row[i].size() + 2});
    }
  }
  std::string out;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      out += fmt::format("{:<{}}", row[i] + ",", widths[i]);
    }
    out += row.back() + "\n";
  }
  return out;
}

Row no_queues(const std::string& name, std::size_t columns) {
  Row row(columns, "<none>");
  row[0] = name;
  return row;
}

std::string text_of(bool value) { return value ? "true" : "false"; }

std::string levels_page(const FlowControl& flow) {
  std::vector<Row> rows = {{"PriorityLevelName", "ActiveQueues", "IsIdle", "IsQuiescing",
                            "WaitingRequests", "ExecutingRequests"}};
  for (const auto& [name, level] : flow.levels()) {
    const QueueSet& queues = level->queues;
    if (level->config.exempt) {
      rows.push_back(no_queues(name, rows[0].size()));
      continue;
    }
    int active = 0;
    for (std::size_t i = 0; i < queues.queue_count(); ++i) active += !queues.waiting_in(i).empty();
    rows.push_back({name, std::to_string(active), text_of(queues.idle()), text_of(level->quiescing),
                    std::to_string(queues.waiting()), std::to_string(queues.executing())});
  }
  return table(rows);
}

std::string queues_page(const FlowControl& flow) {
  std::vector<Row> rows = {{"PriorityLevelName", "Index", "PendingRequests", "ExecutingRequests",
                            "SeatsInUse", "NextDispatchR", "InitialSeatsSum", "MaxSeatsSum",
                            "TotalWorkSum"}};
  for (const auto& [name, level] : flow.levels()) {
    if (level->config.exempt) {
      rows.push_back(no_queues(name, rows[0].size()));
      continue;
    }
    if (level->config.queues == 0) continue;
    for (std::size_t i = 0; i < level->queues.queue_count(); ++i) {
      const QueueSet::QueueView view = level->queues.view(i);
      const std::string seats = std::to_string(view.waiting_seats);
      rows.push_back({name, std::to_string(i), std::to_string(view.waiting),
                      std::to_string(view.executing), std::to_string(view.seats),
                      fmt::format("{:.8f}ss", view.next_dispatch), seats, seats,
                      fmt::format("{:.8f}ss", 0.003 * view.waiting_seats)});
    }
  }
  return table(rows);
}

std::string requests_page(const FlowControl& flow, bool details) {
  std::vector<Row> rows = {{"PriorityLevelName", "FlowSchemaName", "QueueIndex",
                            "RequestIndexInQueue", "FlowDistingsher", "ArriveTime", "InitialSeats",
                            "FinalSeats", "AdditionalLatency"}};
  if (details) {
    for (const char* more : {"UserName", "Verb", "APIPath", "Namespace", "Name", "APIVersion",
                             "Resource", "SubResource"}) {
      rows[0].emplace_back(more);
    }
  }
  for (const auto& waiter : flow.waiters()) {
    const FlowControl::Schema& schema = *waiter->schema;
    const auto& queue = schema.level->queues.waiting_in(static_cast<std::size_t>(waiter->queue));
    const auto at = std::find_if(queue.begin(), queue.end(), [&](const QueueSet::Waiting& one) {
      return one.id == waiter->id;
    });
    Row row = {schema.level->config.name,
               schema.schema.name(),
               std::to_string(waiter->queue),
               std::to_string(at - queue.begin()),
               waiter->flow,
               format_micro_time(waiter->arrived),
               std::to_string(waiter->seats),
               "0",
               "0s"};
    if (details) {
      const RequestInfo& r = waiter->request;
      const std::string version = r.group.empty() ? r.version : r.group + "/" + r.version;
      for (const std::string& more :
           {waiter->user, r.verb, r.path, r.ns, r.name, version, r.resource, r.subresource}) {
        row.push_back(more);
      }
    }
    rows.push_back(std::move(row));
  }
  return table(rows);
}

}  // namespace

std::optional<std::string> flow_dump(const FlowControl& flow, std::string_view page, bool details) {
  if (page == "dump_priority_levels") return levels_page(flow);
  if (page == "dump_queues") return queues_page(flow);
  if (page == "dump_requests") return requests_page(flow, details);
  return std::nullopt;
}

}  // namespace coracle::apiserver
