#include <algorithm>
#include <charconv>

#include "api/cel/ast.hpp"
#include "api/cel/lex.hpp"
#include "api/cel/macros.hpp"
#include "base/strings.hpp"

namespace coracle::api::cel {

namespace {

constexpr int kNestingMax = 100;  // of brackets and of the right sides of ?:

bool reserved(std::string_view name) {
  static constexpr std::string_view kWords[] = {
      "as",  "break", "const",   "continue",  "else",   "for", "function", "if",   "import",
      "let", "loop",  "package", "namespace", "return", "var", "void",     "while"};
  return std::ranges::find(kWords, name) != std::end(kWords);
}

class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens)
      : text_(text), tokens_(std::move(tokens)) {}

  Result<NodePtr> run() {
    NodePtr tree = expression();
    if (error_.empty() && peek().kind != Tok::kEnd) fail_token("expecting <EOF>");
    if (!error_.empty()) return invalid_argument(error_);
    return tree;
  }

 private:
  const Token& peek() const { return tokens_[pos_]; }
  bool is(std::string_view sign) const { return peek().kind == Tok::kSign && peek().text == sign; }
  bool take(std::string_view sign) {
    if (!is(sign)) return false;
    ++pos_;
    return true;
  }
  bool keyword(std::string_view word) const {
    return peek().kind == Tok::kIdent && !peek().quoted && peek().text == word;
  }
  bool failed() const { return !error_.empty(); }
  NodePtr fail(std::uint32_t offset, const std::string& message) {
    if (error_.empty()) error_ = located(text_, offset, message);
    return nullptr;
  }
  NodePtr fail_token(const std::string& expecting) {
    const Token& t = peek();
    const std::string got = t.kind == Tok::kEnd ? "<EOF>" : t.text;
    return fail(t.offset, "Syntax error: mismatched input '" + got + "' " + expecting);
  }
  // As the generated parser of upstream words it: a token that could be left out is extraneous.
  NodePtr fail_expression() {
    const Token& t = peek();
    const bool more = t.kind != Tok::kEnd && begins_expression(tokens_[pos_ + 1]);
    return fail(t.offset, "Syntax error: " + std::string(more ? "extraneous" : "mismatched") +
                              " input '" + (t.kind == Tok::kEnd ? "<EOF>" : t.text) +
                              "' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', "
                              "'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}");
  }
  static bool begins_expression(const Token& t) {
    if (t.kind == Tok::kEnd) return false;
    if (t.kind != Tok::kSign) return t.text != "in";
    static constexpr std::string_view kStarts = "[{(.-!";
    return t.text.size() == 1 && kStarts.find(t.text) != std::string_view::npos;
  }
  void expect(std::string_view sign) {
    if (failed() || take(sign)) return;
    if (peek().kind == Tok::kEnd) {
      fail(peek().offset, "Syntax error: missing '" + std::string(sign) + "' at '<EOF>'");
    } else {
      fail_token("expecting '" + std::string(sign) + "'");
    }
  }

  NodePtr node(Op op, std::uint32_t offset) {
    auto out = std::make_unique<Node>();
    out->op = op;
    out->offset = offset;
    return out;
  }
  // Sets the depth; nothing deeper than the limit leaves the parser.
  NodePtr finish(NodePtr n) {
    if (failed() || !n) return nullptr;
    for (const NodePtr& kid : n->kids) n->depth = std::max(n->depth, kid->depth + 1);
    if (n->depth > kDepthMax) {
      return fail(n->offset, "expression recursion limit exceeded: " + std::to_string(kDepthMax));
    }
    return n;
  }
  NodePtr call(std::string name, std::uint32_t offset, NodePtr a, NodePtr b = nullptr) {
    NodePtr n = node(Op::kCall, offset);
    n->name = std::move(name);
    if (!a || failed()) return nullptr;
    n->kids.push_back(std::move(a));
    if (b) n->kids.push_back(std::move(b));
    return finish(std::move(n));
  }

  NodePtr expression() {
    if (++nesting_ > kNestingMax) {
      --nesting_;
      return fail(peek().offset,
                  "expression recursion limit exceeded: " + std::to_string(kNestingMax));
    }
    NodePtr out = conditional();
    --nesting_;
    return failed() ? nullptr : std::move(out);
  }

  NodePtr conditional() {
    NodePtr test = logic(Op::kOr, "||");
    const std::uint32_t offset = peek().offset;
    if (failed() || !take("?")) return test;
    NodePtr yes = logic(Op::kOr, "||");
    expect(":");
    if (failed()) return nullptr;
    NodePtr no = expression();
    if (failed()) return nullptr;
    NodePtr n = node(Op::kCond, offset);
    n->kids.push_back(std::move(test));
    n->kids.push_back(std::move(yes));
    n->kids.push_back(std::move(no));
    return finish(std::move(n));
  }

  NodePtr logic(Op op, std::string_view sign) {
    NodePtr first = op == Op::kOr ? logic(Op::kAnd, "&&") : relation();
    if (failed() || !is(sign)) return first;
    NodePtr n = node(op, peek().offset);
    n->kids.push_back(std::move(first));
    while (take(sign)) {
      NodePtr next = op == Op::kOr ? logic(Op::kAnd, "&&") : relation();
      if (failed()) return nullptr;
      n->kids.push_back(std::move(next));
    }
    return finish(std::move(n));
  }

  NodePtr relation() {
    NodePtr left = sum();
    while (!failed()) {
      const Token& t = peek();
      static constexpr std::string_view kSigns[] = {"==", "!=", "<", "<=", ">", ">="};
      const bool sign =
          t.kind == Tok::kSign && std::ranges::find(kSigns, t.text) != std::end(kSigns);
      if (!sign && !keyword("in")) break;
      const std::string name = sign ? "_" + t.text + "_" : "@in";
      const std::uint32_t offset = t.offset;
      ++pos_;
      left = call(name, offset, std::move(left), sum());
    }
    return failed() ? nullptr : std::move(left);
  }

  NodePtr sum() {
    return chain("+-", [this] { return product(); });
  }
  NodePtr product() {
    return chain("*/%", [this] { return unary(); });
  }

  template <class F>
  NodePtr chain(std::string_view signs, F part) {
    NodePtr left = part();
    while (!failed() && peek().kind == Tok::kSign && peek().text.size() == 1 &&
           signs.find(peek().text[0]) != std::string_view::npos) {
      const std::string name = "_" + peek().text + "_";
      const std::uint32_t offset = peek().offset;
      ++pos_;
      left = call(name, offset, std::move(left), part());
    }
    return failed() ? nullptr : std::move(left);
  }

  NodePtr unary() {
    std::vector<std::pair<char, std::uint32_t>> signs;
    while (is("!") || is("-")) {
      const Tok next = tokens_[pos_ + 1].kind;
      if (is("-") && (next == Tok::kInt || next == Tok::kDouble)) break;
      signs.emplace_back(peek().text[0], peek().offset);
      ++pos_;
    }
    NodePtr out = member();
    for (; !signs.empty() && !failed(); signs.pop_back()) {
      out = call(signs.back().first == '!' ? "!_" : "-_", signs.back().second, std::move(out));
    }
    return failed() ? nullptr : std::move(out);
  }

  NodePtr member() {
    NodePtr left = primary();
    while (!failed()) {
      const std::uint32_t offset = peek().offset;
      if (take(".")) {
        left = dot(std::move(left), offset);
      } else if (take("[")) {
        NodePtr n = node(Op::kIndex, offset);
        n->optional = take("?");
        NodePtr index = expression();
        expect("]");
        if (failed()) return nullptr;
        n->kids.push_back(std::move(left));
        n->kids.push_back(std::move(index));
        left = finish(std::move(n));
      } else if (is("{") && left->op == Op::kIdent) {
        return fail(offset, "undeclared reference to '" + left->name + "' (in container '')");
      } else {
        break;
      }
    }
    return failed() ? nullptr : std::move(left);
  }

  NodePtr dot(NodePtr left, std::uint32_t offset) {
    const bool optional = take("?");
    if (peek().kind != Tok::kIdent) return fail_token("expecting IDENTIFIER");
    std::string name = peek().text;
    ++pos_;
    if (!optional && is("(")) {
      const std::uint32_t at = peek().offset;
      std::vector<NodePtr> args = arguments();
      if (failed()) return nullptr;
      return finish(expand_member(std::move(left), std::move(name), std::move(args), at));
    }
    NodePtr n = node(Op::kSelect, offset);
    n->name = std::move(name);
    n->optional = optional;
    n->kids.push_back(std::move(left));
    return finish(std::move(n));
  }

  NodePtr expand_member(NodePtr target, std::string name, std::vector<NodePtr> args,
                        std::uint32_t offset) {
    std::string error;
    NodePtr macro = expand_macro(*target, name, args, error);
    if (!error.empty()) return fail(offset, error);
    if (macro) {
      macro->offset = offset;
      // cel.bind has no receiver of its own.
      if (macro->op != Op::kBind) macro->kids.insert(macro->kids.begin(), std::move(target));
      return macro;
    }
    NodePtr n = node(Op::kCall, offset);
    n->name = std::move(name);
    n->member = true;
    n->kids.push_back(std::move(target));
    for (NodePtr& arg : args) n->kids.push_back(std::move(arg));
    return n;
  }

  std::vector<NodePtr> arguments() {
    std::vector<NodePtr> out;
    expect("(");
    while (!failed() && !is(")")) {
      if (!out.empty()) expect(",");
      if (!failed()) out.push_back(expression());
    }
    expect(")");
    return out;
  }

  NodePtr primary() {
    const Token t = peek();
    if (t.kind == Tok::kIdent) return identifier();
    if (take("(")) {
      NodePtr inner = expression();
      expect(")");
      return failed() ? nullptr : std::move(inner);
    }
    if (take("[")) return list(t.offset);
    if (take("{")) return map(t.offset);
    if (take(".")) {
      if (peek().kind != Tok::kIdent) return fail_token("expecting IDENTIFIER");
      return identifier();
    }
    const bool negative = take("-");
    return literal(negative);
  }

  NodePtr identifier() {
    const Token t = peek();
    ++pos_;
    NodePtr n = node(Op::kLiteral, t.offset);
    if (!t.quoted && t.text == "true") return n->literal = Value::of(true), std::move(n);
    if (!t.quoted && t.text == "false") return n->literal = Value::of(false), std::move(n);
    if (!t.quoted && t.text == "null") return n;
    if (t.quoted || t.text == "in") {
      --pos_;
      return fail_expression();
    }
    if (is("(")) {
      const std::uint32_t at = peek().offset;
      std::vector<NodePtr> args = arguments();
      if (failed()) return nullptr;
      if (t.text == "has") return presence(std::move(args), at);
      n->op = Op::kCall;
      n->offset = at;
      n->name = t.text;
      n->kids = std::move(args);
      return finish(std::move(n));
    }
    if (reserved(t.text)) return fail(t.offset, "Syntax error: reserved identifier: " + t.text);
    n->op = Op::kIdent;
    n->name = t.text;
    return n;
  }

  NodePtr presence(std::vector<NodePtr> args, std::uint32_t offset) {
    const bool good = args.size() == 1 && args[0]->op == Op::kSelect && !args[0]->optional;
    if (!good) return fail(offset, "invalid argument to has() macro");
    args[0]->op = Op::kHas;
    return std::move(args[0]);
  }

  NodePtr list(std::uint32_t offset) {
    NodePtr n = node(Op::kList, offset);
    while (!failed() && !is("]")) {
      n->optional_kids.push_back(take("?"));
      n->kids.push_back(expression());
      if (!take(",")) break;
    }
    expect("]");
    return finish(std::move(n));
  }

  NodePtr map(std::uint32_t offset) {
    NodePtr n = node(Op::kMap, offset);
    while (!failed() && !is("}")) {
      n->optional_kids.push_back(take("?"));
      n->kids.push_back(expression());
      expect(":");
      if (!failed()) n->kids.push_back(expression());
      if (!take(",")) break;
    }
    expect("}");
    return finish(std::move(n));
  }

  NodePtr literal(bool negative) {
    const Token t = peek();
    NodePtr n = node(Op::kLiteral, t.offset);
    const std::string digits = (negative ? "-" : "") + t.text;
    if (t.kind == Tok::kInt || t.kind == Tok::kUint) {
      if (!integer(t, digits, *n)) return fail(t.offset, "invalid int literal");
    } else if (t.kind == Tok::kDouble) {
      double d = 0;
      const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), d);
      if (end.ec != std::errc()) return fail(t.offset, "invalid double literal");
      n->literal = Value::of(d);
    } else if (!negative && t.kind == Tok::kString) {
      n->literal = Value::text(t.text);
    } else if (!negative && t.kind == Tok::kBytes) {
      n->literal = Value::text(t.text, Kind::kBytes);
    } else {
      return fail_expression();
    }
    ++pos_;
    return n;
  }

  static bool integer(const Token& t, const std::string& digits, Node& n) {
    const bool hex = t.text.size() > 1 && (t.text[1] == 'x' || t.text[1] == 'X');
    const bool negative = digits[0] == '-';
    std::string plain = hex ? (negative ? "-" : "") + t.text.substr(2) : digits;
    const char *begin = plain.data(), *end = begin + plain.size();
    if (t.kind == Tok::kUint) {
      std::uint64_t u = 0;
      const auto done = std::from_chars(begin, end, u, hex ? 16 : 10);
      n.literal = Value::of(u);
      return done.ec == std::errc() && done.ptr == end;
    }
    std::int64_t i = 0;
    const auto done = std::from_chars(begin, end, i, hex ? 16 : 10);
    n.literal = Value::of(i);
    return done.ec == std::errc() && done.ptr == end;
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t pos_ = 0;
  int nesting_ = 0;
  std::string error_;
};

}  // namespace

std::string located(std::string_view text, std::uint32_t offset, std::string_view message) {
  const std::string_view before = text.substr(0, offset);
  const auto line = static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1;
  const std::size_t start =
      before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const std::string_view rest = text.substr(start);
  const std::size_t column = text_length(text.substr(start, offset - start));
  return "ERROR: <input>:" + std::to_string(line) + ":" + std::to_string(column + 1) + ": " +
         std::string(message) + "\n | " + std::string(rest.substr(0, rest.find('\n'))) + "\n | " +
         std::string(column, '.') + "^";
}

Result<NodePtr> parse(std::string_view text) {
  if (text.size() > kExpressionMax) {
    return invalid_argument(
        "expression code point size exceeds limit: size: " + std::to_string(text.size()) +
        ", limit " + std::to_string(kExpressionMax));
  }
  std::vector<Token> tokens;
  LexError error{};
  if (!lex(text, tokens, error)) {
    return invalid_argument(located(text, error.offset, "Syntax error: " + error.message));
  }
  return Parser(text, std::move(tokens)).run();
}

}  // namespace coracle::api::cel
