#include "report/sweep_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>

#include "report/html.hpp"
#include "report/run_record.hpp"
#include "report/svg.hpp"
#include "report/table.hpp"

namespace coracle::sim {
namespace {

std::string group_name(const SweepCell& cell) {
  return cell.trace.empty() ? cell.policy : cell.policy + ", " + cell.trace;
}

// Cells of one policy and trace, in the order of the cells.
std::vector<std::pair<std::string, std::vector<const SweepCell*>>> grouped(
    const std::vector<SweepCell>& cells) {
  std::vector<std::pair<std::string, std::vector<const SweepCell*>>> groups;
  for (const SweepCell& cell : cells) {
    const std::string name = group_name(cell);
    auto found = std::find_if(groups.begin(), groups.end(),
                              [&](const auto& group) { return group.first == name; });
    if (found == groups.end()) found = groups.insert(groups.end(), {name, {}});
    found->second.push_back(&cell);
  }
  return groups;
}

struct Spread {
  double mean = std::numeric_limits<double>::quiet_NaN(), deviation = 0;
  std::vector<double> values;
};

Spread spread_of(const std::vector<const SweepCell*>& cells, const SweepMetric& metric) {
  Spread out;
  double sum = 0;
  for (const SweepCell* cell : cells) {
    const double value = metric_of(*cell, metric);
    if (std::isnan(value)) continue;
    out.values.push_back(value);
    sum += value;
  }
  if (out.values.empty()) return out;
  const auto count = static_cast<double>(out.values.size());
  out.mean = sum / count;
  double squares = 0;
  for (const double value : out.values) squares += (value - out.mean) * (value - out.mean);
  if (out.values.size() > 1) out.deviation = std::sqrt(squares / (count - 1));
  return out;
}

std::string spread_text(const Spread& spread, const SweepMetric& metric) {
  if (spread.values.empty()) return "-";
  const Axis axis = axis_of(metric.name);
  if (axis == Axis::kShare) {
    return fmt::format("{:.2f} ± {:.2f} %", spread.mean * 100, spread.deviation * 100);
  }
  return fmt::format("{} ± {}", axis_text(axis, spread.mean), axis_text(axis, spread.deviation));
}

std::pair<size_t, size_t> held_of(const std::vector<const SweepCell*>& cells) {
  size_t held = 0, all = 0;
  for (const SweepCell* cell : cells) {
    if (cell->run.is_null()) continue;
    ++all;
    held += get_bool(cell->run, "held") ? 1 : 0;
  }
  return {held, all};
}

// A series of all seeds of a group: the mean, and the band between the least and the greatest.
Line band_line(const std::string& name, const std::vector<const SweepCell*>& cells,
               const std::string& dir, const std::string& table, const std::string& column) {
  std::map<double, std::vector<double>> by_time;
  for (const SweepCell* cell : cells) {
    std::ifstream in(dir + "/" + cell->dir + "/" + table + ".jsonl");
    for (std::string line; std::getline(in, line);) {
      const auto row = parse_json(line);
      if (!row.ok()) continue;
      const json::value* at = find_keys(*row, {"at"});
      const json::value* value = find_keys(*row, {column});
      if (at == nullptr || value == nullptr || !value->is_number()) continue;
      by_time[at->to_number<double>()].push_back(value->to_number<double>());
    }
  }
  constexpr size_t kPointsMax = 300;
  const size_t every = std::max<size_t>(1, by_time.size() / kPointsMax);
  Line line{name, {}, {}};
  size_t n = 0;
  for (const auto& [at, values] : by_time) {
    if (n++ % every != 0) continue;
    double sum = 0;
    for (const double value : values) sum += value;
    line.points.emplace_back(at, sum / static_cast<double>(values.size()));
    line.band.emplace_back(*std::min_element(values.begin(), values.end()),
                           *std::max_element(values.begin(), values.end()));
  }
  return line;
}

}  // namespace

double metric_of(const SweepCell& cell, const SweepMetric& metric) {
  return run_number(cell.run, metric.section, metric.key, metric.part);
}

std::vector<SweepMetric> sweep_metrics(const std::vector<SweepCell>& cells) {
  std::vector<SweepMetric> out = {
      {"pods.scheduled", "numbers", "pods.scheduled", ""},
      {"unscheduled", "numbers", "unscheduled", ""},
      {"pods.evicted", "numbers", "pods.evicted", ""},
      {"pods.preempted", "numbers", "pods.preempted", ""},
      {"decisions.failed", "numbers", "decisions.failed", ""},
      {"pod.wait mean", "distributions", "pod.wait", "mean"},
      {"pod.wait p50", "distributions", "pod.wait", "p50"},
      {"pod.wait p99", "distributions", "pod.wait", "p99"},
  };
  std::vector<std::string> seen;
  for (const SweepCell& cell : cells) {
    for (const auto& series : get_object(cell.run, "series")) {
      const std::string name(series.key());
      const bool wanted = name.starts_with("utilisation.") || name == "imbalance.cpu" ||
                          name == "nodes.empty" || name == "queue.pending";
      if (!wanted || std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
      seen.push_back(name);
      out.push_back({name + " mean", "series", name, "mean"});
      if (name.starts_with("utilisation.")) out.push_back({name + " last", "series", name, "last"});
    }
  }
  // What is the same in all cells is no news.
  std::erase_if(out, [&](const SweepMetric& metric) {
    return std::all_of(cells.begin(), cells.end(), [&](const SweepCell& cell) {
      const double value = metric_of(cell, metric);
      return std::isnan(value) || value == 0;
    });
  });
  return out;
}

std::string sweep_text(const std::vector<SweepCell>& cells) {
  const auto groups = grouped(cells);
  std::string text = fmt::format("{:<28}", "METRIC (mean ± deviation)");
  for (const auto& [name, members] : groups) text += fmt::format("{:>24}", name);
  text += '\n';
  for (const SweepMetric& metric : sweep_metrics(cells)) {
    text += fmt::format("{:<28}", metric.name);
    for (const auto& [name, members] : groups) {
      text += fmt::format("{:>24}", spread_text(spread_of(members, metric), metric));
    }
    text += '\n';
  }
  text += fmt::format("{:<28}", "all assertions held in");
  for (const auto& [name, members] : groups) {
    const auto [held, all] = held_of(members);
    text += fmt::format("{:>24}", fmt::format("{} of {}", held, all));
  }
  text += '\n';
  for (const SweepCell& cell : cells) {
    if (cell.failure.empty()) continue;
    text += fmt::format("{}, seed {}: {}\n", group_name(cell), cell.seed, cell.failure);
  }
  return text;
}

std::string sweep_page(const Scenario& scenario, const std::vector<SweepCell>& cells,
                       const std::string& dir) {
  const auto groups = grouped(cells);
  const auto metrics = sweep_metrics(cells);
  std::string body = fmt::format(
      "<h1>{}</h1>\n<p class=\"soft\">a sweep: {} policies{} and {} seeds, {} experiments of {} "
      "each</p>\n",
      html_escaped(scenario.name), scenario.policies.size(),
      scenario.sweep_traces.empty() ? "" : fmt::format(", {} traces", scenario.sweep_traces.size()),
      scenario.seeds.size(), cells.size(), human_duration(scenario.duration));
  HtmlTable table;
  table.head = {"mean ± standard deviation over seeds"};
  table.numeric = {false};
  for (const auto& [name, members] : groups) {
    table.head.push_back(name);
    table.numeric.push_back(true);
  }
  for (const SweepMetric& metric : metrics) {
    std::vector<std::string> row{metric.name};
    for (const auto& [name, members] : groups) {
      row.push_back(spread_text(spread_of(members, metric), metric));
    }
    table.rows.push_back(std::move(row));
  }
  std::vector<std::string> held_row{"all assertions held in"};
  for (const auto& [name, members] : groups) {
    const auto [held, all] = held_of(members);
    held_row.push_back(fmt::format("{} of {}", held, all));
  }
  table.rows.push_back(std::move(held_row));
  body += "<h2>Policies</h2>\n" + html_table(table) + "<h2>Each seed</h2>\n<div class=\"plots\">\n";
  for (const SweepMetric& metric : metrics) {
    std::vector<DotRow> rows;
    for (const auto& [name, members] : groups) {
      rows.push_back({name, spread_of(members, metric).values});
    }
    body += dot_plot(metric.name, axis_of(metric.name), rows);
  }
  body +=
      "</div>\n<h2>Over time</h2>\n<p class=\"soft\">the mean over seeds, and the band between "
      "the least and the greatest</p>\n<div class=\"plots\">\n";
  const std::tuple<const char*, const char*, const char*> series[] = {
      {"queue", "queue.pending", "Pods that wait"},
      {"queue", "pods.running", "Pods on nodes"},
      {"utilisation", "utilisation.cpu", "Requested share of CPU"},
      {"utilisation", "utilisation.memory", "Requested share of memory"}};
  for (const auto& [file, column, title] : series) {
    Plot plot;
    plot.title = title;
    plot.y = axis_of(column);
    for (const auto& [name, members] : groups) {
      plot.lines.push_back(band_line(name, members, dir, file, column));
    }
    body += line_plot(plot);
  }
  body +=
      "</div>\n<h2>Experiments</h2>\n<table><thead><tr><th>policy</th><th>seed</th><th>"
      "assertions</th><th>report</th></tr></thead><tbody>\n";
  for (const SweepCell& cell : cells) {
    const std::string verdict = !cell.failure.empty() ? html_escaped(cell.failure)
                                                      : html_verdict(get_bool(cell.run, "held"));
    body += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td><a href=\"{}/report.html\">{}"
        "</a></td></tr>\n",
        html_escaped(group_name(cell)), cell.seed, verdict, html_escaped(cell.dir),
        html_escaped(cell.dir));
  }
  body += fmt::format("</tbody></table>\n<h2>Scenario</h2><pre>{}</pre>\n",
                      html_escaped(scenario.text));
  return html_page(scenario.name + ", a sweep", body);
}

Status write_sweep(const std::string& dir, const Scenario& scenario,
                   const std::vector<SweepCell>& cells) {
  std::ofstream csv(dir + "/sweep.csv", std::ios::binary),
      jsonl(dir + "/sweep.jsonl", std::ios::binary);
  const auto metrics = sweep_metrics(cells);
  std::vector<std::string> names{"policy", "trace", "seed", "held", "failure"};
  for (const SweepMetric& metric : metrics) names.push_back(metric.name);
  Table table(csv, jsonl, names);
  for (const SweepCell& cell : cells) {
    std::vector<Cell> row{cell.policy, cell.trace, static_cast<std::int64_t>(cell.seed),
                          std::string(get_bool(cell.run, "held") ? "true" : "false"), cell.failure};
    for (const SweepMetric& metric : metrics) row.emplace_back(metric_of(cell, metric));
    table.row(row);
  }
  std::ofstream page(dir + "/sweep.html", std::ios::binary);
  page << sweep_page(scenario, cells, dir);
  csv.close();
  jsonl.close();
  page.close();
  if (!csv || !jsonl || !page) return unavailable(dir + ": the sweep's tables cannot be written");
  return {};
}

}  // namespace coracle::sim
