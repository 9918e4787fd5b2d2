#include "api/devices/selector.hpp"

#include <map>
#include <memory>
#include <string>

namespace coracle::api::devices {
namespace {

using cel::MapRep;
using cel::Type;
using cel::Value;

Value semver_of(std::string_view text) {
  const Value argument = Value::text(std::string(text));
  for (const cel::Overload& overload : cel::find_overloads("semver")) {
    if (overload.parameters() != "s") continue;
    cel::Budget free{cel::kCallCost};
    return overload.call({&argument, 1}, free);
  }
  return Value::error("no semantic versions");
}

Value scalar(std::string_view kind, const json::value& value) {
  if (value.is_bool()) return Value::of(value.get_bool());
  if (value.is_int64()) return Value::of(value.get_int64());
  if (!value.is_string()) return Value::null();
  if (kind.starts_with("version")) return semver_of(value.get_string());
  return Value::text(std::string(value.get_string()));
}

// {int: 3} -> 3, {versions: ["1.0.0"]} -> a list.
Value attribute(const json::value& tree) {
  if (!tree.is_object()) return Value::null();
  for (const auto& [kind, value] : tree.get_object()) {
    if (!value.is_array()) return scalar(kind, value);
    cel::Values items;
    for (const json::value& one : value.get_array()) items.push_back(scalar(kind, one));
    return Value::list(std::move(items));
  }
  return Value::null();
}

Value capacity(const json::value& tree) {
  auto quantity = Quantity::parse(get_string(tree, "value"));
  return quantity.ok() ? Value::quantity(*std::move(quantity))
                       : Value::error(quantity.status().message());
}

Value by_domain(std::string_view driver, const json::object& members,
                Value (*make)(const json::value&)) {
  std::map<std::string, MapRep, std::less<>> domains;
  for (const auto& [name, value] : members) {
    const std::string_view text = name;
    const std::size_t slash = text.find('/');
    const bool whole = slash != std::string_view::npos;
    domains[std::string(whole ? text.substr(0, slash) : driver)].add(
        Value::text(std::string(whole ? text.substr(slash + 1) : text)), make(value));
  }
  MapRep out;
  for (auto& [domain, rep] : domains) out.add(Value::text(domain), Value::map(std::move(rep)));
  out.otherwise = std::make_shared<const Value>(Value::map(MapRep{}));
  return Value::map(std::move(out));
}

cel::Environment environment() {
  Type inner = Type::of_letter('m'), outer = Type::of_letter('m');
  inner.of = {Type::of_letter('s'), Type::dyn()};
  outer.of = {Type::of_letter('s'), inner};
  Type amounts = Type::of_letter('m'), sizes = Type::of_letter('m');
  amounts.of = {Type::of_letter('s'), Type::of_letter('q')};
  sizes.of = {Type::of_letter('s'), amounts};
  cel::Environment out;
  out.declare("device", Type::closed_object({{"driver", Type::of_letter('s')},
                                             {"attributes", std::move(outer)},
                                             {"capacity", std::move(sizes)},
                                             {"allowMultipleAllocations", Type::of_letter('b')}}));
  return out;
}

}  // namespace

bool is_version(std::string_view text) { return !semver_of(text).is_error(); }

Value device_value(std::string_view driver, const json::value& device) {
  MapRep out;
  out.add(Value::text("driver"), Value::text(std::string(driver)));
  out.add(Value::text("attributes"),
          by_domain(driver, get_object(device, "attributes"), attribute));
  out.add(Value::text("capacity"), by_domain(driver, get_object(device, "capacity"), capacity));
  out.add(Value::text("allowMultipleAllocations"),
          Value::of(get_bool(device, "allowMultipleAllocations")));
  return Value::map(std::move(out));
}

Result<DeviceSelector> DeviceSelector::compile(std::string_view expression) {
  static const cel::Environment kEnvironment = environment();
  auto program = cel::Program::compile(expression, kEnvironment);
  if (!program.ok()) {
    return Status(Code::kInvalidArgument, "compilation failed: " + program.status().message());
  }
  const Type& type = program->type();
  if (!type.is_dyn() && type.letter != 'b') {
    return Status(Code::kInvalidArgument,
                  "must evaluate to bool or the unknown type, not " + type.text());
  }
  return DeviceSelector(*std::move(program));
}

Result<bool> DeviceSelector::matches(const Value& device) const {
  cel::Budget budget{cel::kCallCost};
  const Value result = program_.evaluate({{"device", device}}, budget);
  if (result.is_error()) return Status(Code::kInvalidArgument, std::string(result.as_text()));
  if (!result.is(cel::Kind::kBool)) {
    return Status(Code::kInvalidArgument,
                  "the expression's result is no bool but " + std::string(type_name(result)));
  }
  return result.as_bool();
}

}  // namespace coracle::api::devices
