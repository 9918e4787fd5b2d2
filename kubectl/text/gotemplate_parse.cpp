// From text to nodes: the pieces outside and inside {{ }}, then the words of an action.
#include <cctype>

#include "base/strings.hpp"
#include "text/gotemplate_node.hpp"

namespace coracle::text {
namespace {

constexpr size_t kDepthMax = 100;

struct Piece {
  bool is_action = false;
  std::string text;
  int line = 1;
};

Status template_error(int line, const std::string& what) {
  return invalid_argument("template: output:" + std::to_string(line) + ": " + what);
}

bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

void trim_right(std::string& text) {
  while (!text.empty() && blank(text.back())) text.pop_back();
}

// Where the action that begins at `from` ends: "}}" outside quotes.
size_t action_end(std::string_view text, size_t from) {
  char quote = 0;
  for (size_t i = from; i < text.size(); ++i) {
    if (quote) {
      if (text[i] == '\\' && quote != '`')
        ++i;
      else if (text[i] == quote)
        quote = 0;
    } else if (text[i] == '"' || text[i] == '`' || text[i] == '\'') {
      quote = text[i];
    } else if (text.substr(i, 2) == "}}") {
      return i;
    }
  }
  return text.npos;
}

Result<std::vector<Piece>> cut(std::string_view text) {
  std::vector<Piece> pieces;
  size_t at = 0;
  int line = 1;
  bool trim_next = false;
  while (at <= text.size()) {
    const size_t open = text.find("{{", at);
    std::string plain(text.substr(at, open == text.npos ? open : open - at));
    for (char c : plain) line += c == '\n';
    if (trim_next) {
      size_t first = 0;
      while (first < plain.size() && blank(plain[first])) ++first;
      plain.erase(0, first);
    }
    if (open == text.npos) {
      if (!plain.empty()) pieces.push_back({false, plain, line});
      break;
    }
    size_t begin = open + 2;
    if (text.substr(begin, 1) == "-" && begin + 1 < text.size() && blank(text[begin + 1])) {
      trim_right(plain);
      ++begin;
    }
    if (!plain.empty()) pieces.push_back({false, plain, line});
    const bool comment = trim(text.substr(begin, 4)).substr(0, 2) == "/*";
    size_t close = comment ? text.find("*/", begin) : action_end(text, begin);
    if (comment && close != text.npos) close = text.find("}}", close);
    if (close == text.npos) return template_error(line, "unclosed action");
    std::string inside(text.substr(begin, close - begin));
    trim_next = inside.size() >= 2 && inside.back() == '-' && blank(inside[inside.size() - 2]);
    if (trim_next) inside.pop_back();
    if (!comment) pieces.push_back({true, inside, line});
    at = close + 2;
  }
  return pieces;
}

struct Token {
  enum class Kind { kWord, kString, kNumber, kVariable, kField, kSymbol, kBlank };
  Kind kind = Kind::kWord;
  std::string text;
};

bool word_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

Result<std::string> unquote(std::string_view raw) {
  if (raw.front() == '`') return std::string(raw.substr(1, raw.size() - 2));
  std::string as_json(raw);
  as_json = replace_all(as_json, "\\'", "'");
  const auto parsed = parse_json(as_json);
  if (!parsed.ok() || !parsed->is_string()) {
    return invalid_argument("invalid syntax: " + std::string(raw));
  }
  return std::string(parsed->as_string());
}

Result<std::vector<Token>> tokens_of(const Piece& piece) {
  std::vector<Token> out;
  const std::string& s = piece.text;
  for (size_t i = 0; i < s.size();) {
    const char c = s[i];
    size_t end = i + 1;
    if (blank(c)) {
      while (end < s.size() && blank(s[end])) ++end;
      out.push_back({Token::Kind::kBlank, " "});
    } else if (c == '"' || c == '`') {
      while (end < s.size() && s[end] != c) end += s[end] == '\\' && c == '"' ? 2 : 1;
      if (end >= s.size()) return template_error(piece.line, "unterminated quoted string");
      ++end;
      auto text = unquote(std::string_view(s).substr(i, end - i));
      if (!text.ok()) return template_error(piece.line, text.status().message());
      out.push_back({Token::Kind::kString, *text});
    } else if (c == '.' || c == '$') {
      while (end < s.size() && word_char(s[end])) ++end;
      out.push_back(
          {c == '.' ? Token::Kind::kField : Token::Kind::kVariable, s.substr(i + 1, end - i - 1)});
    } else if (std::isdigit(static_cast<unsigned char>(c)) ||
               (c == '-' && end < s.size() && std::isdigit(static_cast<unsigned char>(s[end])))) {
      while (end < s.size() && (word_char(s[end]) || s[end] == '.')) ++end;
      out.push_back({Token::Kind::kNumber, s.substr(i, end - i)});
    } else if (word_char(c)) {
      while (end < s.size() && word_char(s[end])) ++end;
      out.push_back({Token::Kind::kWord, s.substr(i, end - i)});
    } else if (c == ':' && end < s.size() && s[end] == '=') {
      out.push_back({Token::Kind::kSymbol, ":="});
      ++end;
    } else if (std::string_view("()|,=").find(c) != std::string_view::npos) {
      out.push_back({Token::Kind::kSymbol, std::string(1, c)});
    } else {
      return template_error(piece.line,
                            std::string("unexpected ") + quoted(std::string(1, c)) + " in command");
    }
    i = end;
  }
  return out;
}

class ActionParser {
 public:
  ActionParser(std::vector<Token> tokens, int line) : tokens_(std::move(tokens)), line_(line) {}

  // The keyword the action begins with, or "".
  std::string take_keyword() {
    skip_blanks();
    if (at_ >= tokens_.size() || tokens_[at_].kind != Token::Kind::kWord) return {};
    for (const char* word : {"if", "else", "end", "range", "with", "break", "continue", "define",
                             "template", "block"}) {
      if (tokens_[at_].text == word) return tokens_[at_++].text;
    }
    return {};
  }
  bool at_end() {
    skip_blanks();
    return at_ >= tokens_.size();
  }

  Result<TemplatePipeline> pipeline(size_t depth = 0) {
    if (depth > kDepthMax) return template_error(line_, "too deeply nested");
    TemplatePipeline out;
    take_declaration(out);
    for (;;) {
      ASSIGN_OR_RETURN(TemplateCommand command, this->command(depth));
      if (command.empty()) return template_error(line_, "missing value for command");
      out.commands.push_back(std::move(command));
      skip_blanks();
      if (!is_symbol("|")) break;
      ++at_;
    }
    return out;
  }

 private:
  void skip_blanks() {
    while (at_ < tokens_.size() && tokens_[at_].kind == Token::Kind::kBlank) ++at_;
  }
  bool is_symbol(std::string_view text) const {
    return at_ < tokens_.size() && tokens_[at_].kind == Token::Kind::kSymbol &&
           tokens_[at_].text == text;
  }

  // $x :=, $x =, $i, $x :=
  void take_declaration(TemplatePipeline& out) {
    const size_t start = at_;
    std::vector<std::string> names;
    for (;;) {
      skip_blanks();
      if (at_ >= tokens_.size() || tokens_[at_].kind != Token::Kind::kVariable) break;
      names.push_back(tokens_[at_++].text);
      skip_blanks();
      if (!is_symbol(",")) break;
      ++at_;
    }
    if (!names.empty() && (is_symbol(":=") || is_symbol("="))) {
      out.declares = tokens_[at_++].text == ":=";
      out.variables = std::move(names);
      return;
    }
    at_ = start;
  }

  Result<TemplateCommand> command(size_t depth) {
    TemplateCommand out;
    for (;;) {
      skip_blanks();
      if (at_ >= tokens_.size() || is_symbol("|") || is_symbol(")")) return out;
      ASSIGN_OR_RETURN(TemplateOperand operand, this->operand(depth));
      out.push_back(std::move(operand));
    }
  }

  Result<TemplateOperand> operand(size_t depth) {
    TemplateOperand out;
    const Token token = tokens_[at_++];
    switch (token.kind) {
      case Token::Kind::kString:
        out.kind = TemplateOperand::Kind::kLiteral;
        out.literal = token.text;
        break;
      case Token::Kind::kNumber: {
        const auto number = parse_json(token.text);
        if (!number.ok() || !number->is_number()) {
          return template_error(line_, "bad number syntax: " + quoted(token.text));
        }
        out.kind = TemplateOperand::Kind::kLiteral;
        out.literal = *number;
        break;
      }
      case Token::Kind::kVariable:
        out.kind = TemplateOperand::Kind::kVariable;
        out.name = token.text;
        break;
      case Token::Kind::kField:
        if (!token.text.empty()) out.fields.push_back(token.text);
        break;
      case Token::Kind::kWord:
        RETURN_IF_ERROR(word(token.text, out));
        break;
      case Token::Kind::kSymbol:
        if (token.text == "(") {
          out.kind = TemplateOperand::Kind::kPipeline;
          ASSIGN_OR_RETURN(TemplatePipeline inner, pipeline(depth + 1));
          if (!is_symbol(")")) return template_error(line_, "unclosed left paren");
          ++at_;
          out.pipeline = std::make_unique<TemplatePipeline>(std::move(inner));
          break;
        }
        [[fallthrough]];
      default:
        return template_error(line_, "unexpected " + quoted(token.text) + " in operand");
    }
    while (at_ < tokens_.size() && tokens_[at_].kind == Token::Kind::kField) {
      out.fields.push_back(tokens_[at_++].text);
    }
    return out;
  }

  Status word(const std::string& text, TemplateOperand& out) {
    out.kind = TemplateOperand::Kind::kLiteral;
    if (text == "true" || text == "false") {
      out.literal = text == "true";
    } else if (text != "nil") {
      if (!is_template_function(text)) {
        return template_error(line_, "function " + quoted(text) + " not defined");
      }
      out.kind = TemplateOperand::Kind::kFunction;
      out.name = text;
    }
    return {};
  }

  std::vector<Token> tokens_;
  int line_;
  size_t at_ = 0;
};

class TreeParser {
 public:
  explicit TreeParser(std::vector<Piece> pieces) : pieces_(std::move(pieces)) {}

  // Fills `body` up to the end, or to an `end` or `else` of the caller's, which is left in stop_.
  Status list(std::vector<std::unique_ptr<TemplateNode>>& body, size_t depth) {
    if (depth > kDepthMax) return template_error(1, "too deeply nested");
    stop_.clear();
    while (at_ < pieces_.size()) {
      const Piece piece = pieces_[at_++];
      auto node = std::make_unique<TemplateNode>();
      if (!piece.is_action) {
        node->kind = TemplateNode::Kind::kText;
        node->text = piece.text;
        body.push_back(std::move(node));
        continue;
      }
      ASSIGN_OR_RETURN(auto tokens, tokens_of(piece));
      ActionParser action(std::move(tokens), piece.line);
      const std::string keyword = action.take_keyword();
      if (keyword == "end" || keyword == "else") {
        if (depth == 0) return template_error(piece.line, "unexpected {{" + keyword + "}}");
        stop_ = keyword;
        if (keyword == "else" && !action.at_end()) return chained_else(action, piece.line, depth);
        return {};
      }
      RETURN_IF_ERROR(action_node(*node, keyword, action, piece.line, depth));
      body.push_back(std::move(node));
    }
    return depth == 0 ? Status() : template_error(pieces_.back().line, "unexpected EOF");
  }

 private:
  Status action_node(TemplateNode& node, const std::string& keyword, ActionParser& action, int line,
                     size_t depth) {
    using Kind = TemplateNode::Kind;
    if (keyword == "break" || keyword == "continue") {
      node.kind = keyword == "break" ? Kind::kBreak : Kind::kContinue;
      return {};
    }
    if (keyword == "define" || keyword == "template" || keyword == "block") {
      return template_error(line, "{{" + keyword + "}} is not supported");
    }
    auto pipeline = action.pipeline();
    if (!pipeline.ok()) return pipeline.status();
    if (!action.at_end()) return template_error(line, "unexpected input in command");
    node.pipeline = std::move(*pipeline);
    node.kind = keyword == "if"      ? Kind::kIf
                : keyword == "with"  ? Kind::kWith
                : keyword == "range" ? Kind::kRange
                                     : Kind::kAction;
    return keyword.empty() ? Status() : branches(node, depth);
  }

  Status branches(TemplateNode& node, size_t depth) {
    RETURN_IF_ERROR(list(node.body, depth + 1));
    if (stop_ != "else") return {};
    if (pending_) {  // {{else if x}}: the rest is one node, whose end is ours
      auto inner = std::move(pending_);
      RETURN_IF_ERROR(branches(*inner, depth + 1));
      node.otherwise.push_back(std::move(inner));
      return {};
    }
    RETURN_IF_ERROR(list(node.otherwise, depth + 1));
    return stop_ == "end" ? Status() : template_error(1, "expected end; found {{else}}");
  }

  Status chained_else(ActionParser& action, int line, size_t depth) {
    const std::string keyword = action.take_keyword();
    if (keyword != "if" && keyword != "with") {
      return template_error(line, "unexpected input in else");
    }
    auto pipeline = action.pipeline();
    if (!pipeline.ok()) return pipeline.status();
    pending_ = std::make_unique<TemplateNode>();
    pending_->kind = keyword == "if" ? TemplateNode::Kind::kIf : TemplateNode::Kind::kWith;
    pending_->pipeline = std::move(*pipeline);
    return {};
  }

  std::vector<Piece> pieces_;
  size_t at_ = 0;
  std::string stop_;
  std::unique_ptr<TemplateNode> pending_;
};

}  // namespace

Result<std::unique_ptr<TemplateNode>> parse_template(std::string_view text) {
  ASSIGN_OR_RETURN(auto pieces, cut(text));
  auto root = std::make_unique<TemplateNode>();
  RETURN_IF_ERROR(TreeParser(std::move(pieces)).list(root->body, 0));
  return root;
}

}  // namespace coracle::text
