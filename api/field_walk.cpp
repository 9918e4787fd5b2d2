// The walks of field_set.hpp over objects beside their schema.
#include <algorithm>
#include <boost/container/small_vector.hpp>

#include "api/field_set.hpp"

namespace coracle::api {

namespace {

template <class T>
using Few = boost::container::small_vector<T, 24>;

const json::value kNull;

const json::value& empty_object() {
  static const json::value kEmpty = json::object();
  return kEmpty;
}

bool is_scalar_zero(const json::value& value) {
  if (value.is_string()) return value.get_string().empty();
  if (value.is_bool()) return !value.get_bool();
  return value.is_int64() && value.get_int64() == 0;
}

// What Go writes for a field nobody set; nullptr when it writes nothing.
const json::value* zero_of(const Property& property) {
  if (property.default_value) {
    const json::value& value = *property.default_value;
    if (value.is_object() && value.get_object().empty()) return &empty_object();
    return is_scalar_zero(value) ? &value : nullptr;
  }
  return property.required ? &kNull : nullptr;
}

// Adds a child node: itself a field or not, with what is below. The first makes room for `most`.
void put(json::object& node, std::string_view name, bool field, json::object&& below,
         std::size_t most = 0) {
  if (!field && below.empty()) return;
  if (node.empty()) node.reserve(most);
  if (field && !below.empty()) {
    json::object whole;
    whole.reserve(below.size() + 1);
    whole.emplace(".", json::object());
    for (auto& member : below) whole.emplace(member.key(), std::move(member.value()));
    below = std::move(whole);
  }
  node.emplace(name, std::move(below));
}

struct Keyed {
  std::string name;  // the element's
  const json::value* value = nullptr;
  bool repeated = false;
};

// A list's elements by name, in canonical order; repeated ones once.
std::vector<Keyed> elements_of(const Schema& list, const json::value* value) {
  std::vector<Keyed> out;
  const json::array* items = value == nullptr ? nullptr : value->if_array();
  if (items == nullptr) return out;
  out.reserve(items->size());
  for (const json::value& item : *items) {
    std::string name = field_element(list, item);
    if (!name.empty()) out.push_back({std::move(name), &item, false});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Keyed& a, const Keyed& b) { return element_less(a.name, b.name); });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (kept > 0 && out[kept - 1].name == out[i].name) {
      out[kept - 1].repeated = true;
    } else {
      if (kept != i) out[kept] = std::move(out[i]);
      ++kept;
    }
  }
  out.resize(kept);
  return out;
}

Few<const json::key_value_pair*> sorted_members(const json::object& object) {
  Few<const json::key_value_pair*> out;
  for (const auto& member : object) out.push_back(&member);
  std::sort(out.begin(), out.end(),
            [](const auto* a, const auto* b) { return a->key() < b->key(); });
  return out;
}

// "f:" and the key of a member.
class FieldName {
 public:
  explicit FieldName(std::string_view key) : text_{'f', ':'} {
    text_.insert(text_.end(), key.begin(), key.end());
  }
  operator std::string_view() const { return {text_.data(), text_.size()}; }  // NOLINT: a name

 private:
  boost::container::small_vector<char, 64> text_;
};

// True when the value itself is a field.
bool name_fields(const json::value& value, const Schema* schema, json::object& node) {
  switch (field_shape(schema, value)) {
    case FieldShape::kLeaf:
      return true;
    case FieldShape::kMap:
      if (!value.is_object()) return false;
      for (const auto* member : sorted_members(value.get_object())) {
        bool declared = false;
        const Schema* below = field_member(schema, member->key(), &declared);
        json::object child;
        bool field = name_fields(member->value(), below, child);
        const json::object* object = member->value().if_object();
        field = field || !declared || member->value().is_null() || (object && object->empty());
        put(node, FieldName(member->key()), field, std::move(child));
      }
      return false;
    case FieldShape::kKeyedList:
    case FieldShape::kSetList:
      for (const Keyed& element : elements_of(*schema, &value)) {
        json::object child;
        if (!element.repeated) name_fields(*element.value, schema->items, child);
        put(node, element.name, true, std::move(child));
      }
      return false;
  }
  return true;
}

bool is_nothing(const json::value* value) {
  if (value == nullptr || value->is_null()) return true;
  if (const json::object* object = value->if_object()) return object->empty();
  if (const json::array* array = value->if_array()) return array->empty();
  return false;
}

struct Self {
  bool set = false, gone = false;
};

class Comparer {
 public:
  // What became of the value itself; what is below goes to `out`.
  Self walk(const json::value* before, const json::value* after, const Schema* schema,
            FieldChanges& out) {
    const json::value& shown = after != nullptr ? *after : *before;
    const FieldShape shape = field_shape(schema, is_nothing(&shown) && before ? *before : shown);
    const bool leaf = shape == FieldShape::kLeaf || (is_nothing(before) && is_nothing(after));
    if (leaf) return compare_leaf(before, after);
    if (shape == FieldShape::kMap) {
      if (!map_like(before) || !map_like(after)) return compare_leaf(before, after);
      map(before, after, schema, out);
    } else {
      list(before, after, *schema, out);
    }
    return {before == nullptr, after == nullptr};
  }

 private:
  static bool map_like(const json::value* value) {
    return value == nullptr || value->is_null() || value->is_object();
  }

  static Self compare_leaf(const json::value* before, const json::value* after) {
    if (before == nullptr) return {true, false};
    if (after == nullptr) return {false, true};
    return {*before != *after, false};
  }

  static const json::object& members(const json::value* value) {
    static const json::object kEmpty;
    return value != nullptr && value->is_object() ? value->get_object() : kEmpty;
  }

  // One of at most `most` at its place.
  void child(std::string_view name, const json::value* before, const json::value* after,
             const Schema* schema, FieldChanges& out, std::size_t most) {
    FieldChanges below;
    const Self self = walk(before, after, schema, below);
    put(out.set, name, self.set, std::move(below.set), most);
    put(out.gone, name, self.gone, std::move(below.gone), most);
  }

  void map(const json::value* before, const json::value* after, const Schema* schema,
           FieldChanges& out) {
    const auto left = sorted_members(members(before)), right = sorted_members(members(after));
    auto i = left.begin(), j = right.begin();
    while (i != left.end() || j != right.end()) {
      const bool from_left = j == right.end() || (i != left.end() && (*i)->key() <= (*j)->key());
      const bool from_right = i == left.end() || (j != right.end() && (*j)->key() <= (*i)->key());
      const std::string_view key = from_left ? (*i)->key() : (*j)->key();
      const json::value* was = from_left ? &(*i++)->value() : nullptr;
      const json::value* is = from_right ? &(*j++)->value() : nullptr;
      if (was != nullptr && is != nullptr && was->is_primitive() && *was == *is) continue;
      const Property* property =
          schema != nullptr && schema->type == SchemaType::kObject ? schema->find(key) : nullptr;
      if (property != nullptr) {
        if (was == nullptr && before != nullptr) was = zero_of(*property);
        if (is == nullptr && after != nullptr) is = zero_of(*property);
      }
      bool declared = false;
      child(FieldName(key), was, is, field_member(schema, key, &declared), out,
            left.size() + right.size());
    }
  }

  void list(const json::value* before, const json::value* after, const Schema& schema,
            FieldChanges& out) {
    const auto left = elements_of(schema, before), right = elements_of(schema, after);
    auto i = left.begin(), j = right.begin();
    while (i != left.end() || j != right.end()) {
      const bool from_left =
          j == right.end() || (i != left.end() && !element_less(j->name, i->name));
      const bool from_right =
          i == left.end() || (j != right.end() && !element_less(i->name, j->name));
      const Keyed* was = from_left ? &*i++ : nullptr;
      const Keyed* is = from_right ? &*j++ : nullptr;
      const std::string& name = was != nullptr ? was->name : is->name;
      if ((was && was->repeated) || (is && is->repeated)) {
        put(out.set, name, is != nullptr && !(was && *was->value == *is->value), {});
        put(out.gone, name, is == nullptr, {});
        continue;
      }
      child(name, was ? was->value : nullptr, is ? is->value : nullptr, schema.items, out,
            left.size() + right.size());
    }
  }
};

void merge_lists(json::value& live, const json::array& config, const Schema& schema) {
  json::array& mine = live.get_array();
  std::vector<std::string> ours, theirs;
  for (const json::value& item : mine) ours.push_back(field_element(schema, item));
  for (const json::value& item : config) theirs.push_back(field_element(schema, item));
  const auto position = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name);
  };
  json::array out;
  out.reserve(mine.size() + config.size());
  const auto take = [&](std::size_t j) {
    const auto same = position(ours, theirs[j]);
    if (same == ours.end()) {
      out.push_back(config[j]);
      return;
    }
    json::value& element = out.emplace_back(mine[static_cast<std::size_t>(same - ours.begin())]);
    merge_configuration(element, config[j], schema.items);
  };
  // Ours keep their places among themselves; what both have comes in the order of the config, and
  // what is new stands before the one it precedes there.
  std::size_t next = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const auto shared = position(theirs, ours[i]);
    if (shared == theirs.end()) {
      out.push_back(mine[i]);
      continue;
    }
    std::size_t due = next;
    while (due < theirs.size() && position(ours, theirs[due]) == ours.end()) ++due;
    if (due != static_cast<std::size_t>(shared - theirs.begin())) continue;
    while (next <= due) take(next++);
  }
  while (next < theirs.size()) take(next++);
  mine = std::move(out);
}

FieldSet parents_of(const FieldSet& set, const Schema* schema) {
  FieldSet out;
  for (const auto& member : set) {
    const std::string_view name = member.key();
    if (name == ".") {
      out["."].emplace_object();
      continue;
    }
    const json::object& node = member.value().as_object();
    bool declared = false;
    const Schema* below = nullptr;
    if (name.starts_with("f:")) {
      below = field_member(schema, name.substr(2), &declared);
    } else if (schema != nullptr) {
      below = schema->items;
    }
    FieldSet child = parents_of(node, below);
    if (declared && !child.empty() && !child.contains(".")) {
      put(out, name, true, std::move(child));
    } else {
      out[name] = std::move(child);
    }
  }
  return out;
}

}  // namespace

FieldShape field_shape(const Schema* schema, const json::value& value) {
  if (schema == nullptr) return value.is_object() ? FieldShape::kMap : FieldShape::kLeaf;
  switch (schema->type) {
    case SchemaType::kAny:
      return schema->preserve_unknown && value.is_object() ? FieldShape::kMap : FieldShape::kLeaf;
    case SchemaType::kObject:
    case SchemaType::kMap:
      if (schema->atomic_map || schema->well_known == WellKnown::kRawExtension ||
          schema->well_known == WellKnown::kFieldsV1) {
        return FieldShape::kLeaf;
      }
      return FieldShape::kMap;
    case SchemaType::kArray:
      if (schema->list_type == ListType::kSet) return FieldShape::kSetList;
      return schema->list_type == ListType::kMap && !schema->list_map_keys.empty()
                 ? FieldShape::kKeyedList
                 : FieldShape::kLeaf;
    default:
      return FieldShape::kLeaf;
  }
}

const Schema* field_member(const Schema* schema, std::string_view name, bool* declared) {
  *declared = false;
  if (schema == nullptr) return nullptr;
  if (const Property* property = schema->find(name)) {
    *declared = true;
    return property->schema;
  }
  return schema->type == SchemaType::kMap ? schema->items : nullptr;
}

std::string field_element(const Schema& list, const json::value& element) {
  if (list.list_type == ListType::kSet) {
    return element.is_structured() || element.is_null() ? "" : "v:" + to_json(element);
  }
  const json::object* object = element.if_object();
  if (object == nullptr) return {};
  Few<std::string_view> names(list.list_map_keys.begin(), list.list_map_keys.end());
  std::sort(names.begin(), names.end());
  std::string out = "k:{";
  for (const std::string_view name : names) {
    const json::value* value = find_member(*object, name);
    if (value == nullptr && list.items != nullptr) {
      const Property* property = list.items->find(name);
      if (property != nullptr && property->default_value) value = &*property->default_value;
    }
    if (value == nullptr || value->is_structured()) return {};
    if (out.size() > 3) out += ',';
    out.append("\"").append(name).append("\":").append(to_json(*value));
  }
  return out + "}";
}

FieldSet fields_named(const json::value& object, const Schema& schema) {
  FieldSet out;
  name_fields(object, &schema, out);
  return out;
}

FieldSet with_parents(const FieldSet& set, const Schema* schema) { return parents_of(set, schema); }

FieldChanges compare_fields(const json::value& before, const json::value& after,
                            const Schema& schema) {
  FieldChanges out;
  Comparer().walk(&before, &after, &schema, out);
  return out;
}

void merge_configuration(json::value& live, const json::value& config, const Schema* schema) {
  const FieldShape shape = field_shape(schema, config.is_null() ? live : config);
  if (shape == FieldShape::kLeaf) {
    live = config;
    return;
  }
  if (is_nothing(&config)) {
    if (is_nothing(&live)) live = config;
    return;
  }
  if (shape == FieldShape::kMap && config.is_object()) {
    if (!live.is_object()) live.emplace_object();
    json::object& members = live.get_object();
    for (const auto& member : config.get_object()) {
      bool declared = false;
      json::value* there = find_member(members, member.key());
      if (there == nullptr) {
        members[member.key()] = member.value();
      } else {
        merge_configuration(*there, member.value(), field_member(schema, member.key(), &declared));
      }
    }
    return;
  }
  if (shape != FieldShape::kMap && config.is_array() && live.is_array()) {
    merge_lists(live, config.get_array(), *schema);
    return;
  }
  live = config;
}

void remove_fields(json::value& object, const FieldSet& what, const Schema* schema) {
  const FieldShape shape = field_shape(schema, object);
  if (shape == FieldShape::kMap && object.is_object()) {
    json::object& members = object.get_object();
    for (const auto& member : what) {
      const std::string_view name = member.key();
      if (!name.starts_with("f:")) continue;
      json::value* there = find_member(members, name.substr(2));
      if (there == nullptr) continue;
      const json::object& node = member.value().as_object();
      const bool whole = node.empty() || node.contains(".");
      bool declared = false;
      if (!whole) remove_fields(*there, node, field_member(schema, name.substr(2), &declared));
      if (whole || there->is_null()) erase_key(members, name.substr(2));
    }
    if (members.empty()) object = nullptr;
    return;
  }
  if ((shape == FieldShape::kKeyedList || shape == FieldShape::kSetList) && object.is_array()) {
    json::array kept;
    for (json::value& item : object.get_array()) {
      const json::value* node = find_member(what, field_element(*schema, item));
      if (node != nullptr) {
        const json::object& below = node->as_object();
        if (below.empty() || below.contains(".")) continue;
        remove_fields(item, below, schema->items);
      }
      kept.push_back(std::move(item));
    }
    if (kept.empty()) {
      object = nullptr;
    } else {
      object = std::move(kept);
    }
  }
}

}  // namespace coracle::api
