// HTML: pages that need nothing but themselves: style, plots and tables are in the file. Pure.
#pragma once

#include <string>
#include <vector>

namespace coracle::sim {

// A page around a body: title, style (light and dark), nothing fetched.
std::string html_page(const std::string& title, const std::string& body);

struct HtmlTable {
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;  // escaped by html_table
  std::vector<bool> numeric;                   // by column; missing: text
};
std::string html_table(const HtmlTable& table);
// Small boxes: a number and what it is.
std::string html_tiles(const std::vector<std::pair<std::string, std::string>>& tiles);
// "held", "not held", as a coloured word.
std::string html_verdict(bool held);

}  // namespace coracle::sim
