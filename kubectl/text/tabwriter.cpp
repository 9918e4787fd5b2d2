#include "text/tabwriter.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace coracle::text {
namespace {

// The recursion of Go's tabwriter: find the widths of one column block, then of those right of it.
class Aligner {
 public:
  Aligner(std::string_view text, TabOptions options) : options_(options) {
    for (const std::string& line : split(text, '\n')) lines_.push_back(split(line, '\t'));
    for (auto& line : lines_) {
      if (line.empty()) line.emplace_back();
    }
  }

  std::string run() {
    format(0, lines_.size());
    if (!out_.empty()) out_.pop_back();  // the newline after the last piece
    return std::move(out_);
  }

 private:
  void write_lines(size_t from, size_t to) {
    for (size_t i = from; i < to; ++i) {
      const auto& line = lines_[i];
      for (size_t j = 0; j < line.size(); ++j) {
        out_ += line[j];
        if (j + 1 < line.size() && j < widths_.size()) {
          const size_t width = display_width(line[j]);
          if (width < widths_[j]) out_.append(widths_[j] - width, ' ');
        }
      }
      out_ += '\n';
    }
  }

  void format(size_t first, size_t end) {
    const size_t column = widths_.size();
    for (size_t i = first; i < end; ++i) {
      if (column + 1 >= lines_[i].size()) continue;
      write_lines(first, i);
      first = i;
      size_t width = options_.min_width;
      for (; i < end && column + 1 < lines_[i].size(); ++i) {
        width = std::max(width, display_width(lines_[i][column]) + options_.padding);
      }
      widths_.push_back(width);
      format(first, i);
      widths_.pop_back();
      first = i;
      --i;
    }
    write_lines(first, end);
  }

  TabOptions options_;
  std::vector<std::vector<std::string>> lines_;
  std::vector<size_t> widths_;
  std::string out_;
};

}  // namespace

std::string align_tabs(std::string_view text, const TabOptions& options) {
  if (text.empty()) return {};
  return Aligner(text, options).run();
}

size_t display_width(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string ColumnPrinter::print(const std::vector<std::vector<std::string>>& rows) {
  for (const auto& row : rows) {
    if (widths_.size() < row.size()) widths_.resize(row.size(), 6);
    for (size_t i = 0; i + 1 < row.size(); ++i) {
      widths_[i] = std::max(widths_[i], display_width(row[i]) + 3);
    }
  }
  std::string out;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths_[i] - display_width(row[i]), ' ');
    }
    out += '\n';
  }
  return out;
}

}  // namespace coracle::text
