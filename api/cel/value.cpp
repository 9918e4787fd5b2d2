#include "api/cel/value.hpp"
#include "api/cel/opaque.hpp"

#include <cmath>

#include "api/cel/time.hpp"
#include "base/encoding.hpp"

namespace coracle::api::cel {

namespace {

constexpr double kTwo63 = 9223372036854775808.0;

Value aliased(std::string_view view, Kind kind = Kind::kString) {
  Value value;
  value.kind = kind;
  value.data = Text{nullptr, view};
  return value;
}

Value from_string(std::string_view text, const Schema* schema) {
  if (schema != nullptr && schema->format == SchemaFormat::kByte) {
    auto bytes = base64_decode(text);
    if (bytes.ok()) return Value::text(*std::move(bytes), Kind::kBytes);
  }
  const bool time = schema != nullptr && (schema->format == SchemaFormat::kDateTime ||
                                          schema->format == SchemaFormat::kMicroTime);
  if (time) {
    if (const auto moment = parse_moment(text)) return Value::timestamp(*moment);
  }
  return aliased(text);
}

// -1, 0, 1; nullopt when one is not a number.
std::optional<int> compare_double(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::nullopt;
  return a < b ? -1 : a > b ? 1 : 0;
}

template <class T>
int three_way(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

std::optional<int> compare_int_double(std::int64_t i, double d) {
  if (std::isnan(d)) return std::nullopt;
  if (d >= kTwo63) return -1;
  if (d < -kTwo63) return 1;
  const auto whole = static_cast<std::int64_t>(d);
  if (i != whole) return i < whole ? -1 : 1;
  return compare_double(0, d - static_cast<double>(whole));
}

std::optional<int> compare_uint_double(std::uint64_t u, double d) {
  if (std::isnan(d)) return std::nullopt;
  if (d >= 2 * kTwo63) return -1;
  if (d < 0) return 1;
  const auto whole = static_cast<std::uint64_t>(d);
  if (u != whole) return u < whole ? -1 : 1;
  return compare_double(0, d - static_cast<double>(whole));
}

bool is_number(Kind kind) {
  return kind == Kind::kInt || kind == Kind::kUint || kind == Kind::kDouble;
}

std::optional<int> compare_numbers(const Value& a, const Value& b) {
  if (a.kind == b.kind) {
    if (a.is(Kind::kInt)) return three_way(a.as_int(), b.as_int());
    if (a.is(Kind::kUint)) return three_way(a.as_uint(), b.as_uint());
    return compare_double(a.as_double(), b.as_double());
  }
  if (a.kind > b.kind) {
    const auto other = compare_numbers(b, a);
    return other ? std::optional<int>(-*other) : std::nullopt;
  }
  if (b.is(Kind::kDouble)) {
    return a.is(Kind::kInt) ? compare_int_double(a.as_int(), b.as_double())
                            : compare_uint_double(a.as_uint(), b.as_double());
  }
  if (a.as_int() < 0) return -1;
  return three_way(static_cast<std::uint64_t>(a.as_int()), b.as_uint());
}

bool equal_lists(const Value& a, const Value& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!equal(a.at(i), b.at(i))) return false;
  }
  return true;
}

bool equal_maps(const Value& a, const Value& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [key, value] : a.entries()) {
    const auto other = b.member(key);
    if (!other || !equal(value, *other)) return false;
  }
  return true;
}

bool equal_opaque(const Opaque& a, const Opaque& b) {
  if (!a.bytes.empty() || !b.bytes.empty()) return a.bytes == b.bytes && a.bits == b.bits;
  return a.text == b.text;
}

const Schema* schema_of(const JsonMap& map, std::string_view key) {
  if (map.schema == nullptr) return nullptr;
  if (const Property* property = map.schema->find(key)) return property->schema;
  return map.schema->type == SchemaType::kMap ? map.schema->items : nullptr;
}

}  // namespace

Value Value::error(std::string message) { return text(std::move(message), Kind::kError); }
Value Value::of(bool b) {
  Value value;
  value.kind = Kind::kBool;
  value.data = b;
  return value;
}
Value Value::of(std::int64_t i) {
  Value value;
  value.kind = Kind::kInt;
  value.data = i;
  return value;
}
Value Value::of(std::uint64_t u) {
  Value value;
  value.kind = Kind::kUint;
  value.data = u;
  return value;
}
Value Value::of(double d) {
  Value value;
  value.kind = Kind::kDouble;
  value.data = d;
  return value;
}
Value Value::text(std::string s, Kind kind) {
  Value value;
  value.kind = kind;
  auto owner = std::make_shared<const std::string>(std::move(s));
  const std::string_view view = *owner;
  value.data = Text{std::move(owner), view};
  return value;
}
Value Value::piece(const Value& whole, std::string_view part) {
  Value value = whole;
  std::get<Text>(value.data).view = part;
  return value;
}
Value Value::list(Values items) {
  Value value;
  value.kind = Kind::kList;
  value.data = std::make_shared<const Values>(std::move(items));
  return value;
}
Value Value::map(MapRep rep) {
  Value value;
  value.kind = Kind::kMap;
  value.data = std::make_shared<const MapRep>(std::move(rep));
  return value;
}
Value Value::timestamp(Moment m) {
  Value value;
  value.kind = Kind::kTimestamp;
  value.data = m;
  return value;
}
Value Value::duration(std::int64_t nanos) {
  Value value = of(nanos);
  value.kind = Kind::kDuration;
  return value;
}
Value Value::optional(std::optional<Value> inner) {
  Value value;
  value.kind = Kind::kOptional;
  value.data = inner ? std::make_shared<const Value>(*std::move(inner)) : nullptr;
  return value;
}
Value Value::quantity(Quantity q) {
  Value value;
  value.kind = Kind::kQuantity;
  value.data = q;
  return value;
}
Value Value::opaque(Kind kind, Opaque o) {
  Value value;
  value.kind = kind;
  value.data = std::make_shared<const Opaque>(std::move(o));
  return value;
}

Value Value::from_json(const json::value& tree, const Schema* schema) {
  Value value;
  switch (tree.kind()) {
    case json::kind::null:
      return value;
    case json::kind::bool_:
      return of(tree.get_bool());
    case json::kind::int64:
      if (schema != nullptr && schema->type == SchemaType::kNumber) {
        return of(static_cast<double>(tree.get_int64()));
      }
      return of(tree.get_int64());
    case json::kind::uint64:  // beyond int64: what Go's decoder makes of it
      return of(static_cast<double>(tree.get_uint64()));
    case json::kind::double_:
      return of(tree.get_double());
    case json::kind::string:
      return from_string(tree.get_string(), schema);
    case json::kind::array:
      value.kind = Kind::kList;
      value.data = JsonList{&tree.get_array(), schema};
      return value;
    case json::kind::object:
      value.kind = Kind::kMap;
      value.data = JsonMap{&tree.get_object(), schema};
      return value;
  }
  return value;
}

std::size_t Value::size() const {
  if (const auto* list = std::get_if<JsonList>(&data)) return list->array->size();
  if (const auto* map = std::get_if<JsonMap>(&data)) return map->object->size();
  if (const auto* list = std::get_if<std::shared_ptr<const Values>>(&data)) return (*list)->size();
  return std::get<std::shared_ptr<const MapRep>>(data)->entries.size();
}

Value Value::at(std::size_t index) const {
  if (const auto* list = std::get_if<JsonList>(&data)) {
    return from_json((*list->array)[index], list->schema ? list->schema->items : nullptr);
  }
  return (*std::get<std::shared_ptr<const Values>>(data))[index];
}

std::vector<std::pair<Value, Value>> Value::entries() const {
  if (const auto* map = std::get_if<std::shared_ptr<const MapRep>>(&data)) return (*map)->entries;
  std::vector<std::pair<Value, Value>> out;
  const auto& map = std::get<JsonMap>(data);
  out.reserve(map.object->size());
  for (const auto& [key, value] : *map.object) {
    out.emplace_back(aliased(key), from_json(value, schema_of(map, key)));
  }
  return out;
}

std::optional<Value> Value::member(const Value& key) const {
  if (const auto* rep = std::get_if<std::shared_ptr<const MapRep>>(&data)) {
    const auto found = (*rep)->index.find(key_text(key));
    if (found == (*rep)->index.end()) return std::nullopt;
    return (*rep)->entries[found->second].second;
  }
  if (!key.is(Kind::kString)) return std::nullopt;
  const auto& map = std::get<JsonMap>(data);
  const json::value* found = find_member(*map.object, key.as_text());
  if (found == nullptr) return std::nullopt;
  return from_json(*found, schema_of(map, key.as_text()));
}

std::optional<Value> Value::otherwise() const {
  const auto* rep = std::get_if<std::shared_ptr<const MapRep>>(&data);
  if (rep == nullptr || (*rep)->otherwise == nullptr) return std::nullopt;
  return *(*rep)->otherwise;
}

bool MapRep::add(Value key, Value value) {
  const std::string text = key_text(key);
  if (text.empty() || !index.emplace(text, entries.size()).second) return false;
  entries.emplace_back(std::move(key), std::move(value));
  return true;
}

std::string key_text(const Value& key) {
  switch (key.kind) {
    case Kind::kBool:
      return key.as_bool() ? "b1" : "b0";
    case Kind::kString:
      return "s" + std::string(key.as_text());
    case Kind::kInt:
      return "i" + std::to_string(key.as_int());
    case Kind::kUint:
      return "i" + std::to_string(key.as_uint());
    case Kind::kDouble: {
      const double d = key.as_double();
      if (!(d >= -kTwo63 && d < kTwo63) || d != std::floor(d)) return "";
      return "i" + std::to_string(static_cast<std::int64_t>(d));
    }
    default:
      return "";
  }
}

bool equal(const Value& a, const Value& b) {
  if (is_number(a.kind) && is_number(b.kind)) return compare_numbers(a, b) == 0;
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Kind::kNull:
      return true;
    case Kind::kBool:
      return a.as_bool() == b.as_bool();
    case Kind::kString:
    case Kind::kBytes:
    case Kind::kType:
    case Kind::kFormat:
    case Kind::kError:
      return a.as_text() == b.as_text();
    case Kind::kList:
      return equal_lists(a, b);
    case Kind::kMap:
      return equal_maps(a, b);
    case Kind::kTimestamp:
      return a.as_moment() == b.as_moment();
    case Kind::kDuration:
      return a.as_int() == b.as_int();
    case Kind::kQuantity:
      return a.as_quantity() == b.as_quantity();
    case Kind::kOptional: {
      const Value *x = a.inner(), *y = b.inner();
      return x == nullptr || y == nullptr ? x == y : equal(*x, *y);
    }
    default:
      return equal_opaque(a.as_opaque(), b.as_opaque());
  }
}

std::optional<int> compare(const Value& a, const Value& b) {
  if (is_number(a.kind) && is_number(b.kind)) return compare_numbers(a, b);
  if (a.kind != b.kind) return std::nullopt;
  switch (a.kind) {
    case Kind::kBool:
      return three_way(a.as_bool(), b.as_bool());
    case Kind::kString:
    case Kind::kBytes:
      return three_way(a.as_text(), b.as_text());
    case Kind::kTimestamp:
      return three_way(a.as_moment(), b.as_moment());
    case Kind::kDuration:
      return three_way(a.as_int(), b.as_int());
    case Kind::kQuantity:
      return three_way(a.as_quantity(), b.as_quantity());
    default:
      return std::nullopt;
  }
}

std::string_view type_name(const Value& value) {
  static constexpr std::string_view kNames[] = {"error",
                                                "null_type",
                                                "bool",
                                                "int",
                                                "uint",
                                                "double",
                                                "string",
                                                "bytes",
                                                "list",
                                                "map",
                                                "google.protobuf.Timestamp",
                                                "google.protobuf.Duration",
                                                "type",
                                                "optional_type",
                                                "kubernetes.Quantity",
                                                "kubernetes.URL",
                                                "net.IP",
                                                "net.CIDR",
                                                "kubernetes.NamedFormat",
                                                "kubernetes.Semver",
                                                "kubernetes.authorization.Authorizer",
                                                "kubernetes.authorization.PathCheck",
                                                "kubernetes.authorization.GroupCheck",
                                                "kubernetes.authorization.ResourceCheck",
                                                "kubernetes.authorization.Decision"};
  return kNames[static_cast<int>(value.kind)];
}

json::value to_json_tree(const Value& value) {
  switch (value.kind) {
    case Kind::kBool:
      return value.as_bool();
    case Kind::kInt:
      return value.as_int();
    case Kind::kUint:
      return value.as_uint();
    case Kind::kDouble:
      return value.as_double();
    case Kind::kBytes:
      return json::value(base64_encode(value.as_text()));
    case Kind::kString:
    case Kind::kType:
    case Kind::kFormat:
    case Kind::kError:
      return json::value(value.as_text());
    case Kind::kList: {
      json::array out;
      for (std::size_t i = 0; i < value.size(); ++i) out.push_back(to_json_tree(value.at(i)));
      return out;
    }
    case Kind::kMap: {
      json::object out;
      for (const auto& [key, member] : value.entries()) {
        out[key_text(key).substr(1)] = to_json_tree(member);
      }
      return out;
    }
    case Kind::kTimestamp:
      return json::value(format_moment(value.as_moment()));
    case Kind::kDuration:
      return json::value(format_span(value.as_int()));
    case Kind::kOptional:
      return value.inner() == nullptr ? json::value() : to_json_tree(*value.inner());
    case Kind::kQuantity:
      return json::value(value.as_quantity().text());
    case Kind::kUrl:
    case Kind::kIp:
    case Kind::kCidr:
    case Kind::kSemver:
      return json::value(value.as_opaque().text);
    case Kind::kNull:
    case Kind::kAuthorizer:
    case Kind::kPathCheck:
    case Kind::kGroupCheck:
    case Kind::kResourceCheck:
    case Kind::kDecision:
      return nullptr;
  }
  return nullptr;
}

std::optional<std::string> unescape_field(std::string_view name) {
  static constexpr std::string_view kReserved[] = {
      "true",     "false",   "null",      "in",       "as",  "break",  "const",
      "continue", "else",    "for",       "function", "if",  "import", "let",
      "loop",     "package", "namespace", "return",   "var", "void",   "while"};
  if (name.find("__") == std::string_view::npos) return std::nullopt;
  if (name.size() > 4 && name.starts_with("__") && name.ends_with("__")) {
    const std::string_view inner = name.substr(2, name.size() - 4);
    for (std::string_view word : kReserved) {
      if (inner == word) return std::string(inner);
    }
  }
  static constexpr std::pair<std::string_view, std::string_view> kMarks[] = {
      {"__underscores__", "__"}, {"__dot__", "."}, {"__dash__", "-"}, {"__slash__", "/"}};
  std::string out;
  for (std::size_t pos = 0; pos < name.size();) {
    if (name.substr(pos, 2) != "__") {
      out += name[pos++];
      continue;
    }
    bool known = false;
    for (const auto& [mark, plain] : kMarks) {
      if (!name.substr(pos).starts_with(mark)) continue;
      out += plain;
      pos += mark.size();
      known = true;
      break;
    }
    if (!known) return std::nullopt;
  }
  return out;
}

std::size_t text_length(std::string_view utf8) {
  std::size_t count = 0;
  for (char c : utf8) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

}  // namespace coracle::api::cel
