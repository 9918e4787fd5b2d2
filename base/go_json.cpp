#include "base/go_json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <cstdlib>

#include "base/utf8.hpp"

namespace coracle {

namespace {

constexpr std::size_t kGoDepthMax = 10'000;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// A byte as Go quotes the character of that number.
std::string quoted_byte(unsigned char c) {
  switch (c) {
    case '\'':
      return "'\\''";
    case '\\':
      return "'\\\\'";
    case '\a':
      return "'\\a'";
    case '\b':
      return "'\\b'";
    case '\f':
      return "'\\f'";
    case '\n':
      return "'\\n'";
    case '\r':
      return "'\\r'";
    case '\t':
      return "'\\t'";
    case '\v':
      return "'\\v'";
    default:
      break;
  }
  if (c < 0x20 || c == 0x7f) return fmt::format("'\\x{:02x}'", c);
  if (c < 0x80) return fmt::format("'{}'", static_cast<char>(c));
  // What Latin-1 shows nothing for: controls, the unbreakable space, the soft hyphen.
  if (c < 0xa1 || c == 0xad) return fmt::format("'\\u{:04x}'", c);
  const char pair[] = {static_cast<char>(0xc0 | (c >> 6)), static_cast<char>(0x80 | (c & 0x3f))};
  return "'" + std::string(pair, 2) + "'";
}

// Walks a text; what open containers there are is a stack of its own, not the program's.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // The first number that no double holds, once run() has found nothing wrong.
  std::string_view endless() const { return endless_; }

  std::string run() {
    bool more = value();
    while (more && error_.empty() && !open_.empty()) more = next_part();
    if (error_.empty() && skip_space()) fail("after top-level value");
    return error_;
  }

 private:
  // False at the end of the text, which is an error wherever this is asked.
  bool skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    return at_ < text_.size();
  }
  bool fail(std::string_view context) {
    error_ = fmt::format("invalid character {} {}",
                         quoted_byte(static_cast<unsigned char>(text_[at_])), context);
    return false;
  }
  bool cut() {
    error_ = "unexpected end of JSON input";
    return false;
  }

  bool close() {
    ++at_;
    open_.pop_back();
    return true;
  }

  // One that ends at once, or the begin of containers up to the first that does.
  bool value() {
    if (!skip_space()) return cut();
    // Containers open in a loop of their own: deep texts must not be deep calls.
    while (text_[at_] == '{' || text_[at_] == '[') {
      const char kind = text_[at_++];
      open_.push_back(kind);
      if (open_.size() > kGoDepthMax) {
        error_ = "exceeded max depth";
        return false;
      }
      if (!skip_space()) return cut();
      if (text_[at_] == (kind == '{' ? '}' : ']')) return close();
      if (kind == '{' && !key()) return false;
      if (!skip_space()) return cut();
    }
    return scalar();
  }

  bool next_part() {
    if (!skip_space()) return cut();
    const bool object = open_.back() == '{';
    if (text_[at_] == (object ? '}' : ']')) return close();
    if (text_[at_] != ',')
      return fail(object ? "after object key:value pair" : "after array element");
    ++at_;
    if (object) {
      if (!skip_space()) return cut();
      if (!key()) return false;
    }
    return value();
  }

  bool key() {
    if (text_[at_] != '"') return fail("looking for beginning of object key string");
    if (!string()) return false;
    if (!skip_space()) return cut();
    if (text_[at_] != ':') return fail("after object key");
    ++at_;
    return true;
  }

  bool scalar() {
    const char c = text_[at_];
    if (c == '"') return string();
    if (c == 't') return word("true");
    if (c == 'f') return word("false");
    if (c == 'n') return word("null");
    if (c == '-' || is_digit(c)) return number();
    return fail("looking for beginning of value");
  }

  bool word(std::string_view name) {
    for (const char expected : name) {
      if (at_ == text_.size()) return cut();
      if (text_[at_] != expected) {
        return fail(fmt::format("in literal {} (expecting '{}')", name, expected));
      }
      ++at_;
    }
    return true;
  }

  bool string() {
    ++at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') return ++at_, true;
      if (static_cast<unsigned char>(c) < 0x20) return fail("in string literal");
      ++at_;
      if (c == '\\' && !escape()) return false;
    }
    return cut();
  }

  bool escape() {
    if (at_ == text_.size()) return cut();
    if (std::string_view("bfnrt\\/\"").find(text_[at_]) != std::string_view::npos) {
      return ++at_, true;
    }
    if (text_[at_] != 'u') return fail("in string escape code");
    ++at_;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ == text_.size()) return cut();
      if (!is_hex(text_[at_])) return fail("in \\u hexadecimal character escape");
    }
    return true;
  }

  bool digits(std::string_view context) {
    if (at_ == text_.size()) return cut();
    if (!is_digit(text_[at_])) return fail(context);
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return true;
  }
  bool here(std::string_view any) const {
    return at_ < text_.size() && any.find(text_[at_]) != std::string_view::npos;
  }

  bool number() {
    const std::size_t start = at_;
    if (!number_text()) return false;
    const std::string text(text_.substr(start, at_ - start));
    if (endless_.empty() && std::isinf(std::strtod(text.c_str(), nullptr))) {
      endless_ = text_.substr(start, at_ - start);
    }
    return true;
  }
  bool number_text() {
    if (here("-")) ++at_;
    if (here("0")) {
      ++at_;
    } else if (!digits("in numeric literal")) {
      return false;
    }
    if (here(".")) {
      ++at_;
      if (!digits("after decimal point in numeric literal")) return false;
    }
    if (!here("eE")) return true;
    ++at_;
    if (here("+-")) ++at_;
    return digits("in exponent of numeric literal");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string open_;  // '{' and '['
  std::string error_;
  std::string_view endless_;
};

int hex_at(std::string_view text, std::size_t at) {
  int out = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const char c = text[i];
    out = out * 16 + (is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return out;
}

// The text with all that is no Unicode replaced. It is JSON otherwise.
std::string mended(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '\\' && text[at + 1] == 'u') {
      const int unit = hex_at(text, at + 2);
      const bool high = unit >= 0xd800 && unit < 0xdc00, low = unit >= 0xdc00 && unit < 0xe000;
      const bool pair = high && text.substr(at + 6).starts_with("\\u") &&
                        hex_at(text, at + 8) >= 0xdc00 && hex_at(text, at + 8) < 0xe000;
      const std::size_t length = pair ? 12 : 6;
      out += !pair && (high || low) ? "\\ufffd" : text.substr(at, length);
      at += length;
    } else if (text[at] == '\\') {
      out += text.substr(at, 2);
      at += 2;
    } else {
      const std::size_t length = utf8_length(text.substr(at));
      out += length == 0 ? kReplacement : text.substr(at, length);
      at += length == 0 ? 1 : length;
    }
  }
  return out;
}

}  // namespace

std::string go_syntax_error(std::string_view text) { return Scanner(text).run(); }

Result<json::value> parse_go_json(std::string_view text, std::vector<std::string>* duplicates) {
  auto parsed = parse_json(text, duplicates);
  if (parsed.ok()) return parsed;
  Scanner scanner(text);
  std::string error = scanner.run();
  if (!error.empty()) return invalid_argument(std::move(error));
  if (!scanner.endless().empty()) {
    return failed_precondition(fmt::format(
        "json: cannot unmarshal number {} into Go value of type float64", scanner.endless()));
  }
  auto again = parse_json(mended(text), duplicates);
  if (again.ok()) return again;
  return invalid_argument("exceeded max depth");
}

}  // namespace coracle
