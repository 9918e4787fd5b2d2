// Column alignment as Go's text/tabwriter does it with blanks: a cell ends at a tab; a column is a
// block of neighbouring lines that have the cell. The text after a line's last tab is not padded.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coracle::text {

struct TabOptions {
  size_t min_width = 0;
  size_t padding = 2;
};

std::string align_tabs(std::string_view text, const TabOptions& options = {});

// Characters, not bytes.
size_t display_width(std::string_view text);

// Rows printed one after another under columns that only grow: what `get` prints, also while it
// watches. Minimum width 6, three blanks between columns, the last one unpadded.
class ColumnPrinter {
 public:
  std::string print(const std::vector<std::vector<std::string>>& rows);

 private:
  std::vector<size_t> widths_;
};

}  // namespace coracle::text
