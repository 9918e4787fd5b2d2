#include "net/response_head.hpp"

#include <ctime>

#include "base/strings.hpp"

namespace coracle::net {
namespace {

// "Sat, 21 Nov 2026 06:00:00 GMT", made once a second.
const std::string& http_date(WallTime now) {
  static thread_local std::time_t of = -1;
  static thread_local std::string text;
  auto second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  if (second != of) {
    of = second;
    std::tm parts{};
    gmtime_r(&of, &parts);
    char buffer[40];
    std::strftime(buffer, sizeof buffer, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    text = buffer;
  }
  return text;
}

void append_field(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

bool status_has_body(int status) { return status >= 200 && status != 204 && status != 304; }

std::string ResponseHead::serialize(const Headers& headers) const {
  std::string head;
  head.reserve(256);
  head.append("HTTP/1.1 ").append(std::to_string(status)).append(" ");
  head.append(reason_phrase(status)).append("\r\n");
  append_field(head, "Date", http_date(now));
  for (const auto& [name, value] : headers) {
    if (iequals(name, "Content-Length")) continue;  // the true one comes below
    if (value.find_first_of("\r\n") == value.npos) {
      append_field(head, name, value);
    } else {  // a line break in a value would be another field
      append_field(head, name, replace_all(replace_all(value, "\r", " "), "\n", " "));
    }
  }
  if (status_has_body(status)) {
    if (length) {
      append_field(head, "Content-Length", std::to_string(*length));
    } else if (chunked) {
      append_field(head, "Transfer-Encoding", "chunked");
    }
  }
  if (!keep_alive && status != 101 && !headers.has("Connection")) {
    append_field(head, "Connection", "close");
  }
  head += "\r\n";
  return head;
}

}  // namespace coracle::net
