#include <charconv>
#include <cstdio>

#include "api/jsonpath_node.hpp"
#include "base/strings.hpp"

namespace coracle::api {

namespace {

using Kind = JsonPathNode::Kind;

// Nested filters and unions; deeper ones are no honest template.
constexpr int kMaxDepth = 32;

std::unique_ptr<JsonPathNode> make(Kind kind) {
  auto node = std::make_unique<JsonPathNode>();
  node->kind = kind;
  return node;
}

std::unique_ptr<JsonPathNode> make_literal(json::value value) {
  auto node = make(Kind::kLiteral);
  node->literal = std::move(value);
  return node;
}

std::unique_ptr<JsonPathNode> make_field(std::string name) {
  auto node = make(Kind::kField);
  node->name = std::move(name);
  return node;
}

bool is_space(char c) { return c == ' ' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return c == '_' || is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool ends_field(char c) {
  return is_space(c) || std::string_view("\r\n.,[]$@{}").find(c) != std::string_view::npos;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    out += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
  }
  return out;
}

bool parse_bound(std::string_view text, std::optional<int>& out) {
  if (text.empty()) return true;
  int value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return false;
  out = value;
  return true;
}

// Splits at commas outside of quotes.
std::vector<std::string> split_union(std::string_view text) {
  std::vector<std::string> parts;
  std::string part;
  char quote = 0;
  for (char c : text) {
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == ',') {
      parts.push_back(std::move(part));
      part.clear();
      continue;
    }
    part += c;
  }
  parts.push_back(std::move(part));
  return parts;
}

class Parser {
 public:
  Parser(std::string_view text, int depth) : text_(text), depth_(depth) {}

  // The whole template; stops at {end} when inside a range.
  Result<JsonPathNodes> block(bool in_range) {
    JsonPathNodes nodes;
    while (pos_ < text_.size()) {
      const std::size_t brace = text_.find('{', pos_);
      if (brace != pos_) {
        const std::size_t end = brace == std::string_view::npos ? text_.size() : brace;
        nodes.push_back(make_literal(json::value(text_.substr(pos_, end - pos_))));
        pos_ = end;
        continue;
      }
      ++pos_;
      auto action = make(Kind::kAction);
      bool end = false;
      RETURN_IF_ERROR(steps(*action, end));
      if (end) {
        if (in_range) return nodes;
        return invalid_argument("not in range, nothing to end");
      }
      if (action->kind == Kind::kRange) {
        ASSIGN_OR_RETURN(action->body, block(true));
      }
      nodes.push_back(std::move(action));
    }
    return nodes;
  }

 private:
  // Inside braces, up to and with the closing one.
  Status steps(JsonPathNode& action, bool& end) {
    while (true) {
      if (pos_ >= text_.size() || text_[pos_] == '\n' || text_[pos_] == '\r') {
        return invalid_argument("unclosed action");
      }
      const char c = text_[pos_];
      if (c == '}') {
        ++pos_;
        return {};
      }
      if (is_space(c) || c == '@' || c == '$') {
        ++pos_;
      } else if (c == '[') {
        RETURN_IF_ERROR(brackets(action.children));
      } else if (c == '"' || c == '\'') {
        RETURN_IF_ERROR(quote(action.children));
      } else if (c == '.') {
        field(action.children);
      } else if (c == '+' || c == '-' || is_digit(c)) {
        RETURN_IF_ERROR(number(action.children));
      } else if (is_word(c)) {
        RETURN_IF_ERROR(word(action, end));
      } else {
        char code[16];
        std::snprintf(code, sizeof(code), "U+%04X", static_cast<unsigned char>(c));
        return invalid_argument(std::string("unrecognized character in action: ") + code + " '" +
                                c + "'");
      }
    }
  }

  Status word(JsonPathNode& action, bool& end) {
    const std::size_t start = pos_;
    while (pos_ < text_.size() && is_word(text_[pos_])) ++pos_;
    const std::string_view word = text_.substr(start, pos_ - start);
    if (word == "range") {
      action.kind = Kind::kRange;
    } else if (word == "end") {
      end = true;
    } else if (word == "true" || word == "false") {
      action.children.push_back(make_literal(json::value(word == "true")));
    } else {
      return invalid_argument("unrecognized identifier " + std::string(word));
    }
    return {};
  }

  void field(JsonPathNodes& out) {
    ++pos_;
    if (pos_ < text_.size() && text_[pos_] == '.') {
      out.push_back(make(Kind::kRecursive));
      ++pos_;
      if (pos_ < text_.size() && (text_[pos_] == '[' || text_[pos_] == '}')) return;
    }
    std::string name;
    const std::size_t start = pos_;
    while (pos_ < text_.size() && !ends_field(text_[pos_])) {
      if (text_[pos_] == '\\' && pos_ + 1 < text_.size()) ++pos_;
      name += text_[pos_++];
    }
    const bool star = name == "*" && text_[start] == '*';
    out.push_back(star ? make(Kind::kWildcard) : make_field(std::move(name)));
  }

  Status number(JsonPathNodes& out) {
    const std::size_t start = pos_++;
    while (pos_ < text_.size() && (is_digit(text_[pos_]) || text_[pos_] == '.')) ++pos_;
    const std::string text(text_.substr(start, pos_ - start));
    const Result<json::value> value = parse_json(text[0] == '+' ? text.substr(1) : text);
    if (!value.ok()) return invalid_argument("cannot parse number " + text);
    out.push_back(make_literal(*value));
    return {};
  }

  Status quote(JsonPathNodes& out) {
    const char mark = text_[pos_];
    const std::size_t start = ++pos_;
    while (pos_ < text_.size() && text_[pos_] != mark && text_[pos_] != '\n') {
      pos_ += text_[pos_] == '\\' ? 2 : 1;
    }
    if (pos_ >= text_.size() || text_[pos_] != mark) {
      return invalid_argument("unterminated quoted string");
    }
    const std::string text = unescaped(text_.substr(start, pos_ - start));
    out.push_back(make_literal(json::value(std::string_view(text))));
    ++pos_;
    return {};
  }

  Status brackets(JsonPathNodes& out) {
    if (text_.substr(pos_, 3) == "[?(") return filter(out);
    const std::size_t start = ++pos_;
    char mark = 0;
    for (; pos_ < text_.size() && text_[pos_] != '\n'; ++pos_) {
      const char c = text_[pos_];
      if (mark != 0) {
        if (c == mark) mark = 0;
      } else if (c == '\'' || c == '"') {
        mark = c;
      } else if (c == ']') {
        break;
      }
    }
    if (pos_ >= text_.size() || text_[pos_] != ']') return invalid_argument("unterminated array");
    const std::string_view inside = text_.substr(start, pos_ - start);
    ++pos_;
    return bracket_text(inside, out);
  }

  Status bracket_text(std::string_view inside, JsonPathNodes& out) const {
    const std::vector<std::string> parts = split_union(inside);
    if (parts.size() > 1) {
      auto node = make(Kind::kUnion);
      for (const std::string& part : parts) {
        JsonPathNodes one;
        RETURN_IF_ERROR(bracket_text(trim(part), one));
        node->alternatives.push_back(std::move(one));
      }
      out.push_back(std::move(node));
      return {};
    }
    const std::string_view text = inside == "*" ? std::string_view(":") : trim(inside);
    if (text.size() >= 2 && (text[0] == '\'' || text[0] == '"') && text.back() == text[0]) {
      out.push_back(make_field(unescaped(text.substr(1, text.size() - 2))));
      return {};
    }
    auto node = make(Kind::kSlice);
    const std::vector<std::string> bounds = split(text, ':');
    bool good = !text.empty() && bounds.size() <= 3;
    for (std::size_t i = 0; good && i < bounds.size(); ++i) {
      good = parse_bound(bounds[i], node->bounds[i]);
    }
    if (!good) return invalid_argument("invalid array index " + std::string(inside));
    node->single = bounds.size() == 1;
    out.push_back(std::move(node));
    return {};
  }

  Status filter(JsonPathNodes& out) {
    if (depth_ >= kMaxDepth) return invalid_argument("filters are nested too deep");
    pos_ += 3;
    const std::size_t start = pos_;
    int open = 1;
    char mark = 0;
    for (; pos_ < text_.size(); ++pos_) {
      const char c = text_[pos_];
      if (mark != 0) {
        if (c == '\\') {
          ++pos_;
        } else if (c == mark) {
          mark = 0;
        }
      } else if (c == '\'' || c == '"') {
        mark = c;
      } else if (c == '(') {
        ++open;
      } else if (c == ')' && --open == 0) {
        break;
      }
    }
    const bool over = pos_ > text_.size();  // an escape was the last
    if (over || text_.substr(pos_, 2) != ")]") return invalid_argument("unterminated filter");
    const std::string_view inside = text_.substr(start, pos_ - start);
    pos_ += 2;
    auto node = make(Kind::kFilter);
    const std::size_t at = inside.find_first_of("!<>=");
    const std::size_t end = inside.find_first_not_of("!<>=", at);
    if (at == std::string_view::npos || at == 0 || end == std::string_view::npos) {
      node->name = "exists";
      RETURN_IF_ERROR(operand(inside, *node));
    } else {
      node->name = inside.substr(at, end - at);
      RETURN_IF_ERROR(operand(inside.substr(0, at), *node));
      RETURN_IF_ERROR(operand(inside.substr(end), *node));
    }
    out.push_back(std::move(node));
    return {};
  }

  Status operand(std::string_view text, JsonPathNode& filter) const {
    const std::string whole = "{" + std::string(trim(text)) + "}";
    ASSIGN_OR_RETURN(JsonPathNodes nodes, Parser(whole, depth_ + 1).block(false));
    if (nodes.size() != 1 || nodes[0]->kind != Kind::kAction) {
      return invalid_argument("invalid filter: " + std::string(text));
    }
    filter.alternatives.push_back(std::move(nodes[0]->children));
    return {};
  }

  std::string_view text_;
  std::size_t pos_ = 0;
  int depth_;
};

}  // namespace

Result<JsonPathNodes> parse_jsonpath(std::string_view text) { return Parser(text, 0).block(false); }

}  // namespace coracle::api
