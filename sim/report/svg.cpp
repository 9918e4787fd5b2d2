#include "report/svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/strings.hpp"

namespace coracle::sim {
namespace {

constexpr double kWidth = 640, kHeight = 240;
constexpr double kLeft = 56, kRight = 12, kTop = 10, kBottom = 26;
constexpr size_t kPointsMax = 700;  // a line

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void take(double value) {
    if (std::isnan(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
};

// Round steps: 1, 2, 5 times a power of ten; of times, parts of a minute, hour, day.
double step_of(double span, Axis axis, int about) {
  const double rough = span / about;
  if (axis == Axis::kSeconds && rough > 1) {
    for (const double step :
         {1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0,
          10800.0, 14400.0, 21600.0, 43200.0, 86400.0}) {
      if (step >= rough) return step;
    }
    return std::ceil(rough / 86400) * 86400;
  }
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) return factor * power;
  }
  return 10 * power;
}

// Maps data to the drawing, with the grid that goes with it.
class Frame {
 public:
  Frame(Range x, Range y, const Plot& plot) : plot_(plot), x_(x), y_(y) {
    if (x_.empty()) x_ = {0, 1};
    if (y_.empty()) y_ = {0, 1};
    if (plot.from_zero) y_.low = std::min(0.0, y_.low);
    if (y_.high <= y_.low) y_.high = y_.low + 1;
    if (x_.high <= x_.low) x_.high = x_.low + 1;
    y_step_ = step_of(y_.high - y_.low, plot.y, 4);
    y_.high = std::ceil(y_.high / y_step_ - 1e-9) * y_step_;
    y_.low = std::floor(y_.low / y_step_ + 1e-9) * y_step_;
  }
  double x(double value) const {
    const double at = plot_.log_x ? (std::log10(value) - std::log10(x_.low)) /
                                        (std::log10(x_.high) - std::log10(x_.low))
                                  : (value - x_.low) / (x_.high - x_.low);
    return kLeft + std::clamp(at, 0.0, 1.0) * (kWidth - kLeft - kRight);
  }
  double y(double value) const {
    const double at = (value - y_.low) / (y_.high - y_.low);
    return kHeight - kBottom - std::clamp(at, 0.0, 1.0) * (kHeight - kTop - kBottom);
  }

  std::string grid() const {
    std::string out;
    for (double v = y_.low; v <= y_.high + y_step_ / 2; v += y_step_) {
      out += fmt::format(
          "<line class=\"grid\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" "
          "y2=\"{:.1f}\"/><text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" "
          "text-anchor=\"end\">{}</text>",
          kLeft, kWidth - kRight, y(v), y(v), kLeft - 6, y(v) + 3.5,
          axis_text(plot_.y, std::abs(v) < y_step_ / 1e6 ? 0 : v));
    }
    for (const double v : x_ticks()) {
      out += fmt::format(
          "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" "
          "y2=\"{2:.1f}\"/><text class=\"tick\" x=\"{0:.1f}\" y=\"{3:.1f}\" "
          "text-anchor=\"middle\">{4}</text>",
          x(v), kTop, kHeight - kBottom, kHeight - kBottom + 16, axis_text(plot_.x, v));
    }
    return out;
  }

 private:
  std::vector<double> x_ticks() const {
    std::vector<double> ticks;
    if (plot_.log_x) {
      for (double v = std::pow(10, std::ceil(std::log10(x_.low) - 1e-9)); v <= x_.high * 1.0001;
           v *= 10) {
        ticks.push_back(v);
      }
      return ticks;
    }
    const double step = step_of(x_.high - x_.low, plot_.x, 8);
    for (double v = std::ceil(x_.low / step - 1e-9) * step; v <= x_.high + step / 1e6; v += step) {
      ticks.push_back(v);
    }
    return ticks;
  }

  const Plot& plot_;
  Range x_, y_;
  double y_step_ = 1;
};

// At most kPointsMax: of each stretch its least and its greatest, in their order.
std::vector<std::pair<double, double>> thinned(
    const std::vector<std::pair<double, double>>& points) {
  if (points.size() <= kPointsMax) return points;
  std::vector<std::pair<double, double>> out;
  const size_t stretch = (points.size() * 2 + kPointsMax - 1) / kPointsMax;
  const auto less = [](const auto& a, const auto& b) { return a.second < b.second; };
  for (size_t at = 0; at < points.size(); at += stretch) {
    const auto begin = points.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end =
        points.begin() + static_cast<std::ptrdiff_t>(std::min(points.size(), at + stretch));
    auto low = std::min_element(begin, end, less), high = std::max_element(begin, end, less);
    if (high < low) std::swap(low, high);
    out.push_back(*low);
    if (high != low) out.push_back(*high);
  }
  if (out.back() != points.back()) out.push_back(points.back());
  return out;
}

std::string path_of(const std::vector<std::pair<double, double>>& points, const Frame& frame) {
  std::string path;
  bool pen_up = true;
  for (const auto& [x, y] : points) {
    if (std::isnan(y)) {
      pen_up = true;
      continue;
    }
    path += fmt::format("{}{:.1f} {:.1f}", pen_up ? "M" : "L", frame.x(x), frame.y(y));
    pen_up = false;
  }
  return path;
}

std::string band_of(const Line& line, const Frame& frame) {
  std::string path;
  for (size_t i = 0; i < line.band.size(); ++i) {
    path += fmt::format("{}{:.1f} {:.1f}", i == 0 ? "M" : "L", frame.x(line.points[i].first),
                        frame.y(line.band[i].second));
  }
  for (size_t i = line.band.size(); i-- > 0;) {
    path +=
        fmt::format("L{:.1f} {:.1f}", frame.x(line.points[i].first), frame.y(line.band[i].first));
  }
  return path + "Z";
}

std::string figure(const std::string& title, const std::string& legend, const std::string& body,
                   double height = kHeight) {
  return fmt::format(
      "<figure><figcaption>{}{}</figcaption><svg viewBox=\"0 0 {} {}\" role=\"img\" "
      "aria-label=\"{}\">{}</svg></figure>\n",
      html_escaped(title), legend, kWidth, height, html_escaped(title), body);
}

std::string legend_of(const std::vector<Line>& lines) {
  if (lines.size() < 2) return {};
  std::string out = "<span class=\"legend\">";
  for (size_t i = 0; i < lines.size(); ++i) {
    out += fmt::format("<span><i class=\"c{}\"></i>{}</span>", i % 8, html_escaped(lines[i].name));
  }
  return out + "</span>";
}

std::string short_number(double value) {
  const double size = std::abs(value);
  const auto trimmed = [](double v) {
    std::string text = fmt::format("{:.3g}", v);
    if (text.find('e') != std::string::npos) text = fmt::format("{:.0f}", v);
    return text;
  };
  if (size >= 1e9) return trimmed(value / 1e9) + "G";
  if (size >= 1e6) return trimmed(value / 1e6) + "M";
  if (size >= 1e4) return trimmed(value / 1e3) + "k";
  return fmt::format("{:.4g}", value);
}

std::string seconds_text(double value) {
  const double size = std::abs(value);
  if (size == 0) return "0";
  if (size < 1) return fmt::format("{:.3g} ms", value * 1e3);
  if (size < 60) return fmt::format("{:.3g} s", value);
  if (size < 3600) return fmt::format("{:.3g} min", value / 60);
  if (size < 4 * 86400) return fmt::format("{:.3g} h", value / 3600);
  return fmt::format("{:.4g} d", value / 86400);
}

}  // namespace

std::string html_escaped(const std::string& text) {
  std::string out = replace_all(text, "&", "&amp;");
  out = replace_all(std::move(out), "<", "&lt;");
  out = replace_all(std::move(out), ">", "&gt;");
  return replace_all(std::move(out), "\"", "&quot;");
}

Axis axis_of(std::string_view metric) {
  if (metric.starts_with("pod.wait") || metric.starts_with("pod.start")) return Axis::kSeconds;
  const bool share = metric.starts_with("utilisation.") || metric.starts_with("usage.") ||
                     metric.starts_with("imbalance.");
  return share ? Axis::kShare : Axis::kNumber;
}

std::string axis_text(Axis axis, double value) {
  if (std::isnan(value)) return "-";
  switch (axis) {
    case Axis::kShare:
      return fmt::format("{:.4g} %", value * 100);
    case Axis::kSeconds:
      return seconds_text(value);
    case Axis::kNumber:
      return short_number(value);
  }
  return {};
}

std::string line_plot(const Plot& plot) {
  Range x, y;
  for (const Line& line : plot.lines) {
    for (const auto& [px, py] : line.points) {
      if (!plot.log_x || px > 0) x.take(px);
      y.take(py);
    }
    for (const auto& [low, high] : line.band) {
      y.take(low);
      y.take(high);
    }
  }
  const Frame frame(x, y, plot);
  std::string body;
  for (const Plot::Span& span : plot.spans) {
    body += fmt::format(
        "<rect class=\"span\" x=\"{:.1f}\" width=\"{:.1f}\" y=\"{}\" "
        "height=\"{}\"><title>{}</title></rect>",
        frame.x(span.from), std::max(1.0, frame.x(span.to) - frame.x(span.from)), kTop,
        kHeight - kTop - kBottom, html_escaped(span.name));
  }
  body += frame.grid();
  for (size_t i = 0; i < plot.lines.size(); ++i) {
    const Line& line = plot.lines[i];
    if (!line.band.empty()) {
      body += fmt::format("<path class=\"band c{}\" d=\"{}\"/>", i % 8, band_of(line, frame));
    }
    body += fmt::format("<path class=\"line c{}\" d=\"{}\"><title>{}</title></path>", i % 8,
                        path_of(line.band.empty() ? thinned(line.points) : line.points, frame),
                        html_escaped(line.name));
  }
  return figure(plot.title, legend_of(plot.lines), body);
}

std::string histogram(const std::string& title, const std::vector<double>& values, Axis x_axis,
                      int steps) {
  Range x, y;
  for (const double value : values) x.take(value);
  if (x_axis == Axis::kShare) x = {0, std::max(1.0, x.high)};
  if (x.empty()) x = {0, 1};
  if (x.high <= x.low) x.high = x.low + 1;
  std::vector<std::int64_t> counts(static_cast<size_t>(steps));
  for (const double value : values) {
    const auto at = static_cast<int>((value - x.low) / (x.high - x.low) * steps);
    ++counts[static_cast<size_t>(std::clamp(at, 0, steps - 1))];
  }
  for (const std::int64_t count : counts) y.take(static_cast<double>(count));
  y.take(0);
  Plot plot;
  plot.x = x_axis;
  const Frame frame(x, y, plot);
  std::string body = frame.grid();
  const double width = (x.high - x.low) / steps;
  for (int i = 0; i < steps; ++i) {
    const double from = x.low + width * i;
    const auto count = static_cast<double>(counts[static_cast<size_t>(i)]);
    body += fmt::format(
        "<rect class=\"bar c0\" x=\"{:.1f}\" width=\"{:.1f}\" y=\"{:.1f}\" height=\"{:.1f}\">"
        "<title>{} to {}: {}</title></rect>",
        frame.x(from) + 0.5, frame.x(from + width) - frame.x(from) - 1, frame.y(count),
        frame.y(0) - frame.y(count), axis_text(x_axis, from), axis_text(x_axis, from + width),
        count);
  }
  return figure(title, "", body);
}

std::string dot_plot(const std::string& title, Axis x_axis, const std::vector<DotRow>& rows) {
  constexpr double kRow = 26, kNames = 150;
  Range x;
  for (const DotRow& row : rows) {
    for (const double value : row.values) x.take(value);
  }
  if (x.empty()) x = {0, 1};
  const double margin = x.high > x.low ? (x.high - x.low) * 0.08 : std::max(1e-9, x.high * 0.05);
  x = {x.low - margin, x.high + margin};
  const double height = kTop + kRow * static_cast<double>(rows.size()) + kBottom;
  const auto at = [&](double v) {
    return kNames + (v - x.low) / (x.high - x.low) * (kWidth - kNames - kRight);
  };
  std::string body;
  const double step = step_of(x.high - x.low, x_axis, 5);
  for (double v = std::ceil(x.low / step) * step; v <= x.high; v += step) {
    body += fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" "
        "y2=\"{2:.1f}\"/><text class=\"tick\" x=\"{0:.1f}\" y=\"{3:.1f}\" "
        "text-anchor=\"middle\">{4}</text>",
        at(v), kTop, height - kBottom, height - kBottom + 16,
        axis_text(x_axis, std::abs(v) < step / 1e6 ? 0 : v));
  }
  for (size_t r = 0; r < rows.size(); ++r) {
    const double y = kTop + kRow * (static_cast<double>(r) + 0.5);
    body += fmt::format("<text class=\"name\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>",
                        kNames - 10, y + 4, html_escaped(rows[r].name));
    double sum = 0;
    for (const double value : rows[r].values) {
      sum += value;
      body += fmt::format(
          "<circle class=\"dot c{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\">"
          "<title>{}</title></circle>",
          r % 8, at(value), y, axis_text(x_axis, value));
    }
    if (rows[r].values.empty()) continue;
    const double mean = at(sum / static_cast<double>(rows[r].values.size()));
    body += fmt::format(
        "<line class=\"mean\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" "
        "y2=\"{2:.1f}\"/>",
        mean, y - 9, y + 9);
  }
  return figure(title, "", body, height);
}

}  // namespace coracle::sim
