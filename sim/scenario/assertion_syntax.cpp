#include "scenario/assertion_syntax.hpp"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>
#include <utility>

#include "base/strings.hpp"

namespace coracle::sim {
namespace {

using Node = std::shared_ptr<const Expression>;

constexpr std::array<std::pair<std::string_view, double>, 14> kUnits = {{
    {"ms", 1e-3},
    {"s", 1},
    {"m", 60},
    {"h", 3600},
    {"d", 86400},
    {"%", 0.01},
    {"k", 1e3},
    {"M", 1e6},
    {"G", 1e9},
    {"Ki", 1024.0},
    {"Mi", 1048576.0},
    {"Gi", 1073741824.0},
    {"Ti", 1099511627776.0},
    {"", 1},
}};
constexpr std::array<std::string_view, 7> kFunctions = {"min",   "max",    "mean", "sum",
                                                        "count", "stddev", "last"};
constexpr int kDepthMax = 100;

bool is_function(std::string_view name) {
  for (const std::string_view function : kFunctions) {
    if (function == name) return true;
  }
  return percentile_of(name) >= 0;
}

// Recursive descent, lowest precedence first. The first error stands.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Node> parse() {
    Node root = disjunction();
    space();
    if (error_.ok() && at_ < text_.size()) fail("nothing more is expected here");
    if (error_.ok() && !root->is_truth()) {
      at_ = 0;
      fail("this is a number; want a comparison, like \"unscheduled == 0\"");
    }
    if (!error_.ok()) return error_;
    return root;
  }

 private:
  static Node make(Op op, Node left, Node right = nullptr) {
    auto node = std::make_shared<Expression>();
    node->op = op;
    node->left = std::move(left);
    node->right = std::move(right);
    return node;
  }
  Node fail(const std::string& what) {
    if (error_.ok()) error_ = invalid_argument(fmt::format("column {}: {}", at_ + 1, what));
    at_ = text_.size();
    return std::make_shared<Expression>();
  }
  void space() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool eat(std::string_view token) {
    space();
    if (text_.substr(at_, token.size()) != token) return false;
    const bool word = std::isalpha(static_cast<unsigned char>(token[0])) != 0;
    const size_t end = at_ + token.size();
    if (word && end < text_.size() && name_char(text_[end])) return false;
    at_ = end;
    return true;
  }
  static bool name_char(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-' ||
           c == '/';
  }
  Node truth(Node node, size_t began) {
    if (error_.ok() && !node->is_truth()) {
      at_ = began;
      return fail("this is a number; want a comparison");
    }
    return node;
  }

  Node disjunction() {
    const size_t began = at_;
    Node left = conjunction();
    while (eat("or")) {
      left = truth(left, began);
      const size_t second = at_;
      left = make(Op::kOr, left, truth(conjunction(), second));
    }
    return left;
  }
  Node conjunction() {
    const size_t began = at_;
    Node left = negation();
    while (eat("and")) {
      left = truth(left, began);
      const size_t second = at_;
      left = make(Op::kAnd, left, truth(negation(), second));
    }
    return left;
  }
  Node negation() {
    if (!eat("not")) return comparison();
    const size_t began = at_;
    if (++depth_ > kDepthMax) return fail("nested too deeply");
    return make(Op::kNot, truth(negation(), began));
  }
  Node comparison() {
    Node left = sum();
    static constexpr std::pair<std::string_view, Op> kOps[] = {
        {"<=", Op::kLessEqual}, {">=", Op::kMoreEqual}, {"==", Op::kEqual},
        {"!=", Op::kNotEqual},  {"<", Op::kLess},       {">", Op::kMore}};
    for (const auto& [token, op] : kOps) {
      if (!eat(token)) continue;
      if (left->is_truth()) return fail("a comparison cannot be compared; join with \"and\"");
      Node right = sum();
      if (right->is_truth()) return fail("a comparison cannot be compared; join with \"and\"");
      return make(op, left, right);
    }
    return left;
  }
  Node sum() {
    Node left = product();
    while (true) {
      const Op op = eat("+") ? Op::kPlus : eat("-") ? Op::kMinus : Op::kNumber;
      if (op == Op::kNumber) return left;
      left = arithmetic(op, left, product());
    }
  }
  Node product() {
    Node left = atom();
    while (true) {
      const Op op = eat("*") ? Op::kTimes : eat("/") ? Op::kDivide : Op::kNumber;
      if (op == Op::kNumber) return left;
      left = arithmetic(op, left, atom());
    }
  }
  Node arithmetic(Op op, const Node& left, const Node& right) {
    if (left->is_truth() || right->is_truth()) return fail("a comparison is no number");
    return make(op, left, right);
  }
  Node atom() {
    if (++depth_ > kDepthMax) return fail("nested too deeply");
    Node node = atom_inside();
    --depth_;
    return node;
  }
  Node atom_inside() {
    if (eat("(")) {
      Node inner = disjunction();
      if (!eat(")")) return fail("want \")\"");
      return inner;
    }
    if (eat("-")) return make(Op::kNegate, atom());
    space();
    if (at_ >= text_.size()) return fail("want a metric or a number");
    const auto c = static_cast<unsigned char>(text_[at_]);
    if (std::isdigit(c) != 0) {
      auto node = std::make_shared<Expression>();
      node->number = number();
      return node;
    }
    if (std::isalpha(c) == 0) return fail("want a metric or a number");
    return name_or_call();
  }
  std::string word() {
    space();
    const size_t began = at_;
    while (at_ < text_.size() && name_char(text_[at_])) ++at_;
    return std::string(text_.substr(began, at_ - began));
  }
  // "90", "1.5Gi", "12h5m": what follows a unit at once is added.
  double number() {
    space();
    double sum = simple_number();
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0) {
      sum += simple_number();
    }
    return sum;
  }
  double simple_number() {
    double value = 0;
    const char* begin = text_.data() + at_;
    const auto [end, error] =
        std::from_chars(begin, text_.data() + text_.size(), value, std::chars_format::fixed);
    if (error != std::errc()) {
      fail("want a number");
      return 0;
    }
    at_ += static_cast<size_t>(end - begin);
    const size_t began = at_;
    while (at_ < text_.size() &&
           (std::isalpha(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '%')) {
      ++at_;
    }
    const std::string_view unit = text_.substr(began, at_ - began);
    for (const auto& [name, factor] : kUnits) {
      if (name == unit) return value * factor;
    }
    at_ = began;
    fail(fmt::format("unknown unit \"{}\" (known: ms s m h d % k M G Ki Mi Gi Ti)", unit));
    return 0;
  }
  Node name_or_call() {
    const size_t began = at_;
    auto node = std::make_shared<Expression>();
    node->op = Op::kName;
    node->name = word();
    space();
    if (at_ >= text_.size() || text_[at_] != '(') return node;
    if (!is_function(node->name)) {
      at_ = began;
      return fail(
          fmt::format("unknown function \"{}\" (known: min max mean sum count stddev last "
                      "p0..p100)",
                      node->name));
    }
    ++at_;
    node->op = Op::kFunction;
    node->function = std::exchange(node->name, word());
    if (node->name.empty()) return fail("want the name of a metric");
    if (eat(",")) {
      node->window = true;
      node->from = number();
      if (!eat(",")) return fail("want \",\" and until when");
      node->until = number();
      if (error_.ok() && node->until < node->from) return fail("the window ends before it begins");
    }
    if (!eat(")")) return fail("want \")\"");
    return node;
  }

  const std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  Status error_;
};

}  // namespace

std::string Expression::text() const {
  if (!window) return fmt::format("{}({})", function, name);
  return fmt::format("{}({}, {}s, {}s)", function, name, from, until);
}

double percentile_of(std::string_view function) {
  if (function.size() < 2 || function[0] != 'p') return -1;
  double p = -1;
  const char* end = function.data() + function.size();
  const auto [stop, error] = std::from_chars(function.data() + 1, end, p, std::chars_format::fixed);
  return error == std::errc() && stop == end && p >= 0 && p <= 100 ? p : -1;
}

Result<Node> parse_expression(std::string_view text) { return Parser(text).parse(); }

}  // namespace coracle::sim
