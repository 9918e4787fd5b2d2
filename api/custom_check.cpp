#include "api/custom_check.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "api/object.hpp"
#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace coracle::api {

namespace {

using Node = CustomSchema::Node;

std::string_view type_name(const json::value& v) {
  if (v.is_null()) return "null";
  if (v.is_string()) return "string";
  if (v.is_bool()) return "boolean";
  if (v.is_object()) return "object";
  if (v.is_array()) return "array";
  if (v.is_double() && v.get_double() != std::floor(v.get_double())) return "number";
  return "integer";
}

bool fits(const Node& node, std::string_view type) {
  if (node.int_or_string) return type == "integer" || type == "string";
  if (node.type.empty() || node.type == type) return true;
  return node.type == "number" && type == "integer";
}

// 1, 2.5, as Go prints a float64.
std::string plain(double number) {
  if (number == std::floor(number) && std::abs(number) < 1e15) {
    return std::to_string(static_cast<std::int64_t>(number));
  }
  return to_json(json::value(number));
}

// Characters, not bytes.
std::int64_t length_of(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

bool all_of(std::string_view text, bool (*good)(char)) {
  return std::all_of(text.begin(), text.end(), good);
}

bool is_hex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }

bool is_uuid(std::string_view t) {
  if (t.size() != 36) return false;
  for (std::size_t i = 0; i < t.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? t[i] != '-' : !is_hex(t[i])) return false;
  }
  return true;
}

bool is_mac(std::string_view t) {
  if (t.size() != 17) return false;
  for (std::size_t i = 0; i < t.size(); ++i) {
    if (i % 3 == 2 ? (t[i] != ':' && t[i] != '-') : !is_hex(t[i])) return false;
  }
  return true;
}

bool is_email(std::string_view t) {
  const std::size_t at = t.rfind('@');
  return at != std::string_view::npos && at > 0 && at + 1 < t.size() &&
         t.find(' ') == std::string_view::npos;
}

bool is_uri(std::string_view t) {
  const std::size_t colon = t.find(':');
  if (t.starts_with('/')) return t.find(' ') == std::string_view::npos;
  return colon != std::string_view::npos && colon > 0 &&
         std::isalpha(static_cast<unsigned char>(t[0])) != 0 &&
         t.find(' ') == std::string_view::npos;
}

bool is_date(std::string_view t) {
  return t.size() == 10 && parse_time(std::string(t) + "T00:00:00Z").ok();
}

// "1h30m", "2 days": numbers with units.
bool is_duration(std::string_view t) {
  static const Regex kForm = *Regex::compile(
      "^[-+]?([0-9]+(\\.[0-9]+)? *(ns|us|µs|ms|s|m|h|d|w|nanoseconds?|microseconds?|milliseconds?|"
      "seconds?|minutes?|hours?|days?|weeks?) *)+$|^0$");
  return kForm.search(t);
}

bool is_cidr(std::string_view t) {
  const std::size_t slash = t.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view bits = t.substr(slash + 1);
  if (bits.empty() || bits.size() > 3 || !all_of(bits, [](char c) { return c >= '0' && c <= '9'; }))
    return false;
  const int n = std::stoi(std::string(bits));
  const std::string_view address = t.substr(0, slash);
  return (is_ipv4(address) && n <= 32) || (is_ipv6(address) && n <= 128);
}

class Checker {
 public:
  explicit Checker(FieldErrors& errors) : errors_(errors) {}

  // What is wrong with embedded objects and with lists comes after the rest.
  void root(const json::value& object, const Node& node) {
    walk(object, node, "", true);
    errors_.append(std::move(embedded_));
    errors_.append(std::move(lists_));
  }

 private:
  static FieldPath at(const std::string& path) { return FieldPath(path); }
  static std::string join_path(const std::string& path, std::string_view name) {
    return path.empty() ? std::string(name) : path + "." + std::string(name);
  }
  std::string in_body(const std::string& path) const { return path + " in body "; }

  void invalid(const std::string& path, BadValue bad, const std::string& why) {
    errors_.invalid(at(path), std::move(bad), in_body(path) + why);
  }

  void walk(const json::value& v, const Node& node, const std::string& path, bool root) {
    const std::string_view type = type_name(v);
    if (v.is_null() && node.nullable) return;
    if (!fits(node, type)) {
      const std::string wanted = node.int_or_string ? "integer,string" : node.type;
      errors_.type_invalid(at(path), type,
                           in_body(path) + "must be of type " + wanted + ": " + quoted(type));
      return;
    }
    logic(v, node, path);
    if (v.is_string()) text(v, node, path);
    if (v.is_number()) number(v, node, path);
    if (const json::array* items = v.if_array()) list(*items, node, path);
    if (!node.allowed.empty()) one_of_values(v, node, path);
    if (const json::object* members = v.if_object()) object(*members, node, path, root);
  }

  void text(const json::value& v, const Node& node, const std::string& path) {
    const std::string_view value = v.get_string();
    const std::int64_t length = length_of(value);
    if (node.max_length && length > *node.max_length) {
      errors_.too_long(at(path), static_cast<int>(*node.max_length));
    }
    if (node.min_length && length < *node.min_length) {
      invalid(path, v, "should be at least " + std::to_string(*node.min_length) + " chars long");
    }
    if (node.pattern && !node.pattern->search(value)) {
      invalid(path, v, "should match '" + node.pattern_text + "'");
    }
    if (!node.format.empty() && !has_format(value, node.format)) {
      errors_.type_invalid(at(path), v,
                           in_body(path) + "must be of type " + node.format + ": " + quoted(value));
    }
  }

  void number(const json::value& v, const Node& node, const std::string& path) {
    const double value = v.to_number<double>();
    if (node.multiple_of && *node.multiple_of > 0) {
      const double ratio = value / *node.multiple_of;
      if (ratio != std::floor(ratio)) {
        invalid(path, v, "should be a multiple of " + plain(*node.multiple_of));
      }
    }
    if (node.maximum &&
        (value > *node.maximum || (node.exclusive_maximum && value == *node.maximum))) {
      invalid(path, v,
              std::string("should be less than ") + (node.exclusive_maximum ? "" : "or equal to ") +
                  plain(*node.maximum));
    }
    if (node.minimum &&
        (value < *node.minimum || (node.exclusive_minimum && value == *node.minimum))) {
      invalid(path, v,
              std::string("should be greater than ") +
                  (node.exclusive_minimum ? "" : "or equal to ") + plain(*node.minimum));
    }
  }

  void list(const json::array& items, const Node& node, const std::string& path) {
    const auto size = static_cast<std::int64_t>(items.size());
    if (node.items) {
      for (std::size_t i = 0; i < items.size(); ++i) {
        walk(items[i], *node.items, path + "[" + std::to_string(i) + "]", false);
      }
    }
    if (node.min_items && size < *node.min_items) {
      invalid(path, size, "should have at least " + std::to_string(*node.min_items) + " items");
    }
    if (node.max_items && size > *node.max_items) {
      errors_.too_many(at(path), static_cast<int>(size), static_cast<int>(*node.max_items));
    }
    if (node.list_type == "set" || node.list_type == "map") unique(items, node, path);
  }

  void unique(const json::array& items, const Node& node, const std::string& path) {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < items.size(); ++i) {
      json::value key = items[i];
      if (node.list_type == "map") {
        json::object keys;
        for (const std::string& name : node.list_map_keys) {
          if (const json::value* part = find_keys(items[i], {name})) keys[name] = *part;
        }
        key = std::move(keys);
      }
      if (!seen.insert(to_json(sorted_keys(key))).second) {
        lists_.duplicate(at(path).index(i), std::move(key));
      }
    }
  }

  void one_of_values(const json::value& v, const Node& node, const std::string& path) {
    if (std::find(node.allowed.begin(), node.allowed.end(), v) != node.allowed.end()) return;
    std::vector<std::string> supported;
    for (const json::value& one : node.allowed) {
      supported.push_back(one.is_string() ? std::string(one.get_string()) : to_json(one));
    }
    errors_.not_supported(at(path), v, supported);
  }

  void object(const json::object& members, const Node& node, const std::string& path, bool root) {
    const auto size = static_cast<std::int64_t>(members.size());
    if (node.min_members && size < *node.min_members) {
      invalid(path, size,
              "should have at least " + std::to_string(*node.min_members) + " properties");
    }
    if (node.max_members && size > *node.max_members) {
      errors_.too_many(at(path), static_cast<int>(size), static_cast<int>(*node.max_members));
    }
    for (const std::string& name : node.required) {
      if (!members.contains(name)) errors_.required(at(join_path(path, name)));
    }
    if (node.embedded && !root) embedded_object(members, path);
    for (const auto& [name, property] : node.properties) {
      if (root && (name == "metadata" || name == "apiVersion" || name == "kind")) continue;
      const json::value* value = find_member(members, name);
      if (value != nullptr) walk(*value, *property, join_path(path, name), false);
    }
    if (!node.additional) return;
    for (const auto& [name, value] : members) {
      if (node.properties.contains(std::string_view(name))) continue;
      walk(value, *node.additional, join_path(path, name), false);
    }
  }

  void embedded_object(const json::object& members, const std::string& path) {
    for (const std::string_view name : {"apiVersion", "kind"}) {
      const FieldPath here = at(join_path(path, name));
      const json::value* value = find_member(members, name);
      if (value == nullptr) {
        embedded_.required(here);
      } else if (!value->is_string()) {
        embedded_.invalid(here, *value, "must be a string");
      } else if (value->get_string().empty()) {
        embedded_.invalid(here, "", "must not be empty");
      } else if (name == "kind") {
        const Messages bad = check_dns1035_label(to_lower(value->get_string()));
        if (bad.empty()) continue;
        embedded_.invalid(here, *value,
                          "may have mixed case, but should otherwise match: " + join(bad, ","));
      }
    }
  }

  // The errors of one branch of allOf, anyOf, oneOf or not.
  static FieldErrors branch(const json::value& v, const Node& node, const std::string& path) {
    FieldErrors errors;
    Checker(errors).walk(v, node, path, false);
    return errors;
  }

  void logic_error(const std::string& path, const std::string& why) {
    errors_.invalid(FieldPath(), "", quoted(path) + " " + why);
  }

  void logic(const json::value& v, const Node& node, const std::string& path) {
    if (!node.any_of.empty()) {
      std::optional<FieldErrors> best;
      for (const auto& one : node.any_of) {
        FieldErrors found = branch(v, *one, path);
        if (!best || found.size() < best->size()) best = std::move(found);
      }
      if (!best->empty()) {
        logic_error(path, "must validate at least one schema (anyOf)");
        errors_.append(*std::move(best));
      }
    }
    if (!node.one_of.empty()) {
      int good = 0;
      std::optional<FieldErrors> best;
      for (const auto& one : node.one_of) {
        FieldErrors found = branch(v, *one, path);
        good += found.empty() ? 1 : 0;
        if (!best || found.size() < best->size()) best = std::move(found);
      }
      if (good != 1) {
        logic_error(path, "must validate one and only one schema (oneOf). Found " +
                              (good == 0 ? std::string("none valid")
                                         : std::to_string(good) + " valid alternatives"));
        if (good == 0) errors_.append(*std::move(best));
      }
    }
    std::size_t bad = 0;
    for (const auto& one : node.all_of) {
      FieldErrors found = branch(v, *one, path);
      bad += found.empty() ? 0 : 1;
      errors_.append(std::move(found));
    }
    if (bad > 0) {
      logic_error(path, bad == node.all_of.size()
                            ? "must validate all the schemas (allOf). None validated"
                            : "must validate all the schemas (allOf)");
    }
    if (node.never && branch(v, *node.never, path).empty()) {
      logic_error(path, "must not validate the schema (not)");
    }
  }

  FieldErrors& errors_;
  FieldErrors embedded_, lists_;
};

}  // namespace

bool has_format(std::string_view text, std::string_view format) {
  if (format == "date-time") return parse_time(text).ok();
  if (format == "date") return is_date(text);
  if (format == "duration") return is_duration(text);
  if (format == "email") return is_email(text);
  if (format == "hostname") return check_dns1123_subdomain(to_lower(text)).empty();
  if (format == "ipv4") return is_ipv4(text);
  if (format == "ipv6") return is_ipv6(text);
  if (format == "cidr") return is_cidr(text);
  if (format == "mac") return is_mac(text);
  if (format == "uri") return is_uri(text);
  if (format == "byte") return base64_decode(text).ok();
  if (format.starts_with("uuid")) return is_uuid(text);
  return true;
}

void check_custom(const json::value& object, const Node& root, FieldErrors& errors) {
  Checker(errors).root(object, root);
}

void custom_warnings(const json::value& object, const json::value* old,
                     std::vector<std::string>& out) {
  std::set<std::string, std::less<>> added;
  for (const json::value& name : get_array(object, "metadata.finalizers")) {
    if (name.is_string()) added.emplace(std::string_view(name.get_string()));
  }
  if (old != nullptr) {
    for (const json::value& name : get_array(*old, "metadata.finalizers")) {
      if (name.is_string()) added.erase(std::string(std::string_view(name.get_string())));
    }
  }
  for (const std::string& name : added) {
    const std::string start = "metadata.finalizers: " + quoted(name) + ": ";
    for (const std::string& message : check_qualified_name(name)) out.push_back(start + message);
    const bool standard = name == "orphan" || name == "foregroundDeletion" || name == "kubernetes";
    if (standard || name.find('/') != std::string::npos) continue;
    const bool dotted = name.find('.') != std::string::npos;
    out.push_back(start + "prefer a domain-qualified finalizer name " +
                  (dotted ? "including a path (/) " : "") +
                  "to avoid accidental conflicts with other finalizer writers");
  }
}

}  // namespace coracle::api
