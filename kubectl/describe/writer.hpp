// DescribeWriter: collects the text of `describe`: lines with tabs, aligned in blocks. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/json.hpp"

namespace coracle::kubectl {

class DescribeWriter {
 public:
  // Two blanks a level, the text, a line end.
  void line(int level, std::string_view text) {
    pending_.append(static_cast<size_t>(level) * 2, ' ').append(text).append("\n");
  }
  void raw(std::string_view text) { pending_.append(text); }
  // "Name:\tvalue", "<none>" for an empty value.
  void field(int level, std::string_view name, std::string_view value) {
    line(level, std::string(name) + ":\t" + std::string(value));
  }
  // What follows is aligned on its own.
  void flush();
  // Everything, aligned.
  std::string text();
  // Everything since the last flush, with its tabs.
  const std::string& unaligned() const { return pending_; }

 private:
  std::string pending_, done_;
};

std::string or_none(std::string_view text);
// "Labels:\ta=b\n\tc=d"; "<none>".
void write_labels(DescribeWriter& out, std::string_view title, const json::object& labels);
void write_annotations(DescribeWriter& out, std::string_view title,
                       const json::object& annotations);
// "a=b,c=d", "<none>"
std::string labels_line(const json::object& labels);
// "Mon, 02 Jan 2006 15:04:05 +0000"; "" stays "".
std::string long_time(std::string_view rfc3339);
// Name, Namespace, Labels, Annotations
void write_head(DescribeWriter& out, const json::value& object);
// "ReplicaSet/web-1", or empty.
std::string controller_text(const json::value& object);
// A scalar as text; "" when missing.
std::string text_at(const json::value& root, std::string_view path);
// "True", "False"
std::string bool_text(bool value);

}  // namespace coracle::kubectl
