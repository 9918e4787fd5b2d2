// The text grammar of label selectors: a lexer and a recursive descent whose error texts are
// upstream's.
#include <algorithm>

#include "api/field_error.hpp"
#include "api/object.hpp"
#include "api/selectors.hpp"
#include "base/strings.hpp"

namespace coracle::api {

namespace {

enum class Kind { kError, kEnd, kClose, kComma, kNot, kOperator, kWord, kIn, kNotIn, kOpen };

struct Token {
  Kind kind;
  std::string text;
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_special(char c) { return std::string_view("=!(),><").find(c) != std::string_view::npos; }

Token special(std::string_view text, std::size_t& pos) {
  const char c = text[pos];
  const char next = pos + 1 < text.size() ? text[pos + 1] : '\0';
  if ((c == '=' || c == '!') && next == '=') {
    pos += 2;
    return {Kind::kOperator, std::string{c, next}};
  }
  ++pos;
  switch (c) {
    case '(':
      return {Kind::kOpen, "("};
    case ')':
      return {Kind::kClose, ")"};
    case ',':
      return {Kind::kComma, ","};
    case '!':
      return {Kind::kNot, "!"};
    default:
      return {Kind::kOperator, std::string(1, c)};
  }
}

std::vector<Token> scan(std::string_view text) {
  std::vector<Token> tokens;
  std::size_t pos = 0;
  while (true) {
    while (pos < text.size() && is_space(text[pos])) ++pos;
    if (pos == text.size() || text[pos] == '\0') break;
    if (is_special(text[pos])) {
      tokens.push_back(special(text, pos));
      continue;
    }
    const std::size_t start = pos;
    while (pos < text.size() && !is_space(text[pos]) && !is_special(text[pos])) ++pos;
    std::string word(text.substr(start, pos - start));
    const Kind kind = word == "in" ? Kind::kIn : word == "notin" ? Kind::kNotIn : Kind::kWord;
    tokens.push_back({kind, std::move(word)});
  }
  tokens.push_back({Kind::kEnd, ""});
  return tokens;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : tokens_(scan(text)) {}

  Result<std::vector<LabelRequirement>> parse() {
    std::vector<LabelRequirement> list;
    while (true) {
      const Token& token = peek();
      if (token.kind == Kind::kEnd) return list;
      if (token.kind != Kind::kWord && token.kind != Kind::kNot) {
        return found(token, "!, identifier, or 'end of string'");
      }
      Result<LabelRequirement> r = requirement();
      if (!r.ok()) return r.status().with_context("unable to parse requirement");
      list.push_back(std::move(*r));
      const Token& after = take();
      if (after.kind == Kind::kEnd) return list;
      if (after.kind != Kind::kComma) return found(after, "',' or 'end of string'");
      const Kind next = peek().kind;
      if (next != Kind::kWord && next != Kind::kNot) return found(peek(), "identifier after ','");
    }
  }

 private:
  // Values context: `in` and `notin` are plain words there.
  Token as_value(const Token& token) const {
    if (token.kind == Kind::kIn || token.kind == Kind::kNotIn) return {Kind::kWord, token.text};
    return token;
  }
  Token peek() const { return as_value(tokens_[pos_]); }
  Token take() { return as_value(take_raw()); }
  const Token& take_raw() {
    const Token& token = tokens_[pos_];
    if (pos_ + 1 < tokens_.size()) ++pos_;
    return token;
  }

  static Status found(const Token& token, std::string_view expected) {
    return invalid_argument("found '" + token.text + "', expected: " + std::string(expected));
  }

  Result<LabelRequirement> requirement() {
    LabelRequirement r;
    Token token = take();
    const bool negated = token.kind == Kind::kNot;
    if (negated) token = take();
    if (token.kind != Kind::kWord) return found(token, "identifier");
    r.key = token.text;
    const auto messages = check_qualified_name(r.key);
    if (!messages.empty()) {
      FieldErrors errors;
      errors.invalid(FieldPath(), r.key, join(messages, "; "));
      return invalid_argument(errors.text());
    }
    const Kind next = peek().kind;
    if (negated) {
      r.op = LabelOp::kNotExists;
    } else if (next == Kind::kEnd || next == Kind::kComma) {
      r.op = LabelOp::kExists;
    } else {
      RETURN_IF_ERROR(operation(r));
    }
    RETURN_IF_ERROR(check_label_requirement(r));
    return r;
  }

  Status operation(LabelRequirement& r) {
    const Token token = take_raw();
    if (token.kind == Kind::kIn || token.kind == Kind::kNotIn) {
      r.op = token.kind == Kind::kIn ? LabelOp::kIn : LabelOp::kNotIn;
      return value_set(r.values);
    }
    if (token.text == "=" || token.text == "==") {
      r.op = LabelOp::kEquals;
    } else if (token.text == "!=") {
      r.op = LabelOp::kNotEquals;
    } else if (token.text == ">") {
      r.op = LabelOp::kGreater;
    } else if (token.text == "<") {
      r.op = LabelOp::kLess;
    } else {
      return found(token, "in, notin, =, ==, !=, gt, lt");
    }
    const Kind next = peek().kind;
    if (next == Kind::kEnd || next == Kind::kComma) {
      r.values.emplace_back();
      return {};
    }
    const Token value = take();
    if (value.kind != Kind::kWord) return found(value, "identifier");
    r.values.push_back(value.text);
    return {};
  }

  Status value_set(std::vector<std::string>& values) {
    const Token open = take();
    if (open.kind != Kind::kOpen) {
      return invalid_argument("found '" + open.text + "' expected: '('");
    }
    const Token first = peek();
    if (first.kind == Kind::kClose) {
      take();
      values.emplace_back();
      return {};
    }
    if (first.kind != Kind::kWord && first.kind != Kind::kComma) {
      return found(first, "',', ')' or identifier");
    }
    bool expect_value = true;  // an empty place between commas is the empty value
    while (true) {
      const Token token = take();
      if (token.kind == Kind::kWord) {
        values.push_back(token.text);
        expect_value = false;
        const Token next = peek();
        if (next.kind != Kind::kComma && next.kind != Kind::kClose) {
          return found(next, "',' or ')'");
        }
      } else if (token.kind == Kind::kComma) {
        if (expect_value) values.emplace_back();
        expect_value = true;
      } else if (token.kind == Kind::kClose) {
        if (expect_value) values.emplace_back();
        return {};
      } else {
        return found(token, "',', or identifier");
      }
    }
  }

  std::vector<Token> tokens_;
  std::size_t pos_ = 0;
};

}  // namespace

Result<LabelSelector> LabelSelector::parse(std::string_view text) {
  ASSIGN_OR_RETURN(std::vector<LabelRequirement> list, Parser(text).parse());
  return from_requirements(std::move(list));
}

}  // namespace coracle::api
