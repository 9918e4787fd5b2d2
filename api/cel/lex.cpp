#include "api/cel/lex.hpp"

namespace coracle::api::cel {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_utf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

class Lexer {
 public:
  Lexer(std::string_view text, std::vector<Token>& out, LexError& error)
      : text_(text), out_(out), error_(error) {}

  bool run() {
    for (;;) {
      skip_blank();
      if (pos_ >= text_.size()) break;
      if (!next()) return false;
    }
    add(Tok::kEnd, "", static_cast<std::uint32_t>(text_.size()));
    return true;
  }

 private:
  char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  void add(Tok kind, std::string text, std::uint32_t offset, bool quoted = false) {
    out_.push_back({kind, std::move(text), offset, quoted});
  }
  bool fail(std::size_t offset, std::string message) {
    error_ = {static_cast<std::uint32_t>(offset), std::move(message)};
    return false;
  }
  void skip_blank() {
    while (pos_ < text_.size()) {
      const char c = text_[pos_];
      if (c == '/' && at(pos_ + 1) == '/') {
        while (pos_ < text_.size() && text_[pos_] != '\n') ++pos_;
      } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
        ++pos_;
      } else {
        return;
      }
    }
  }

  bool next() {
    const char c = text_[pos_];
    if (const std::size_t prefix = string_prefix(); prefix != std::string_view::npos) {
      return string(prefix);
    }
    if (is_digit(c) || (c == '.' && is_digit(at(pos_ + 1)))) return number();
    const auto start = static_cast<std::uint32_t>(pos_);
    if (is_letter(c)) {
      while (is_letter(at(pos_)) || is_digit(at(pos_))) ++pos_;
      add(Tok::kIdent, std::string(text_.substr(start, pos_ - start)), start);
      return true;
    }
    if (c == '`') {
      const std::size_t end = text_.find('`', pos_ + 1);
      if (end == std::string_view::npos) return fail(pos_, "token recognition error at: '`'");
      add(Tok::kIdent, std::string(text_.substr(pos_ + 1, end - pos_ - 1)), start, true);
      pos_ = end + 1;
      return true;
    }
    static constexpr std::string_view kTwo[] = {"&&", "||", "==", "!=", "<=", ">="};
    for (std::string_view sign : kTwo) {
      if (text_.substr(pos_, 2) != sign) continue;
      pos_ += 2;
      add(Tok::kSign, std::string(sign), start);
      return true;
    }
    if (std::string_view("+-*/%!<>()[]{},.?:").find(c) == std::string_view::npos) {
      return fail(pos_, "token recognition error at: '" + std::string(1, c) + "'");
    }
    ++pos_;
    add(Tok::kSign, std::string(1, c), start);
    return true;
  }

  // How many letters (r, b, rb) stand before a quote here; npos when this is no string.
  std::size_t string_prefix() const {
    std::size_t n = 0;
    while (n < 2 && std::string_view("rRbB").find(at(pos_ + n)) != std::string_view::npos &&
           at(pos_ + n) != '\0') {
      ++n;
    }
    const char quote = at(pos_ + n);
    return quote == '"' || quote == '\'' ? n : std::string_view::npos;
  }

  bool string(std::size_t prefix) {
    const std::size_t start = pos_;
    bool raw = false, bytes = false;
    for (std::size_t i = 0; i < prefix; ++i) {
      (at(pos_ + i) == 'r' || at(pos_ + i) == 'R' ? raw : bytes) = true;
    }
    pos_ += prefix;
    const char quote = text_[pos_];
    const bool triple = at(pos_ + 1) == quote && at(pos_ + 2) == quote;
    const std::string mark(triple ? 3 : 1, quote);
    pos_ += mark.size();
    std::string value;
    while (text_.substr(pos_, mark.size()) != mark) {
      if (pos_ >= text_.size() || (!triple && (text_[pos_] == '\n' || text_[pos_] == '\r'))) {
        return fail(start, "token recognition error at: '" + std::string(1, quote) + "'");
      }
      if (text_[pos_] != '\\') {
        value += text_[pos_++];
      } else if (raw) {
        value += text_[pos_++];
        if (pos_ < text_.size()) value += text_[pos_++];
      } else if (!escape(value, bytes)) {
        return false;
      }
    }
    pos_ += mark.size();
    add(bytes ? Tok::kBytes : Tok::kString, std::move(value), static_cast<std::uint32_t>(start));
    return true;
  }

  bool escape(std::string& value, bool bytes) {
    const std::size_t start = pos_++;
    const char c = at(pos_++);
    static constexpr std::string_view kFrom = "abfnrtv\\?\"'`", kTo = "\a\b\f\n\r\t\v\\?\"'`";
    if (const auto simple = kFrom.find(c); simple != std::string_view::npos && c != '\0') {
      value += kTo[simple];
      return true;
    }
    std::size_t digits = 0, base = 16;
    if (c == 'x' || c == 'X') digits = 2;
    if (c == 'u' && !bytes) digits = 4;
    if (c == 'U' && !bytes) digits = 8;
    if (c >= '0' && c <= '3') {
      digits = 3;
      base = 8;
      --pos_;
    }
    std::uint32_t code = 0;
    for (std::size_t i = 0; i < digits; ++i, ++pos_) {
      const int digit = hex_value(at(pos_));
      if (digit < 0 || static_cast<std::size_t>(digit) >= base) digits = 0;
      code = code * static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(digit);
    }
    const bool surrogate = code >= 0xD800 && code < 0xE000;
    if (digits == 0 || (!bytes && (surrogate || code > 0x10FFFF))) {
      return fail(start, "invalid escape sequence");
    }
    if (bytes) {
      value += static_cast<char>(code);
    } else {
      append_utf8(value, code);
    }
    return true;
  }

  bool number() {
    const std::size_t start = pos_;
    const auto offset = static_cast<std::uint32_t>(start);
    Tok kind = Tok::kInt;
    if (at(pos_) == '0' && (at(pos_ + 1) == 'x' || at(pos_ + 1) == 'X')) {
      pos_ += 2;
      while (hex_value(at(pos_)) >= 0) ++pos_;
    } else {
      while (is_digit(at(pos_))) ++pos_;
      if (at(pos_) == '.' && is_digit(at(pos_ + 1))) {
        kind = Tok::kDouble;
        ++pos_;
        while (is_digit(at(pos_))) ++pos_;
      }
      const bool sign = at(pos_ + 1) == '+' || at(pos_ + 1) == '-';
      if ((at(pos_) == 'e' || at(pos_) == 'E') && is_digit(at(pos_ + (sign ? 2 : 1)))) {
        kind = Tok::kDouble;
        pos_ += sign ? 2 : 1;
        while (is_digit(at(pos_))) ++pos_;
      }
    }
    std::string digits(text_.substr(start, pos_ - start));
    if (kind == Tok::kInt && (at(pos_) == 'u' || at(pos_) == 'U')) {
      kind = Tok::kUint;
      ++pos_;
    }
    add(kind, std::move(digits), offset);
    return true;
  }

  std::string_view text_;
  std::vector<Token>& out_;
  LexError& error_;
  std::size_t pos_ = 0;
};

}  // namespace

bool lex(std::string_view text, std::vector<Token>& out, LexError& error) {
  return Lexer(text, out, error).run();
}

}  // namespace coracle::api::cel
