#include "report/run_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "report/html.hpp"
#include "report/svg.hpp"

namespace coracle::sim {
namespace {

constexpr size_t kLongestShown = 12, kReasonsShown = 12, kEventsShown = 40;

double in_seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

std::string time_text(Duration d) { return d == Duration(0) ? "0s" : human_duration(d); }

class Report {
 public:
  Report(const Scenario& scenario, const RunIdentity& identity, const Ledger& ledger,
         const std::vector<Judged>& judged)
      : scenario_(scenario), identity_(identity), ledger_(ledger), judged_(judged) {}

  std::string page() {
    std::string body =
        head() + tiles() + assertions() + plots() + sources() + longest() + reasons() + events();
    body += fmt::format(
        "<h2>Scenario</h2><details open><summary>{}</summary><pre>{}</pre>"
        "</details>\n",
        html_escaped(scenario_.name + ".yaml"), html_escaped(scenario_.text));
    return html_page(scenario_.name + ", " + identity_.policy, body);
  }

 private:
  std::string head() const {
    const bool held =
        std::all_of(judged_.begin(), judged_.end(), [](const Judged& one) { return one.held; });
    std::string out = fmt::format(
        "<h1>{}</h1>\n<p class=\"soft\">policy {}, {}seed {}, engine {}, "
        "{} of virtual time</p>\n",
        html_escaped(scenario_.name), html_escaped(identity_.policy),
        identity_.trace.empty() ? "" : "trace " + html_escaped(identity_.trace) + ", ",
        identity_.seed, identity_.engine, time_text(scenario_.duration));
    if (!judged_.empty()) {
      out += fmt::format("<p>What was asserted: {}</p>\n", html_verdict(held));
    }
    return out;
  }

  std::string tiles() const {
    const auto number = [&](const char* name) {
      return axis_text(Axis::kNumber, ledger_.number(name).value());
    };
    std::vector<double> waits = values("pod.wait");
    std::sort(waits.begin(), waits.end());
    std::vector<std::pair<std::string, std::string>> tiles = {
        {number("pods.created"), "pods created"},
        {number("pods.scheduled"), "placed"},
        {number("unscheduled"), "wait at the end"},
        {axis_text(Axis::kSeconds, percentile_of_sorted(waits, 50)), "wait, median"},
        {axis_text(Axis::kSeconds, percentile_of_sorted(waits, 99)), "wait, 99th percentile"},
        {number("decisions"), "decisions"},
        {number("pods.evicted"), "evicted"},
        {number("pods.preempted"), "preempted"}};
    for (const std::string& resource : ledger_.resources()) {
      const std::vector<double> shares = values("utilisation." + resource);
      if (shares.empty()) continue;
      double sum = 0;
      for (const double share : shares) sum += share;
      tiles.emplace_back(fmt::format("{:.1f} %", sum / static_cast<double>(shares.size()) * 100),
                         "of " + resource + " requested, mean");
    }
    return html_tiles(tiles);
  }

  std::string assertions() const {
    if (judged_.empty()) return {};
    std::string out = "<h2>Assertions</h2>\n<table><tbody>\n";
    for (const Judged& one : judged_) {
      out += fmt::format("<tr><td>{}</td><td>{}</td><td class=\"soft\">{}</td></tr>\n",
                         html_verdict(one.held), html_escaped(one.text), html_escaped(one.found));
    }
    return out + "</tbody></table>\n";
  }

  // ---- plots ----
  std::vector<double> values(const std::string& name) const {
    std::vector<double> out;
    const auto points = ledger_.points(name).value();
    for (const auto& point : points) out.push_back(point.value);
    return out;
  }
  bool wanted(const std::string& name) const {
    return scenario_.series.empty() || std::find(scenario_.series.begin(), scenario_.series.end(),
                                                 name) != scenario_.series.end();
  }
  void add_line(Plot* plot, const std::string& series, const std::string& name) const {
    if (!wanted(series)) return;
    Line line{name, {}, {}};
    const auto points = ledger_.points(series).value();
    for (const auto& point : points) {
      line.points.emplace_back(in_seconds(point.at), point.value);
    }
    if (!line.points.empty()) plot->lines.push_back(std::move(line));
  }
  Plot over_time(const std::string& title, Axis y) const {
    Plot plot;
    plot.title = title;
    plot.y = y;
    for (const auto& [from, until, name] : fault_spans()) {
      plot.spans.push_back({in_seconds(from), in_seconds(until), name});
    }
    return plot;
  }
  // Faults as they were planned stand in the events; a single one with a time is shaded.
  std::vector<std::tuple<Duration, Duration, std::string>> fault_spans() const {
    std::vector<std::tuple<Duration, Duration, std::string>> spans;
    for (const FaultSpec& fault : scenario_.faults) {
      if (fault.every) continue;
      spans.emplace_back(fault.at, fault.span ? fault.at + *fault.span : scenario_.duration,
                         fault.kind + (fault.zone.empty() ? "" : " " + fault.zone));
    }
    return spans;
  }
  static std::string drawn(const Plot& plot) {
    return plot.lines.empty() ? std::string() : line_plot(plot);
  }

  std::string plots() const {
    std::string out;
    Plot requested = over_time("Requested share of what ready nodes have", Axis::kShare);
    Plot used = over_time("Used share of what ready nodes have", Axis::kShare);
    for (const std::string& resource : ledger_.resources()) {
      add_line(&requested, "utilisation." + resource, resource);
      add_line(&used, "usage." + resource, resource);
    }
    out += drawn(requested) + drawn(used);
    Plot waiting = over_time("Pods that wait", Axis::kNumber);
    add_line(&waiting, "queue.pending", "all");
    add_line(&waiting, "queue.parked", "fit nowhere");
    add_line(&waiting, "queue.backoff", "back off");
    out += drawn(waiting);
    Plot running = over_time("Pods on nodes", Axis::kNumber);
    add_line(&running, "pods.running", "pods");
    out += drawn(running);
    Plot nodes = over_time("Nodes", Axis::kNumber);
    add_line(&nodes, "nodes.ready", "ready");
    add_line(&nodes, "nodes.empty", "ready, without pods");
    out += drawn(nodes);
    Plot spread =
        over_time("Spread of CPU shares between nodes (standard deviation)", Axis::kShare);
    add_line(&spread, "imbalance.cpu", "spread");
    out += drawn(spread) + wait_plot();
    std::vector<double> shares;
    for (const NodeRow& node : ledger_.nodes()) {
      if (!node.ready || node.allocatable.cpu_milli == 0) continue;
      shares.push_back(static_cast<double>(node.requested.cpu_milli) /
                       static_cast<double>(node.allocatable.cpu_milli));
    }
    constexpr int kSteps = 20;
    out += histogram("Nodes by share of CPU requested, at the end", shares, Axis::kShare, kSteps);
    return "<h2>Over time</h2>\n<div class=\"plots\">\n" + out + "</div>\n";
  }

  std::string wait_plot() const {
    std::vector<double> waits = values("pod.wait");
    if (waits.empty()) return {};
    std::sort(waits.begin(), waits.end());
    constexpr double kLeast = 1e-3;
    Plot plot;
    plot.title = "Share of placed pods that waited at most so long";
    plot.y = Axis::kShare;
    plot.log_x = true;
    Line line{"pods", {}, {}};
    line.points.emplace_back(kLeast, 0);
    for (size_t i = 0; i < waits.size(); ++i) {
      if (i + 1 < waits.size() && waits[i + 1] == waits[i]) continue;
      line.points.emplace_back(std::max(kLeast, waits[i]),
                               static_cast<double>(i + 1) / static_cast<double>(waits.size()));
    }
    plot.lines.push_back(std::move(line));
    return line_plot(plot);
  }

  // ---- tables ----
  std::string sources() const {
    struct Sum {
      std::int64_t created = 0, placed = 0, waiting = 0;
      std::vector<double> waits;
    };
    std::map<std::string, Sum> sums;
    for (const PodRow& pod : ledger_.pods()) {
      Sum& sum = sums[pod.source];
      ++sum.created;
      if (pod.bound) {
        ++sum.placed;
        sum.waits.push_back(in_seconds(*pod.bound - pod.created));
      } else if (pod.end == PodEnd::kNone) {
        ++sum.waiting;
      }
    }
    HtmlTable table;
    table.head = {"from", "created", "placed", "wait at the end", "wait p50", "p90", "p99", "max"};
    table.numeric = {false, true, true, true, true, true, true, true};
    for (auto& [source, sum] : sums) {
      std::sort(sum.waits.begin(), sum.waits.end());
      std::vector<std::string> row = {source, std::to_string(sum.created),
                                      std::to_string(sum.placed), std::to_string(sum.waiting)};
      for (const double p : {50.0, 90.0, 99.0, 100.0}) {
        row.push_back(axis_text(Axis::kSeconds, percentile_of_sorted(sum.waits, p)));
      }
      table.rows.push_back(std::move(row));
    }
    return "<h2>Where pods came from</h2>\n" + html_table(table);
  }

  std::string longest() const {
    std::vector<std::pair<Duration, const PodRow*>> waits;
    for (const PodRow& pod : ledger_.pods()) {
      const Duration until = pod.bound ? *pod.bound : pod.ended.value_or(scenario_.duration);
      waits.emplace_back(until - pod.created, &pod);
    }
    std::stable_sort(waits.begin(), waits.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    waits.resize(std::min(waits.size(), kLongestShown));
    HtmlTable table;
    table.head = {"pod", "waited", "created at", "decisions", "then", "last no"};
    table.numeric = {false, true, true, true, false, false};
    for (const auto& [wait, pod] : waits) {
      if (wait < std::chrono::seconds(1)) continue;
      const std::string then = pod->bound                  ? "placed on " + pod->node
                               : pod->end == PodEnd::kNone ? "still waits"
                                                           : "deleted";
      table.rows.push_back({pod->key, time_text(wait), time_text(pod->created),
                            std::to_string(pod->attempts), then, pod->message});
    }
    if (table.rows.empty()) return {};
    return "<h2>Who waited longest</h2>\n" + html_table(table);
  }

  std::string reasons() const {
    std::map<std::string, std::int64_t> counts;
    for (const PodRow& pod : ledger_.pods()) {
      if (!pod.bound && pod.end == PodEnd::kNone && !pod.message.empty()) ++counts[pod.message];
    }
    if (counts.empty()) return {};
    std::vector<std::pair<std::int64_t, std::string>> sorted;
    for (const auto& [message, count] : counts) sorted.emplace_back(-count, message);
    std::sort(sorted.begin(), sorted.end());
    HtmlTable table;
    table.head = {"pods", "why they still wait"};
    table.numeric = {true, false};
    for (size_t i = 0; i < std::min(sorted.size(), kReasonsShown); ++i) {
      table.rows.push_back({std::to_string(-sorted[i].first), sorted[i].second});
    }
    return "<h2>Why pods wait at the end</h2>\n" + html_table(table);
  }

  std::string events() const {
    if (ledger_.events().empty()) return {};
    HtmlTable table;
    table.head = {"at", "what happened"};
    table.numeric = {true, false};
    for (const auto& [at, what] : ledger_.events()) {
      if (table.rows.size() == kEventsShown) break;
      table.rows.push_back({time_text(at), what});
    }
    std::string out = "<h2>Faults</h2>\n" + html_table(table);
    if (ledger_.events().size() > kEventsShown) {
      out += fmt::format("<p class=\"soft\">and {} more: events.csv</p>\n",
                         ledger_.events().size() - kEventsShown);
    }
    return out;
  }

  const Scenario& scenario_;
  const RunIdentity& identity_;
  const Ledger& ledger_;
  const std::vector<Judged>& judged_;
};

}  // namespace

std::string run_report(const Scenario& scenario, const RunIdentity& identity, const Ledger& ledger,
                       const std::vector<Judged>& judged) {
  return Report(scenario, identity, ledger, judged).page();
}

}  // namespace coracle::sim
