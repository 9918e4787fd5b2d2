// A version of a key as storectl prints it: one line of text, or one JSON object a line.
#pragma once

#include <cstdint>
#include <string>

#include "mvcc/types.hpp"

namespace coracle::store {

struct VersionRow {
  std::int64_t revision = 0;
  std::uint32_t sub = 0;  // its place within the revision; 0 also when nobody knows it
  bool deleted = false;
  mvcc::KeyValue kv;
};

// `with_value`: the value itself (quoted, cut after 200 bytes), not only its size.
std::string to_text(const VersionRow& row, bool with_value);
// "value" is base64, as etcdctl has it, when the text is not UTF-8: then "value64".
std::string to_json_line(const VersionRow& row, bool with_value);

}  // namespace coracle::store
