// Walks a checked tree as upstream's estimator walks the one with macros written out.
#include "api/cel/estimate.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace coracle::api::cel {

namespace {

constexpr double kTextCost = 0.1;
constexpr double kPatternCost = 0.25;
constexpr std::uint64_t kListCost = 10;
constexpr std::uint64_t kMapCost = 30;

struct Size {
  std::uint64_t min = 0;
  std::uint64_t max = kUnbounded;

  Size joined(const Size& o) const { return {std::min(min, o.min), std::max(max, o.max)}; }
  Size plus(const Size& o) const { return {cel::plus(min, o.min), cel::plus(max, o.max)}; }
  Size times(const Size& o) const { return {cel::times(min, o.min), cel::times(max, o.max)}; }
};

std::uint64_t scaled(std::uint64_t size, double factor) {
  const double out = std::ceil(static_cast<double>(size) * factor);
  return out >= 18446744073709551615.0 ? kUnbounded : static_cast<std::uint64_t>(out);
}

// Of the elements of a list or a map.
struct Entry {
  bool list = true;
  Size key, value;
};
using Path = std::vector<std::string>;

// What is known of a variable of a macro.
struct Local {
  std::string_view name;
  Path path;
  std::optional<Size> size;
  std::optional<Entry> entry;
};

struct Cost {
  std::uint64_t cost = 1;
  std::optional<Size> size;
};

class Estimator {
 public:
  Estimator(const NodeTypes& types, const Measure& root) : types_(types), root_(root) {}

  std::uint64_t cost(const Node& n) {
    switch (n.op) {
      case Op::kLiteral:
        if (n.literal.kind != Kind::kType) return 0;
        paths_[&n] = {"type"};
        return 1;
      case Op::kIdent: {
        const Local* local = find(n.name);
        paths_[&n] = local != nullptr ? local->path : Path{n.name};
        return 1;
      }
      case Op::kSelect:
        return select(n);
      case Op::kHas:
        return cost(*n.kids[0]);
      case Op::kIndex:
        return index(n);
      case Op::kCall:
        return call(n);
      case Op::kList:
        return list(n);
      case Op::kMap:
        return map(n);
      case Op::kAnd:
      case Op::kOr: {
        std::uint64_t sum = 0;
        for (const NodePtr& kid : n.kids) sum = plus(sum, cost(*kid));
        return sum;
      }
      case Op::kCond:
        return conditional(n);
      case Op::kFold:
        return fold(n);
      case Op::kBind:
        return bind(n);
      case Op::kOptMap:
        return opt_map(n);
    }
    return 0;
  }

 private:
  char letter(const Node& n) const {
    const auto found = types_.find(&n);
    return found == types_.end() ? '*' : found->second.letter;
  }
  const Local* find(std::string_view name) const {
    for (auto it = locals_.rbegin(); it != locals_.rend(); ++it) {
      if (it->name == name) return &*it;
    }
    return nullptr;
  }
  const Path& path_of(const Node& n) { return paths_[&n]; }
  static Path extended(Path path, std::string_view step) {
    path.emplace_back(step);
    return path;
  }

  // The first step is a variable; all are of the root's measure.
  std::optional<Size> measured(const Path& path) const {
    if (path.empty()) return std::nullopt;
    static const Measure kKey{.longest = 0, .least = 2, .keyed = false, .item = {}, .fields = {}};
    const Measure* at = &root_;
    for (auto step = path.begin() + 1; step != path.end(); ++step) {
      if (*step == "@items" || *step == "@values") {
        at = at->item.get();
      } else if (*step == "@keys") {
        at = at->keyed ? &kKey : nullptr;
      } else {
        const auto field = at->fields.find(unescape_field(*step).value_or(*step));
        at = field == at->fields.end() ? nullptr : field->second.get();
      }
      if (at == nullptr) return std::nullopt;
    }
    return Size{0, at->longest};
  }

  static std::optional<Size> literal_size(const Node& n) {
    std::uint64_t size = 1;
    if (n.op == Op::kList) {
      size = n.kids.size();
    } else if (n.op == Op::kMap) {
      size = n.kids.size() / 2;
    } else if (n.op != Op::kLiteral || n.literal.kind == Kind::kType) {
      return std::nullopt;
    } else if (n.literal.kind == Kind::kBytes) {
      size = n.literal.as_text().size();
    } else if (n.literal.kind == Kind::kString) {
      size = 0;
      for (const char c : n.literal.as_text()) size += (c & 0xC0) != 0x80 ? 1 : 0;
    }
    return Size{size, size};
  }

  std::optional<Size> known_size(const Node& n) {
    if (const auto known = sizes_.find(&n); known != sizes_.end()) return known->second;
    if (const auto size = literal_size(n)) return size;
    if (const auto size = measured(path_of(n))) return size;
    static constexpr std::string_view kScalars = "biudtD";
    if (kScalars.find(letter(n)) != std::string_view::npos) return Size{1, 1};
    const Local* local = n.op == Op::kIdent ? find(n.name) : nullptr;
    return local == nullptr ? std::nullopt : local->size;
  }
  Size size(const Node& n) { return known_size(n).value_or(Size{}); }
  std::optional<Entry> entry(const Node& n) {
    if (const auto known = entries_.find(&n); known != entries_.end()) return known->second;
    const Local* local = n.op == Op::kIdent ? find(n.name) : nullptr;
    return local == nullptr ? std::nullopt : local->entry;
  }
  void set_entry(const Node& n, const std::optional<Entry>& entry) {
    if (entry) entries_[&n] = *entry;
  }
  void set_size(const Node& n, const std::optional<Size>& size) {
    if (size) sizes_[&n] = *size;
  }
  static std::optional<Entry> joined(const std::optional<Entry>& a, const std::optional<Entry>& b) {
    if (!a || !b) return std::nullopt;
    return Entry{a->list, a->key.joined(b->key), a->value.joined(b->value)};
  }

  std::uint64_t select(const Node& n) {
    const std::uint64_t inner = cost(*n.kids[0]);
    if (n.optional) return plus(inner, 1);
    paths_[&n] = extended(path_of(*n.kids[0]), n.name);
    return letter(*n.kids[0]) == 'm' ? plus(inner, 1) : inner;
  }

  std::uint64_t index(const Node& n) {
    const std::uint64_t sum = plus(plus(cost(*n.kids[0]), cost(*n.kids[1])), 1);
    const char of = letter(*n.kids[0]);
    if (n.optional || (of != 'l' && of != 'm')) return sum;
    paths_[&n] = extended(path_of(*n.kids[0]), of == 'l' ? "@items" : "@values");
    const auto of_kid = entry(*n.kids[0]);
    set_size(n, of_kid ? std::optional(of_kid->value) : known_size(n));
    return sum;
  }

  std::uint64_t list(const Node& n) {
    std::uint64_t sum = kListCost;
    Size item{n.kids.empty() ? 0 : kUnbounded, 0};
    for (const NodePtr& kid : n.kids) {
      sum = plus(sum, cost(*kid));
      item = item.joined(size(*kid));
    }
    entries_[&n] = {true, {1, 1}, item};
    return sum;
  }

  std::uint64_t map(const Node& n) {
    std::uint64_t sum = kMapCost;
    Size key{n.kids.empty() ? 0 : kUnbounded, 0};
    Size value = key;
    for (std::size_t i = 0; i + 1 < n.kids.size(); i += 2) {
      sum = plus(plus(sum, cost(*n.kids[i])), cost(*n.kids[i + 1]));
      key = key.joined(size(*n.kids[i]));
      value = value.joined(size(*n.kids[i + 1]));
    }
    entries_[&n] = {false, key, value};
    return sum;
  }

  std::uint64_t conditional(const Node& n) {
    const std::uint64_t test = cost(*n.kids[0]), yes = cost(*n.kids[1]), no = cost(*n.kids[2]);
    set_entry(n, joined(entry(*n.kids[1]), entry(*n.kids[2])));
    sizes_[&n] = size(*n.kids[1]).joined(size(*n.kids[2]));
    return plus(test, std::max(yes, no));
  }

  std::uint64_t bind(const Node& n) {
    std::uint64_t sum = plus(kListCost, cost(*n.kids[0]));
    locals_.push_back({n.var, path_of(*n.kids[0]), known_size(*n.kids[0]), entry(*n.kids[0])});
    sum = plus(sum, cost(*n.kids[1]));
    set_size(n, known_size(*n.kids[1]));
    set_entry(n, entry(*n.kids[1]));
    locals_.pop_back();
    return sum;
  }

  // target.hasValue() ? optional.of(cel.bind(var, target.value(), body)) : optional.none()
  std::uint64_t opt_map(const Node& n) {
    const std::uint64_t called = plus(cost(*n.kids[0]), 1);
    locals_.push_back({n.var, {}, std::nullopt, std::nullopt});
    const std::uint64_t body = cost(*n.kids[1]);
    locals_.pop_back();
    return plus(plus(called, called), plus(kListCost + (n.optional ? 0 : 1), body));
  }

  void push_variables(const Node& n) {
    const Node& range = *n.kids[0];
    const auto of = entry(range);
    const bool is_list = of ? of->list : letter(range) == 'l';
    const auto key = of ? std::optional(of->key) : std::nullopt;
    const auto value = of ? std::optional(of->value) : std::nullopt;
    const Path& path = path_of(range);
    const Path keys = extended(path, is_list ? "@indices" : "@keys");
    const Path values = extended(path, is_list ? "@items" : "@values");
    if (!n.var2.empty()) {
      locals_.push_back({n.var, keys, key, std::nullopt});
      locals_.push_back({n.var2, values, value, std::nullopt});
    } else {
      locals_.push_back({n.var, is_list ? values : keys, is_list ? value : key, std::nullopt});
    }
  }

  struct Loop {
    std::uint64_t each = 0;   // of one turn
    std::uint64_t about = 0;  // before and after
    std::optional<Entry> entry;
  };

  // What one turn makes: a list of what `item` is, added to the list so far.
  void append(const Node* item, std::uint64_t item_cost, Loop& loop) {
    loop.each = plus(plus(loop.each, item_cost), kListCost + 2);
    loop.about = kListCost + 1;
    const Size made = item == nullptr ? size_of_variable() : size(*item);
    loop.entry = Entry{true, {1, 1}, Size{0, 0}.joined(made)};
  }
  Size size_of_variable() const {
    const Local& local = locals_.back();
    if (const auto size = measured(local.path)) return *size;
    return local.size.value_or(Size{});
  }

  Loop loop(const Node& n) {
    Loop out;
    const std::uint64_t first = cost(*n.kids[1]);
    const std::uint64_t second = n.kids.size() > 2 ? cost(*n.kids[2]) : 0;
    const bool filtered = n.kids.size() > 2;
    const std::uint64_t made = filtered ? second : first;
    if (filtered) out.each = first;
    switch (n.fold) {
      case Fold::kAll:
        return {plus(first, 3), 1, std::nullopt};
      case Fold::kExists:
        return {plus(first, 4), 1, std::nullopt};
      case Fold::kExistsOne:
        return {plus(first, 2), 2, std::nullopt};
      case Fold::kFilter:
        out.each = first;
        append(nullptr, 1, out);
        return out;
      case Fold::kMap:
      case Fold::kMapFilter:
      case Fold::kTransformList:
      case Fold::kTransformListFilter:
      case Fold::kSortBy:
        append(n.kids.back().get(), made, out);
        return out;
      default:
        out.each = plus(plus(out.each, made), 3);
        out.about = kMapCost + 1;
        return out;
    }
  }

  std::uint64_t fold(const Node& n) {
    const std::uint64_t range = cost(*n.kids[0]);
    const std::size_t mark = locals_.size();
    push_variables(n);
    const Loop each = loop(n);
    locals_.erase(locals_.begin() + static_cast<std::ptrdiff_t>(mark), locals_.end());
    const Size turns = size(*n.kids[0]);
    const bool scalar =
        n.fold == Fold::kAll || n.fold == Fold::kExists || n.fold == Fold::kExistsOne;
    sizes_[&n] = scalar ? Size{1, 1} : turns;
    set_entry(n, each.entry);
    return plus(plus(range, each.about), times(turns.max, each.each));
  }

  std::uint64_t call(const Node& n) {
    std::uint64_t sum = 0;
    for (const NodePtr& kid : n.kids) sum = plus(sum, cost(*kid));
    if (n.name == "dyn" && !n.member && n.kids.size() == 1) {
      set_size(n, known_size(*n.kids[0]));
      set_entry(n, entry(*n.kids[0]));
      return plus(sum, 1);
    }
    std::vector<const Node*> args;
    for (const NodePtr& kid : n.kids) args.push_back(kid.get());
    const Node* target = nullptr;
    if (n.member) {
      target = args[0];
      args.erase(args.begin());
    }
    std::optional<Cost> of = target == nullptr ? of_sets(n, args) : of_library(n, *target, args);
    if (!of) of = target == nullptr ? of_global(n, args) : of_member(n, *target, args);
    set_size(n, of->size ? of->size : known_size(n));
    return plus(sum, of->cost);
  }

  std::optional<Cost> of_sets(const Node& n, const std::vector<const Node*>& args) {
    if (!n.name.starts_with("sets.") || args.size() != 2) return std::nullopt;
    const double factor = n.name == "sets.equivalent" ? 2 : 1;
    const Size both = size(*args[0]).times(size(*args[1]));
    return Cost{plus(scaled(both.max, factor), 1), {}};
  }

  // Of the items of a list, where schemas tell; unbounded else.
  Size item_size(const Node& list) {
    const Path& path = path_of(list);
    if (path.empty()) return {};
    return measured(extended(path, "@items")).value_or(Size{});
  }

  std::optional<Cost> of_library(const Node& n, const Node& target,
                                 const std::vector<const Node*>& args) {
    const std::string_view name = n.name;
    static const std::set<std::string_view> kTraversing = {"isSorted", "sum",     "max",
                                                           "min",      "indexOf", "lastIndexOf"};
    const Size whole = size(target);
    if (kTraversing.contains(name)) {
      if (letter(target) != 'l') return Cost{scaled(whole.max, kTextCost), {}};
      const auto known = types_.find(&target);
      const bool texts = known != types_.end() && item_is_text(known->second);
      const std::uint64_t each = texts ? plus(1, scaled(item_size(target).max, kTextCost)) : 1;
      return Cost{times(whole.max, each), {}};
    }
    if (name == "lowerAscii" || name == "upperAscii" || name == "substring" || name == "trim") {
      return Cost{scaled(whole.max, kTextCost), whole};
    }
    if (name == "replace" && args.size() >= 2) return replace(whole, *args[0], *args[1]);
    if (name == "split") return Cost{scaled(whole.max, 2 * kTextCost), Size{0, whole.max}};
    if (name == "join") return join(target, whole, args);
    if ((name == "find" || name == "findAll") && !args.empty()) {
      const std::uint64_t text = scaled(plus(whole.max, 1), kTextCost);
      const std::uint64_t pattern = scaled(size(*args[0]).max, kPatternCost);
      return Cost{times(text, pattern), Size{0, whole.max}};
    }
    if ((name == "containsIP" || name == "containsCIDR") && !args.empty()) {
      const std::uint64_t parsed =
          letter(*args[0]) == 's' ? scaled(size(*args[0]).max, kTextCost) : 0;
      return Cost{plus(name == "containsIP" ? 4 : 7, parsed), {}};
    }
    if (name == "validate" && !args.empty()) {
      return Cost{scaled(scaled(size(*args[0]).max, kTextCost), 128 * kPatternCost), {}};
    }
    return std::nullopt;
  }

  static bool item_is_text(const Type& list) {
    if (list.schema != nullptr) {
      const char of = Type::from_schema(list.schema->items).letter;
      return of == 's' || of == 'y';
    }
    return !list.of.empty() && (list.of.back().letter == 's' || list.of.back().letter == 'y');
  }

  Cost replace(const Size& whole, const Node& what, const Node& with) {
    const Size from = size(what), to = size(with);
    Size count{0, 0}, kept{0, 0};
    if (from.min == 0) {
      count.max = plus(whole.max, 1);
      kept.max = whole.max;
    } else if (to.max <= from.min) {
      kept.max = whole.max;
    } else {
      count.max = scaled(whole.max, 1.0 / static_cast<double>(from.min));
    }
    return {scaled(whole.max, 2 * kTextCost), count.times(to).plus(kept)};
  }

  Cost join(const Node& target, const Size& items, const std::vector<const Node*>& args) {
    Size out = items.times(item_size(target));
    if (!args.empty()) {
      const auto between = [](std::uint64_t count) { return count == 0 ? 0 : count - 1; };
      out = out.plus(size(*args[0]).times({between(items.min), between(items.max)}));
    }
    return {scaled(out.max, kTextCost), out};
  }

  Cost of_member(const Node& n, const Node& target, const std::vector<const Node*>& args) {
    if (n.name == "format") return {scaled(size(target).max, kTextCost), {}};
    if (args.size() != 1) return {};
    if (n.name == "startsWith" || n.name == "endsWith") {
      return {scaled(size(*args[0]).max, kTextCost), {}};
    }
    if (n.name == "matches") {
      return {times(scaled(plus(size(target).max, 1), kTextCost),
                    scaled(size(*args[0]).max, kPatternCost)),
              {}};
    }
    if (n.name == "contains") {
      return {times(scaled(size(target).max, kTextCost), scaled(size(*args[0]).max, kTextCost)),
              {}};
    }
    return {};
  }

  Cost of_global(const Node& n, const std::vector<const Node*>& args) {
    const std::string_view name = n.name;
    if (args.size() == 1) {
      const Size of = size(*args[0]);
      const char from = letter(*args[0]);
      const std::uint64_t read = scaled(of.max, kTextCost);
      if (name == "url") return {read, {}};
      if (name == "bytes" && from == 's') return {read, Size{of.min, times(of.max, 4)}};
      if (name == "string" && from == 'y') return {read, Size{of.min / 4, of.max}};
      if (name == "strings.quote") return {read, Size{of.min + 2, plus(times(of.max, 2), 2)}};
    }
    return args.size() == 2 ? of_operator(n, *args[0], *args[1]) : Cost{};
  }

  Cost of_operator(const Node& n, const Node& left, const Node& right) {
    const std::string_view name = n.name;
    const auto either = [&](std::string_view letters) {
      const char a = letter(left), b = letter(right);
      const auto in = [&](char c) { return letters.find(c) != std::string_view::npos; };
      return in(a) || in(b) || (a == '*' && b == '*');
    };
    if (name == "@in" && letter(right) != 'm') return {size(right).max, {}};
    if (name == "_+_" && either("syl")) {
      const Size out = size(left).plus(size(right));
      set_entry(n, joined(entry(left), entry(right)));
      if (letter(left) == 'l' || letter(right) == 'l') return {1, out};
      return {scaled(out.max, kTextCost), out};
    }
    static const std::set<std::string_view> kOrders = {"_<_", "_<=_", "_>_", "_>=_"};
    if (name == "_==_" || name == "_!=_" || (kOrders.contains(name) && either("sy"))) {
      return {scaled(std::min(size(left).max, size(right).max), kTextCost), {}};
    }
    return {};
  }

  const NodeTypes& types_;
  const Measure& root_;
  std::vector<Local> locals_;
  std::map<const Node*, Path> paths_;
  std::map<const Node*, Size> sizes_;
  std::map<const Node*, Entry> entries_;
};

}  // namespace

std::uint64_t highest_cost(std::string_view text, const Environment& environment,
                           const Measure& root) {
  const Result<NodePtr> tree = parse(text);
  NodeTypes types;
  if (!tree.ok() || !check(**tree, text, environment, &types).ok()) return 0;
  return Estimator(types, root).cost(**tree);
}

}  // namespace coracle::api::cel
