// SVG: the plots of reports, as text that stands in a page by itself. Colours are the page's
// variables (html.hpp), so that a plot follows light and dark. Pure; equal data, equal bytes.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace coracle::sim {

enum class Axis : std::uint8_t { kNumber, kShare, kSeconds };
// What a metric of an experiment ("pod.wait", "utilisation.cpu") is measured in.
Axis axis_of(std::string_view metric);

struct Line {
  std::string name;
  std::vector<std::pair<double, double>> points;  // x ascending; NaN in y: a gap
  // Of each point of a band around it (least and most); empty: none.
  std::vector<std::pair<double, double>> band;
};

struct Plot {
  std::string title;
  Axis x = Axis::kSeconds, y = Axis::kNumber;
  bool log_x = false;
  bool from_zero = true;  // the y axis begins at 0
  std::vector<Line> lines;
  struct Span {
    double from, to;
    std::string name;
  };
  std::vector<Span> spans;  // shaded
};
// Lines over time, or any x. Long ones are thinned so that peaks stay.
std::string line_plot(const Plot& plot);

// How many of `values` fall between equal steps.
std::string histogram(const std::string& title, const std::vector<double>& values, Axis x,
                      int steps);

// Rows of dots (one a seed) with their mean: policies compared.
struct DotRow {
  std::string name;
  std::vector<double> values;
};
std::string dot_plot(const std::string& title, Axis x, const std::vector<DotRow>& rows);

// "12 s", "3 h 20 min", "45 %", "1.2k": of one number on an axis.
std::string axis_text(Axis axis, double value);
std::string html_escaped(const std::string& text);

}  // namespace coracle::sim
