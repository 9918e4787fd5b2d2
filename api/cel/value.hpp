// Value: what an expression of CEL works with. Cheap to copy: texts, lists and maps are shared or
// point into the JSON tree they came from, which must outlive them. A failure is a value too
// (Kind::kError), because && || and ?: may yet absorb it.
//
// Pure, no exceptions. Numbers compare across int, uint and double; other kinds are never equal.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "api/quantity.hpp"
#include "api/schema.hpp"
#include "base/json.hpp"

namespace coracle::api::cel {

enum class Kind : std::uint8_t {
  kError,
  kNull,
  kBool,
  kInt,
  kUint,
  kDouble,
  kString,
  kBytes,
  kList,
  kMap,
  kTimestamp,
  kDuration,
  kType,
  kOptional,
  kQuantity,
  kUrl,
  kIp,
  kCidr,
  kFormat,
  kSemver,
  // authorizer.hpp
  kAuthorizer,
  kPathCheck,
  kGroupCheck,
  kResourceCheck,
  kDecision,
};

class Value;
using Values = std::vector<Value>;

struct Text {
  std::shared_ptr<const std::string> owner;  // none: the bytes belong to an input
  std::string_view view;
};
struct Moment {  // a timestamp; nanos in [0, 1e9)
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;
  friend auto operator<=>(const Moment&, const Moment&) = default;
};
struct JsonList {
  const json::array* array;
  const Schema* schema;  // of the whole list, may be nullptr
};
struct JsonMap {
  const json::object* object;
  const Schema* schema;
};
struct MapRep;
struct Opaque;  // opaque.hpp: url, ip, cidr, semver, the authorizer and its questions

class Value {
 public:
  Kind kind = Kind::kNull;
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, Text, Moment, JsonList,
               JsonMap, std::shared_ptr<const Values>, std::shared_ptr<const MapRep>,
               std::shared_ptr<const Value>, std::shared_ptr<const Opaque>, Quantity>
      data;

  static Value null() { return {}; }
  static Value error(std::string message);
  static Value of(bool b);
  static Value of(std::int64_t i);
  static Value of(std::uint64_t u);
  static Value of(double d);
  static Value text(std::string s, Kind kind = Kind::kString);
  // A piece of another text.
  static Value piece(const Value& whole, std::string_view part);
  static Value list(Values items);
  static Value map(MapRep rep);
  static Value timestamp(Moment m);
  static Value duration(std::int64_t nanos);
  static Value optional(std::optional<Value> inner);
  static Value quantity(Quantity q);
  static Value opaque(Kind kind, Opaque o);
  // `schema` gives formats their types (date-time, byte, number) and objects their fields.
  static Value from_json(const json::value& tree, const Schema* schema = nullptr);

  bool is_error() const { return kind == Kind::kError; }
  bool is(Kind k) const { return kind == k; }
  bool is_true() const { return kind == Kind::kBool && std::get<bool>(data); }
  bool as_bool() const { return std::get<bool>(data); }
  std::int64_t as_int() const { return std::get<std::int64_t>(data); }  // durations too
  std::uint64_t as_uint() const { return std::get<std::uint64_t>(data); }
  double as_double() const { return std::get<double>(data); }
  std::string_view as_text() const { return std::get<Text>(data).view; }  // errors, types too
  Moment as_moment() const { return std::get<Moment>(data); }
  const Quantity& as_quantity() const { return std::get<Quantity>(data); }
  const Opaque& as_opaque() const { return *std::get<std::shared_ptr<const Opaque>>(data); }
  // Of an optional; nullptr when it is empty.
  const Value* inner() const { return std::get<std::shared_ptr<const Value>>(data).get(); }

  // Lists and maps.
  std::size_t size() const;
  Value at(std::size_t index) const;
  std::vector<std::pair<Value, Value>> entries() const;
  // nullopt: no such key. Fields of objects may be named in their escaped form.
  std::optional<Value> member(const Value& key) const;
  // Of a map: what a key gives that is not there, if that is no error. `in` does not see it.
  std::optional<Value> otherwise() const;
};

struct MapRep {
  std::vector<std::pair<Value, Value>> entries;
  std::map<std::string, std::size_t> index;  // by key_text
  std::shared_ptr<const Value> otherwise;    // Value::otherwise; may be null

  // False when the key is there already or cannot be one.
  bool add(Value key, Value value);
};

// The one text of equal keys (1, 1u and 1.0 are equal); empty when the value cannot be a key.
std::string key_text(const Value& key);
bool equal(const Value& a, const Value& b);
// nullopt: these do not compare.
std::optional<int> compare(const Value& a, const Value& b);
// "int", "list", "google.protobuf.Timestamp": what type(x) prints.
std::string_view type_name(const Value& value);
// Of a JSON result; formats that JSON has not become texts.
json::value to_json_tree(const Value& value);
// "__property__" and "a__dot__b" to the names they stand for; nullopt when it is no escape.
std::optional<std::string> unescape_field(std::string_view name);
// Code points.
std::size_t text_length(std::string_view utf8);

}  // namespace coracle::api::cel
