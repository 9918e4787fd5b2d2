#include "gpu_demand/demand_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace coracle::sim {
namespace {

constexpr double kWidth = 760, kHeight = 320, kLeft = 50, kRight = 130, kTop = 34, kBottom = 40;
// Told apart without colour vision as well: Okabe and Ito's.
constexpr std::array<const char*, 6> kColours{"#999999", "#e69f00", "#56b4e9",
                                              "#009e73", "#0072b2", "#d55e00"};

struct Curve {
  std::string name;
  struct At {
    double x, mean, least, most;
  };
  std::vector<At> points;
};

Curve curve_of(const std::string& policy, const std::vector<DemandRun>& runs,
               double DemandPoint::* what, int from_percent) {
  std::map<int, std::vector<double>> values;
  for (const DemandRun& run : runs) {
    if (run.policy != policy) continue;
    for (const DemandPoint& point : run.points) {
      if (point.arrived_percent >= from_percent) {
        values[point.arrived_percent].push_back(point.*what);
      }
    }
  }
  Curve curve{policy, {}};
  for (const auto& [percent, list] : values) {
    const auto [least, most] = std::minmax_element(list.begin(), list.end());
    curve.points.push_back({static_cast<double>(percent), spread_of(list).mean, *least, *most});
  }
  return curve;
}

// A range of values on a range of the page, with round steps.
struct Scale {
  double from = 0, to = 1, begin = 0, end = 1, step = 1;
  double at(double value) const { return begin + (value - from) / (to - from) * (end - begin); }
};

Scale scale_of(double from, double to, double begin, double end) {
  Scale scale{from, to, begin, end, 1};
  if (scale.to <= scale.from) scale.to = scale.from + 1;
  const double rough = (scale.to - scale.from) / 6;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const int digit : {10, 5, 2, 1}) {
    if (power * digit >= rough) scale.step = power * digit;
  }
  scale.from = std::floor(scale.from / scale.step) * scale.step;
  scale.to = std::ceil(scale.to / scale.step) * scale.step;
  return scale;
}

std::string axes(const Scale& x, const Scale& y) {
  std::string text;
  for (double value = y.from; value <= y.to + y.step / 2; value += y.step) {
    text += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"grid\"/>"
        "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{:g}</text>\n",
        x.begin, y.at(value), x.end, y.at(value), x.begin - 6, y.at(value) + 4, value);
  }
  for (double value = x.from; value <= x.to + x.step / 2; value += x.step) {
    text += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{:g}</text>\n",
                        x.at(value), y.begin + 18, value);
  }
  return text;
}

std::string drawn(const Curve& curve, const Scale& x, const Scale& y, const char* colour) {
  std::string line, band;
  for (const Curve::At& at : curve.points) {
    line += fmt::format("{:.1f},{:.1f} ", x.at(at.x), y.at(at.mean));
    band += fmt::format("{:.1f},{:.1f} ", x.at(at.x), y.at(at.most));
  }
  for (auto at = curve.points.rbegin(); at != curve.points.rend(); ++at) {
    band += fmt::format("{:.1f},{:.1f} ", x.at(at->x), y.at(at->least));
  }
  return fmt::format(
      "<polygon points=\"{}\" fill=\"{}\" opacity=\"0.2\"/><polyline points=\"{}\" "
      "fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>\n",
      band, colour, line, colour);
}

std::string number(const std::optional<double>& value) {
  return value ? fmt::format("{:.2f}", *value) : "";
}

std::string table_html(const DemandTable& table) {
  std::string html = fmt::format(
      "<table><tr><th>policy</th><th>at 100 %</th><th>deviation</th><th>published</th><th>at {} "
      "%</th><th>deviation</th><th>published</th><th>fragmented</th></tr>\n",
      table.end_percent);
  for (const DemandTable::Row& row : table.rows) {
    html += fmt::format("<tr><td>{}</td>", row.policy);
    for (const std::optional<double> value :
         {std::optional(row.at_100.mean), std::optional(row.at_100.deviation), row.published_100,
          std::optional(row.at_end.mean), std::optional(row.at_end.deviation), row.published_end,
          std::optional(row.fragmented.mean)}) {
      html += "<td class=\"n\">" + number(value) + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</table>\n";
}

constexpr const char* kStyle =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:900px;margin:2em auto;padding:0 1em;"
    "color:#222;background:#fff}"
    "table{border-collapse:collapse}td,th{padding:.2em .8em;border-bottom:1px solid #8886;"
    "text-align:left}td.n{text-align:right;font-variant-numeric:tabular-nums}"
    "svg{width:100%;height:auto}svg text{font-size:12px;fill:currentColor}"
    ".grid{stroke:currentColor;opacity:.15}"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#16181c}}";

}  // namespace

std::string demand_plot(const std::string& title, const DemandTable& table,
                        const std::vector<DemandRun>& runs, double DemandPoint::* what,
                        int from_percent) {
  std::vector<Curve> curves;
  double least = 1e9, most = -1e9, right = from_percent;
  for (const DemandTable::Row& row : table.rows) {
    curves.push_back(curve_of(row.policy, runs, what, from_percent));
    for (const Curve::At& at : curves.back().points) {
      least = std::min(least, at.least);
      most = std::max(most, at.most);
      right = std::max(right, at.x);
    }
  }
  if (most < least) return "";
  const Scale x = scale_of(from_percent, right, kLeft, kWidth - kRight);
  const Scale y = scale_of(least, most, kHeight - kBottom, kTop);
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\"><title>{}</title><text x=\"{}\" y=\"16\" "
      "font-weight=\"bold\">{}</text>\n",
      kWidth, kHeight, title, kLeft, title);
  svg += axes(x, y);
  for (size_t i = 0; i < curves.size(); ++i) {
    const char* colour = kColours[i % kColours.size()];
    svg += drawn(curves[i], x, y, colour);
    const double at = kTop + 12 + 18 * static_cast<double>(curves.size() - 1 - i);
    svg += fmt::format(
        "<rect x=\"{0:.0f}\" y=\"{1:.0f}\" width=\"12\" height=\"12\" fill=\"{2}\"/>"
        "<text x=\"{3:.0f}\" y=\"{4:.0f}\">{5}</text>\n",
        kWidth - kRight + 14, at - 10, colour, kWidth - kRight + 32, at, curves[i].name);
  }
  return svg + fmt::format(
                   "<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"middle\">asked for, % of "
                   "the cluster's GPUs</text></svg>\n",
                   (kLeft + kWidth - kRight) / 2, kHeight - 4);
}

std::string demand_report(const DemandTable& table, const std::vector<DemandRun>& runs) {
  constexpr int kLateFrom = 75;
  std::string html =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>GPU "
      "policies as the demand grows</title><style>";
  html += kStyle;
  html += "</style></head><body><h1>GPU policies as the demand grows</h1>\n";
  html += fmt::format(
      "<p>Pods arrive in an order drawn from a seed ({} of them) until they have asked for {} % of "
      "the cluster's GPUs; who fits nowhere leaves. Allocated: how much the pods hold. Fragmented: "
      "how much is free and of no use to the typical pod. Both in % of the cluster's GPUs; bands "
      "reach from the least to the most of the seeds.</p>\n",
      table.seeds, table.end_percent);
  html += table_html(table);
  html +=
      fmt::format("<p>The order of what was published: {}. Within {:.0f} point of it: {}.</p>\n",
                  table.same_order() ? "the same" : "not the same", DemandTable::kTolerance,
                  table.close() ? "yes" : "no");
  html += demand_plot("allocated, %", table, runs, &DemandPoint::allocated_percent, kLateFrom);
  html += demand_plot("fragmented, %", table, runs, &DemandPoint::fragmented_percent, 0);
  return html + "</body></html>\n";
}

}  // namespace coracle::sim
