#include "api/field_set.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace coracle::api {

namespace {

constexpr int kDepthMax = 200;
constexpr std::string_view kSelf = ".";

bool is_digit(char c) { return (c >= '0' && c <= '9') || c == '-'; }

bool is_field(const json::object& node) { return node.empty() || node.contains(kSelf); }

bool value_less(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) return a.to_number<double>() < b.to_number<double>();
  if (a.is_object() && b.is_object()) {
    const json::object& left = a.get_object();
    const json::object& right = b.get_object();
    for (auto i = left.begin(), j = right.begin(); i != left.end() && j != right.end(); ++i, ++j) {
      if (i->key() != j->key()) return i->key() < j->key();
      if (value_less(i->value(), j->value())) return true;
      if (value_less(j->value(), i->value())) return false;
    }
    return left.size() < right.size();
  }
  return to_json(a) < to_json(b);
}

// The child of this name, made in its place when it is missing.
json::object& child_of(json::object& node, std::string_view name) {
  if (json::value* there = find_member(node, name)) return there->as_object();
  if (node.empty() || element_less((node.end() - 1)->key(), name)) {
    return node[name].emplace_object();
  }
  json::object sorted;
  sorted.reserve(node.size() + 1);
  bool placed = false;
  for (auto& member : node) {
    if (!placed && element_less(name, member.key())) {
      sorted[name].emplace_object();
      placed = true;
    }
    sorted[member.key()] = std::move(member.value());
  }
  node = std::move(sorted);
  return node[name].as_object();
}

void add_node(json::object& into, const json::object& more, bool root) {
  if (!root) {
    const bool field = is_field(into) || is_field(more);
    if (field && !(into.empty() && more.empty())) child_of(into, kSelf);
  }
  for (const auto& member : more) {
    if (member.key() == kSelf) continue;
    json::value* there = find_member(into, member.key());
    if (there == nullptr) {
      child_of(into, member.key()) = member.value().as_object();
    } else {
      add_node(there->as_object(), member.value().as_object(), false);
    }
  }
}

// Whether anything is left of the node.
bool subtract_node(json::object& from, const json::object& what, bool root) {
  const bool field = !root && is_field(from) && !is_field(what);
  for (const auto& member : what) {
    if (member.key() == kSelf) continue;
    json::value* there = find_member(from, member.key());
    if (there == nullptr) continue;
    if (!subtract_node(there->as_object(), member.value().as_object(), false)) {
      erase_key(from, member.key());
    }
  }
  if (field) {
    if (from.size() == 1 && from.contains(kSelf)) from.clear();
    return true;
  }
  if (!root) erase_key(from, kSelf);
  return !from.empty();
}

// Whether anything is common.
bool common_node(const json::object& a, const json::object& b, bool root, json::object& out) {
  const bool field = !root && is_field(a) && is_field(b);
  if (field) out[kSelf].emplace_object();
  for (const auto& member : a) {
    if (member.key() == kSelf) continue;
    const json::value* other = find_member(b, member.key());
    if (other == nullptr) continue;
    json::object child;
    if (common_node(member.value().as_object(), other->as_object(), false, child)) {
      out[member.key()] = std::move(child);
    }
  }
  if (field && out.size() == 1) out.clear();
  return field || !out.empty();
}

void each_node(const json::object& node, FieldNames& path,
               const std::function<void(const FieldNames&)>& visit) {
  for (const auto& member : node) {
    if (member.key() == kSelf || !is_field(member.value().as_object())) continue;
    path.emplace_back(member.key());
    visit(path);
    path.pop_back();
  }
  for (const auto& member : node) {
    if (member.key() == kSelf) continue;
    path.emplace_back(member.key());
    each_node(member.value().as_object(), path, visit);
    path.pop_back();
  }
}

bool well_formed(const json::value& value, int depth) {
  const json::object* node = value.if_object();
  if (node == nullptr || depth > kDepthMax) return false;
  for (const auto& member : *node) {
    const std::string_view name = member.key();
    if (name == kSelf) {
      if (!member.value().is_object() || !member.value().get_object().empty()) return false;
      continue;
    }
    if (!name.starts_with("f:") && !name.starts_with("k:") && !name.starts_with("v:") &&
        !name.starts_with("i:")) {
      return false;
    }
    if (!name.starts_with("f:") && !parse_json(name.substr(2)).ok()) return false;
    if (!well_formed(member.value(), depth + 1)) return false;
  }
  return true;
}

}  // namespace

bool element_less(std::string_view a, std::string_view b) {
  const size_t size = std::min(a.size(), b.size());
  size_t at = 0;
  while (at < size && a[at] == b[at]) ++at;
  const bool numbers = at > 1 && a[0] != 'f' &&
                       ((at < a.size() && is_digit(a[at])) || (at < b.size() && is_digit(b[at])));
  if (!numbers || a[0] != b[0]) return a < b;
  const auto left = parse_json(a.substr(2)), right = parse_json(b.substr(2));
  if (!left.ok() || !right.ok()) return a < b;
  return value_less(*left, *right);
}

bool is_field_set(const json::value& value) { return well_formed(value, 0); }

bool has_field(const FieldSet& set, std::span<const std::string_view> path) {
  const json::object* node = &set;
  for (const std::string_view name : path) {
    const json::value* next = find_member(*node, name);
    if (next == nullptr) return false;
    node = &next->as_object();
  }
  return is_field(*node);
}

void add_fields(FieldSet& into, const FieldSet& more) { add_node(into, more, true); }

void subtract_fields(FieldSet& from, const FieldSet& what) { subtract_node(from, what, true); }

FieldSet common_fields(const FieldSet& a, const FieldSet& b) {
  FieldSet out;
  common_node(a, b, true, out);
  return out;
}

void each_field(const FieldSet& set, const std::function<void(const FieldNames&)>& visit) {
  FieldNames path;
  each_node(set, path, visit);
}

std::string field_path_text(const FieldNames& path) {
  std::string out;
  for (const std::string_view name : path) {
    if (name.starts_with("f:")) {
      out.append(".").append(name.substr(2));
      continue;
    }
    if (!name.starts_with("k:")) {
      out.append(name.starts_with("v:") ? "[=" : "[").append(name.substr(2)).append("]");
      continue;
    }
    out += "[";
    const auto key = parse_json(name.substr(2));
    bool first = true;
    if (key.ok() && key->is_object()) {
      for (const auto& member : key->get_object()) {
        if (!std::exchange(first, false)) out += ",";
        out.append(member.key()).append("=").append(to_json(member.value()));
      }
    }
    out += "]";
  }
  return out;
}

void strip_unowned(FieldSet& set) {
  erase_key(set, "f:apiVersion");
  erase_key(set, "f:kind");
  json::value* metadata = find_member(set, "f:metadata");
  if (metadata == nullptr) return;
  json::object& node = metadata->as_object();
  for (const std::string_view name :
       {".", "f:name", "f:namespace", "f:creationTimestamp", "f:selfLink", "f:uid", "f:clusterName",
        "f:generation", "f:managedFields", "f:resourceVersion"}) {
    erase_key(node, name);
  }
  if (node.empty()) erase_key(set, "f:metadata");
}

}  // namespace coracle::api
