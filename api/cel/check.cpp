// The checker: names, functions, fields and the types of operands, as far as schemas tell.
#include <algorithm>

#include "api/cel/cel.hpp"
#include "base/strings.hpp"

namespace coracle::api::cel {

namespace {

constexpr std::size_t kErrorsMax = 10;

struct Local {
  std::string_view name;
  Type type;
};

class Checker {
 public:
  Checker(std::string_view text, const Environment& environment, NodeTypes* types)
      : text_(text), environment_(environment), types_(types) {}

  Type visit(Node& n) {
    Type out = type_of(n);
    if (types_ != nullptr) types_->insert_or_assign(&n, out);
    return out;
  }
  std::vector<std::string> errors;

 private:
  Type type_of(Node& n) {
    switch (n.op) {
      case Op::kLiteral:
        return literal(n);
      case Op::kIdent:
        return identifier(n);
      case Op::kSelect:
      case Op::kHas:
        return select(n);
      case Op::kIndex:
        return index(n);
      case Op::kCall:
        return call(n);
      case Op::kList:
        return list(n);
      case Op::kMap:
        return map(n);
      case Op::kAnd:
      case Op::kOr:
        return logic(n);
      case Op::kCond:
        return conditional(n);
      case Op::kFold:
        return fold(n);
      case Op::kBind:
        return bind(n);
      case Op::kOptMap:
        return opt_map(n);
    }
    return Type::dyn();
  }
  Type fail(const Node& n, const std::string& message) {
    if (errors.size() < kErrorsMax) errors.push_back(located(text_, n.offset, message));
    return Type::dyn();
  }
  Type no_overload(const Node& n, const std::string& name, const std::string& applied) {
    return fail(n, "found no matching overload for '" + name + "' applied to '" + applied + "'");
  }

  static Type literal(const Node& n) {
    static constexpr std::string_view kLetters = "*nbiudsy";
    return Type::of_letter(kLetters[static_cast<std::size_t>(n.literal.kind)]);
  }

  const Type* find(std::string_view name) const {
    for (auto it = locals_.rbegin(); it != locals_.rend(); ++it) {
      if (it->name == name) return &it->type;
    }
    return environment_.find(name);
  }

  static bool type_constant(std::string_view name) {
    static constexpr std::string_view kTypes[] = {"bool",
                                                  "int",
                                                  "uint",
                                                  "double",
                                                  "string",
                                                  "bytes",
                                                  "list",
                                                  "map",
                                                  "null_type",
                                                  "type",
                                                  "google.protobuf.Timestamp",
                                                  "google.protobuf.Duration",
                                                  "net.IP",
                                                  "net.CIDR",
                                                  "kubernetes.Quantity",
                                                  "kubernetes.URL",
                                                  "optional_type"};
    return std::ranges::find(kTypes, name) != std::end(kTypes);
  }
  static Type become_type(Node& n, std::string name) {
    n.op = Op::kLiteral;
    n.literal = Value::text(std::move(name), Kind::kType);
    n.kids.clear();
    return Type::of_letter('T');
  }

  Type identifier(Node& n) {
    if (const Type* known = find(n.name)) return *known;
    if (type_constant(n.name)) return become_type(n, n.name);
    return fail(n, "undeclared reference to '" + n.name + "' (in container '')");
  }

  // "a.b.c" when the node is nothing but names and `a` is not a variable; else empty.
  std::string qualified(const Node& n) const {
    if (n.op == Op::kIdent) return find(n.name) == nullptr ? n.name : "";
    if (n.op != Op::kSelect || n.optional) return "";
    const std::string outer = qualified(*n.kids[0]);
    return outer.empty() ? "" : outer + "." + n.name;
  }

  Type item_of(const Type& list) const {
    if (list.schema != nullptr) return Type::from_schema(list.schema->items);
    return list.of.empty() ? Type::dyn() : list.of.back();
  }

  Type field(const Node& n, const Type& target) {
    if (target.is_dyn()) return Type::dyn();
    if (target.letter == 'A' && n.name == "requestResource") return Type::of_letter('R');
    if (target.letter != 'm') {
      return fail(n, "type '" + target.text() + "' does not support field selection");
    }
    const std::string plain = unescape_field(n.name).value_or(n.name);
    if (target.closed) {
      for (std::size_t i = 0; i < target.names.size(); ++i) {
        if (target.names[i] == n.name) return target.of[i];
      }
      return fail(n, "undefined field '" + n.name + "'");
    }
    if (target.schema != nullptr && target.schema->type == SchemaType::kObject) {
      if (const Property* found = target.schema->find(plain)) {
        return Type::from_schema(found->schema);
      }
      if (target.schema->preserve_unknown) return Type::dyn();
      return fail(n, "undefined field '" + n.name + "'");
    }
    return item_of(target);
  }

  Type select(Node& n) {
    const std::string name = n.op == Op::kSelect ? qualified(n) : "";
    if (!name.empty() && type_constant(name)) return become_type(n, name);
    Type target = visit(*n.kids[0]);
    bool optional = n.optional;
    if (target.letter == 'o') {
      optional = true;
      target = target.of.empty() ? Type::dyn() : target.of[0];
    }
    Type out = field(n, target);
    if (n.op == Op::kHas) return Type::of_letter('b');
    return optional ? wrapped(std::move(out)) : out;
  }

  static Type wrapped(Type inner) {
    Type out = Type::of_letter('o');
    out.of.push_back(std::move(inner));
    return out;
  }

  Type index(Node& n) {
    Type target = visit(*n.kids[0]);
    const Type key = visit(*n.kids[1]);
    bool optional = n.optional;
    if (target.letter == 'o') {
      optional = true;
      target = target.of.empty() ? Type::dyn() : target.of[0];
    }
    Type out = Type::dyn();
    const bool object =
        target.closed || (target.schema && target.schema->type == SchemaType::kObject);
    if ((target.letter == 'l' && compatible(key, Type::of_letter('#'))) ||
        (target.letter == 'm' && !object && (target.of.empty() || compatible(key, target.of[0])))) {
      out = item_of(target);
    } else if (!target.is_dyn()) {
      return no_overload(n, "_[_]", "(" + target.text() + ", " + key.text() + ")");
    }
    return optional ? wrapped(std::move(out)) : out;
  }

  Type call(Node& n) {
    if (n.member) {
      const std::string name = qualified(*n.kids[0]);
      const std::string whole = name + "." + n.name;
      if (!name.empty() && !find_overloads(whole).empty()) {
        n.name = whole;
        n.member = false;
        n.kids.erase(n.kids.begin());
      }
    }
    std::vector<Type> types;
    for (const NodePtr& kid : n.kids) types.push_back(visit(*kid));
    const auto known = find_overloads(n.name);
    if (known.empty()) {
      return fail(n, "undeclared reference to '" + n.name + "' (in container '')");
    }
    Type out;
    for (const Overload& o : known) {
      if (o.member() != n.member || !accepts(o, types)) continue;
      Type result = result_of(o, types);
      out = n.overloads.empty() ? std::move(result) : joined(out, result);
      n.overloads.push_back(&o);
    }
    const bool equality = n.name == "_==_" || n.name == "_!=_";
    if (n.overloads.empty() || (equality && !compatible(types[0], types[1]))) {
      return no_overload(n, n.name, applied(n, types));
    }
    if (n.name == "@in" && types[1].letter == 'l' && !compatible(types[0], item_of(types[1]))) {
      return no_overload(n, n.name, applied(n, types));
    }
    return out;
  }

  static std::string letters(const Overload& o) {
    std::string out(o.parameters());
    std::erase(out, '.');
    return out;
  }
  static bool accepts(const Overload& o, const std::vector<Type>& types) {
    const std::string wanted = letters(o);
    if (wanted.size() != types.size()) return false;
    for (std::size_t i = 0; i < types.size(); ++i) {
      Type parameter;
      parameter.letter = wanted[i];
      // null fits no parameter but *.
      if (types[i].letter == 'n' && wanted[i] != '*') return false;
      if (!compatible(parameter, types[i])) return false;
    }
    return true;
  }
  Type result_of(const Overload& o, const std::vector<Type>& types) const {
    const std::string_view result = o.result();
    if (result == "=") return types[0];
    if (result == "E") return item_of(types[0]);
    Type out = Type::of_letter(result[0]);
    if (result.size() > 1) {
      out.of.push_back(result[1] == 'E' ? item_of(types[0]) : Type::of_letter(result[1]));
    }
    return out;
  }
  static std::string applied(const Node& n, const std::vector<Type>& types) {
    std::vector<std::string> texts;
    for (const Type& type : types) texts.push_back(type.text());
    if (!n.member) return "(" + join(texts, ", ") + ")";
    const std::string receiver = texts[0];
    texts.erase(texts.begin());
    return receiver + ".(" + join(texts, ", ") + ")";
  }

  Type list(Node& n) {
    Type item;
    for (std::size_t i = 0; i < n.kids.size(); ++i) {
      Type next = visit(*n.kids[i]);
      if (n.optional_kids[i]) next = Type::dyn();
      item = i == 0 ? std::move(next) : joined(item, next);
    }
    return Type::list(std::move(item));
  }

  Type map(Node& n) {
    Type key, value;
    for (std::size_t i = 0; i + 1 < n.kids.size(); i += 2) {
      Type next_key = visit(*n.kids[i]), next = visit(*n.kids[i + 1]);
      if (n.optional_kids[i / 2]) next = Type::dyn();
      key = i == 0 ? std::move(next_key) : joined(key, next_key);
      value = i == 0 ? std::move(next) : joined(value, next);
    }
    Type out = Type::of_letter('m');
    out.of = {std::move(key), std::move(value)};
    return out;
  }

  Type logic(Node& n) {
    const Type wanted = Type::of_letter('b');
    std::vector<Type> types;
    for (const NodePtr& kid : n.kids) types.push_back(visit(*kid));
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (types[i].letter != 'n' && compatible(types[i], wanted)) continue;
      const std::size_t left = i == 0 ? 0 : i - 1;
      return no_overload(n, n.op == Op::kAnd ? "_&&_" : "_||_",
                         "(" + types[left].text() + ", " + types[left + 1].text() + ")");
    }
    return wanted;
  }

  Type conditional(Node& n) {
    const Type test = visit(*n.kids[0]), yes = visit(*n.kids[1]), no = visit(*n.kids[2]);
    if (test.letter == 'n' || !compatible(test, Type::of_letter('b')) || !compatible(yes, no)) {
      return no_overload(n, "_?_:_",
                         "(" + test.text() + ", " + yes.text() + ", " + no.text() + ")");
    }
    return joined(yes, no);
  }

  // What the variables of a macro are: of lists index and item (or the item alone), of maps key and
  // value (or the key alone).
  void push_variables(const Node& n, const Type& range) {
    Type key = Type::dyn(), item = Type::dyn();
    if (range.letter == 'l') {
      key = Type::of_letter('i');
      item = item_of(range);
    } else if (range.letter == 'm') {
      key = range.of.empty() ? Type::of_letter('s') : range.of[0];
      item = item_of(range);
    }
    if (!n.var2.empty()) {
      locals_.push_back({n.var, key});
      locals_.push_back({n.var2, item});
    } else {
      locals_.push_back({n.var, range.letter == 'm' ? key : item});
    }
  }

  Type fold(Node& n) {
    const Type range = visit(*n.kids[0]);
    if (!range.is_dyn() && range.letter != 'l' && range.letter != 'm') {
      return fail(*n.kids[0], "expression of type '" + range.text() +
                                  "' cannot be range of a comprehension (must be list, map, or "
                                  "dynamic)");
    }
    const std::size_t mark = locals_.size();
    push_variables(n, range);
    std::vector<Type> types;
    for (std::size_t i = 1; i < n.kids.size(); ++i) types.push_back(visit(*n.kids[i]));
    locals_.erase(locals_.begin() + static_cast<std::ptrdiff_t>(mark), locals_.end());
    const bool predicate = n.fold == Fold::kAll || n.fold == Fold::kExists ||
                           n.fold == Fold::kExistsOne || n.fold == Fold::kFilter ||
                           types.size() == 2;
    if (predicate && !compatible(types[0], Type::of_letter('b'))) {
      return no_overload(*n.kids[1], n.fold == Fold::kExists ? "_||_" : "_&&_",
                         "(bool, " + types[0].text() + ")");
    }
    switch (n.fold) {
      case Fold::kAll:
      case Fold::kExists:
      case Fold::kExistsOne:
        return Type::of_letter('b');
      case Fold::kFilter:
      case Fold::kSortBy:
        return range;
      case Fold::kMap:
      case Fold::kMapFilter:
      case Fold::kTransformList:
      case Fold::kTransformListFilter:
        return Type::list(types.back());
      default: {
        Type out = Type::of_letter('m');
        out.of = {Type::dyn(), Type::dyn()};
        return out;
      }
    }
  }

  Type bind(Node& n) {
    locals_.push_back({n.var, visit(*n.kids[0])});
    Type out = visit(*n.kids[1]);
    locals_.pop_back();
    return out;
  }

  Type opt_map(Node& n) {
    const Type target = visit(*n.kids[0]);
    if (!target.is_dyn() && target.letter != 'o') {
      return no_overload(n, n.optional ? "optFlatMap" : "optMap", target.text() + ".(dyn, dyn)");
    }
    locals_.push_back({n.var, target.of.empty() ? Type::dyn() : target.of[0]});
    Type out = visit(*n.kids[1]);
    locals_.pop_back();
    return n.optional ? out : wrapped(std::move(out));
  }

  std::string_view text_;
  const Environment& environment_;
  NodeTypes* types_;
  std::vector<Local> locals_;
};

}  // namespace

Result<Type> check(Node& tree, std::string_view text, const Environment& environment,
                   NodeTypes* types) {
  Checker checker(text, environment, types);
  Type type = checker.visit(tree);
  if (!checker.errors.empty()) return invalid_argument(join(checker.errors, "\n"));
  return type;
}

}  // namespace coracle::api::cel
