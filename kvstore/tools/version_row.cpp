#include "storectl/version_row.hpp"

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"

namespace coracle::store {
namespace {

constexpr size_t kValueShown = 200;

// JSON takes valid UTF-8 only; parsing a string of our own making tells.
bool is_utf8(const std::string& text) {
  return parse_json(to_json(json::value(json::string(text)))).ok();
}

void add(json::object* out, const std::string& name, const std::string& bytes) {
  if (is_utf8(bytes)) {
    (*out)[name] = bytes;
  } else {
    (*out)[name + "64"] = base64_encode(bytes);
  }
}

}  // namespace

std::string to_text(const VersionRow& row, bool with_value) {
  const std::string head = fmt::format("{}.{} {} ", row.revision, row.sub, quoted(row.kv.key));
  if (row.deleted) return head + "deleted";
  std::string out =
      head + fmt::format("version={} create={} lease={:x} bytes={}", row.kv.version,
                         row.kv.create.value, row.kv.lease.value, row.kv.value.size());
  if (!with_value) return out;
  out += " " + quoted(row.kv.value.substr(0, kValueShown));
  return row.kv.value.size() > kValueShown ? out + "..." : out;
}

std::string to_json_line(const VersionRow& row, bool with_value) {
  json::object out;
  out["revision"] = row.revision;
  out["sub"] = row.sub;
  add(&out, "key", row.kv.key);
  out["deleted"] = row.deleted;
  if (!row.deleted) {
    out["version"] = row.kv.version;
    out["createRevision"] = row.kv.create.value;
    out["lease"] = fmt::format("{:x}", row.kv.lease.value);
    out["bytes"] = row.kv.value.size();
    if (with_value) add(&out, "value", row.kv.value);
  }
  return to_json(json::value(std::move(out)));
}

}  // namespace coracle::store
