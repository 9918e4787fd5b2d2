// Functions of strings: CEL's own, and Kubernetes' strings and regex libraries.
#include <algorithm>

#include <re2/re2.h>

#include "api/cel/format.hpp"
#include "api/cel/functions.hpp"
#include "base/strings.hpp"

namespace coracle::api::cel {

namespace {

constexpr std::int64_t kRegexMemory = 1 << 20;

Value spent() { return Value::error(std::string(kBudgetSpent)); }

// Where each code point starts, and the end.
std::vector<std::size_t> starts_of(std::string_view text) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) out.push_back(i);
  }
  out.push_back(text.size());
  return out;
}

Value out_of_range(std::int64_t index) {
  return Value::error("index out of range: " + std::to_string(index));
}

Value char_at(Args a, Budget&) {
  const std::string_view text = a[0].as_text();
  const auto starts = starts_of(text);
  const std::int64_t i = a[1].as_int(), length = std::ssize(starts) - 1;
  if (i < 0 || i > length) return out_of_range(i);
  if (i == length) return Value::text("");
  return Value::piece(a[0], text.substr(starts[i], starts[i + 1] - starts[i]));
}

Value found_at(std::string_view text, std::size_t byte) {
  if (byte == std::string_view::npos) return Value::of(std::int64_t{-1});
  return Value::of(static_cast<std::int64_t>(text_length(text.substr(0, byte))));
}

Value index_of(Args a, Budget&) {
  const std::string_view text = a[0].as_text();
  if (a.size() == 2) return found_at(text, text.find(a[1].as_text()));
  const auto starts = starts_of(text);
  const std::int64_t i = a[2].as_int();
  if (i < 0 || i >= std::ssize(starts)) return out_of_range(i);
  return found_at(text, text.find(a[1].as_text(), starts[i]));
}

Value last_index_of(Args a, Budget&) {
  const std::string_view text = a[0].as_text();
  if (a.size() == 2) return found_at(text, text.rfind(a[1].as_text()));
  const auto starts = starts_of(text);
  const std::int64_t i = a[2].as_int();
  if (i < 0 || i >= std::ssize(starts)) return out_of_range(i);
  return found_at(text, text.rfind(a[1].as_text(), starts[i]));
}

Value change_case(Args a, char low, char high, int shift) {
  std::string out(a[0].as_text());
  for (char& c : out) {
    if (c >= low && c <= high) c = static_cast<char>(c + shift);
  }
  return Value::text(std::move(out));
}

Value replace(Args a, Budget& budget) {
  const std::string_view text = a[0].as_text(), from = a[1].as_text(), to = a[2].as_text();
  std::int64_t left = a.size() == 4 ? a[3].as_int() : -1;
  std::string out;
  std::size_t pos = 0;
  if (from.empty()) {  // before each code point, and at the end
    for (std::size_t start : starts_of(text)) {
      out += text.substr(pos, start - pos);
      pos = start;
      if (left-- == 0) break;
      if (!budget.charge(traversal_cost(to.size()))) return spent();
      out += to;
    }
    return Value::text(out + std::string(text.substr(pos)));
  }
  for (; left != 0; --left) {
    const std::size_t found = text.find(from, pos);
    if (found == std::string_view::npos) break;
    if (!budget.charge(traversal_cost(to.size()))) return spent();
    out += text.substr(pos, found - pos);
    out += to;
    pos = found + from.size();
  }
  return Value::text(out + std::string(text.substr(pos)));
}

Value split_text(Args a, Budget&) {
  const std::string_view text = a[0].as_text(), mark = a[1].as_text();
  const std::int64_t limit = a.size() == 3 ? a[2].as_int() : -1;
  Values out;
  if (limit == 0) return Value::list({});
  std::size_t pos = 0;
  if (mark.empty()) {
    const auto starts = starts_of(text);
    for (std::size_t i = 1; i < starts.size(); ++i) {
      const bool last = limit > 0 && std::ssize(out) == limit - 1;
      const std::size_t end = last ? text.size() : starts[i];
      out.push_back(Value::piece(a[0], text.substr(starts[i - 1], end - starts[i - 1])));
      if (last) break;
    }
    return Value::list(std::move(out));
  }
  while (limit < 0 || std::ssize(out) < limit - 1) {
    const std::size_t found = text.find(mark, pos);
    if (found == std::string_view::npos) break;
    out.push_back(Value::piece(a[0], text.substr(pos, found - pos)));
    pos = found + mark.size();
  }
  out.push_back(Value::piece(a[0], text.substr(pos)));
  return Value::list(std::move(out));
}

Value substring(Args a, Budget&) {
  const std::string_view text = a[0].as_text();
  const auto starts = starts_of(text);
  const std::int64_t length = std::ssize(starts) - 1;
  const std::int64_t from = a[1].as_int(), to = a.size() == 3 ? a[2].as_int() : length;
  if (from < 0 || from > length) return out_of_range(from);
  if (to < 0 || to > length) return out_of_range(to);
  if (from > to) {
    return Value::error("invalid substring range. start: " + std::to_string(from) +
                        ", end: " + std::to_string(to));
  }
  return Value::piece(a[0], text.substr(starts[from], starts[to] - starts[from]));
}

// Unicode's white space, as Go's TrimSpace.
std::size_t space_at(std::string_view text) {
  static constexpr std::string_view kWide[] = {"\u0085", "\u00a0", "\u1680", "\u2000", "\u2001",
                                               "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
                                               "\u2007", "\u2008", "\u2009", "\u200a", "\u2028",
                                               "\u2029", "\u202f", "\u205f", "\u3000"};
  if (text.empty()) return 0;
  if (text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r')) return 1;
  for (std::string_view wide : kWide) {
    if (text.starts_with(wide)) return wide.size();
  }
  return 0;
}

Value trimmed(Args a, Budget&) {
  std::string_view text = a[0].as_text();
  while (const std::size_t n = space_at(text)) text.remove_prefix(n);
  for (bool again = true; again && !text.empty();) {
    std::size_t start = text.size() - 1;
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
    again = space_at(text.substr(start)) == text.size() - start;
    if (again) text = text.substr(0, start);
  }
  return Value::piece(a[0], text);
}

Value joined(Args a, Budget& budget) {
  const std::string_view mark = a.size() == 2 ? a[1].as_text() : std::string_view();
  std::string out;
  for (std::size_t i = 0; i < a[0].size(); ++i) {
    const Value item = a[0].at(i);
    if (!item.is(Kind::kString)) return no_such_overload();
    if (!budget.charge(1 + traversal_cost(item.as_text().size() + mark.size()))) return spent();
    if (i > 0) out += mark;
    out += item.as_text();
  }
  return Value::text(std::move(out));
}

Value reversed(Args a, Budget&) {
  const std::string_view text = a[0].as_text();
  const auto starts = starts_of(text);
  std::string out;
  for (std::size_t i = starts.size() - 1; i > 0; --i) {
    out += text.substr(starts[i - 1], starts[i] - starts[i - 1]);
  }
  return Value::text(std::move(out));
}

// Compiled for one call: patterns are short and the budget counts them.
struct Pattern {
  Pattern(Args a, Budget& budget)
      : charged(budget.charge(traversal_cost(a[0].as_text().size() + 1) *
                              ((a[1].as_text().size() + 3) / 4))),
        re({charged ? a[1].as_text().data() : "", charged ? a[1].as_text().size() : 0}, options()) {
  }
  static RE2::Options options() {
    RE2::Options out;
    out.set_log_errors(false);
    out.set_max_mem(kRegexMemory);
    return out;
  }
  Value failure() const {
    return charged ? Value::error("error parsing regexp: " + re.error()) : spent();
  }
  bool ok() const { return charged && re.ok(); }

  bool charged;
  RE2 re;
};

re2::StringPiece as_piece(std::string_view text) { return {text.data(), text.size()}; }

Value matches(Args a, Budget& budget) {
  const Pattern pattern(a, budget);
  if (!pattern.ok()) return pattern.failure();
  return Value::of(RE2::PartialMatch(as_piece(a[0].as_text()), pattern.re));
}

Value find_first(Args a, Budget& budget) {
  const Pattern pattern(a, budget);
  if (!pattern.ok()) return pattern.failure();
  const std::string_view text = a[0].as_text();
  re2::StringPiece match;
  if (!pattern.re.Match(as_piece(text), 0, text.size(), RE2::UNANCHORED, &match, 1)) {
    return Value::text("");
  }
  return Value::text(std::string(match.data(), match.size()));
}

Value find_all(Args a, Budget& budget) {
  const Pattern pattern(a, budget);
  if (!pattern.ok()) return pattern.failure();
  const std::string_view text = a[0].as_text();
  const std::int64_t limit = a.size() == 3 ? a[2].as_int() : -1;
  Values out;
  std::size_t pos = 0, last_end = std::string_view::npos;
  while (pos <= text.size() && (limit < 0 || std::ssize(out) < limit)) {
    re2::StringPiece match;
    if (!budget.charge(1)) return spent();
    if (!pattern.re.Match(as_piece(text), pos, text.size(), RE2::UNANCHORED, &match, 1)) break;
    const auto start = static_cast<std::size_t>(match.data() - text.data());
    const std::size_t end = start + match.size();
    // An empty match right behind the one before is not one.
    if (!(match.empty() && start == last_end))
      out.push_back(Value::piece(a[0], text.substr(start, match.size())));
    last_end = end;
    pos = match.empty() ? end + 1 : end;
    while (pos < text.size() && (static_cast<unsigned char>(text[pos]) & 0xC0) == 0x80) ++pos;
  }
  return Value::list(std::move(out));
}

constexpr Overload kTexts[] = {
    {"contains", "s.s:b",
     [](Args a, Budget&) {
       return Value::of(a[0].as_text().find(a[1].as_text()) != std::string_view::npos);
     }},
    {"startsWith", "s.s:b",
     [](Args a, Budget&) { return Value::of(a[0].as_text().starts_with(a[1].as_text())); }},
    {"endsWith", "s.s:b",
     [](Args a, Budget&) { return Value::of(a[0].as_text().ends_with(a[1].as_text())); }},
    {"matches", "s.s:b", matches},
    {"matches", "ss:b", matches},
    {"find", "s.s:s", find_first},
    {"findAll", "s.s:ls", find_all},
    {"findAll", "s.si:ls", find_all},
    {"charAt", "s.i:s", char_at},
    {"indexOf", "s.s:i", index_of},
    {"indexOf", "s.si:i", index_of},
    {"lastIndexOf", "s.s:i", last_index_of},
    {"lastIndexOf", "s.si:i", last_index_of},
    {"join", "l.:s", joined},
    {"join", "l.s:s", joined},
    {"lowerAscii", "s.:s", [](Args a, Budget&) { return change_case(a, 'A', 'Z', 32); }},
    {"upperAscii", "s.:s", [](Args a, Budget&) { return change_case(a, 'a', 'z', -32); }},
    {"replace", "s.ss:s", replace},
    {"replace", "s.ssi:s", replace},
    {"split", "s.s:ls", split_text},
    {"split", "s.si:ls", split_text},
    {"substring", "s.i:s", substring},
    {"substring", "s.ii:s", substring},
    {"trim", "s.:s", trimmed},
    {"reverse", "s.:s", reversed},
    {"format", "s.l:s", format_text},
    {"strings.quote", "s:s", [](Args a, Budget&) { return Value::text(quoted(a[0].as_text())); }},
};

}  // namespace

std::span<const Overload> text_overloads() { return kTexts; }

}  // namespace coracle::api::cel
