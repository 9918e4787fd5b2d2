// field_set: sets of fields as server-side apply knows them, and the walks over objects that make
// and use them. Pure.
//
// A set is a tree in the form of fieldsV1: member names are "f:NAME", `k:{"name":"x"}` (an element
// of a keyed list) or "v:VALUE" (of a set); {} is a field of the set, a node with children is one
// when it has the child ".". Trees are kept in upstream's canonical order; the root is no field.
// What a field is, the schema says: a list is atomic, a set, or keyed; a map or struct is granular
// or atomic. schema == nullptr: maps are granular, everything else is a leaf.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/schema.hpp"
#include "base/json.hpp"

namespace coracle::api {

using FieldSet = json::object;
using FieldNames = std::vector<std::string_view>;  // "f:spec", "f:ports", `k:{"port":80}`

// Well formed, not deeper than an object may be.
bool is_field_set(const json::value& value);
bool has_field(const FieldSet& set, std::span<const std::string_view> path);
void add_fields(FieldSet& into, const FieldSet& more);
void subtract_fields(FieldSet& from, const FieldSet& what);
FieldSet common_fields(const FieldSet& a, const FieldSet& b);
// In upstream's order: the fields of a node, then those of its children.
void each_field(const FieldSet& set, const std::function<void(const FieldNames&)>& visit);
// `.spec.ports[port=80,protocol="TCP"].name`
std::string field_path_text(const FieldNames& path);

// What upstream never gives an owner: apiVersion, kind, identity and system metadata.
void strip_unowned(FieldSet& set);
// Everything a configuration names.
FieldSet fields_named(const json::value& object, const Schema& schema);
// `set` with the struct fields in it that have owned children.
FieldSet with_parents(const FieldSet& set, const Schema* schema);

struct FieldChanges {
  FieldSet set;   // added or changed
  FieldSet gone;  // removed
  bool empty() const { return set.empty() && gone.empty(); }
};
// A create is a change from an empty object. Fields that Go always writes (structs, required ones)
// count as present when they are absent.
FieldChanges compare_fields(const json::value& before, const json::value& after,
                            const Schema& schema);

// Server-side apply's merge: what `config` names replaces what is in `live`; nulls stay.
void merge_configuration(json::value& live, const json::value& config, const Schema* schema);
// Takes fields out of an object; lists and maps that become empty go too.
void remove_fields(json::value& object, const FieldSet& what, const Schema* schema);

// Texts of what does not fit the schema, in upstream's words: `.spec.x: field not declared in
// schema`. Empty = good.
std::vector<std::string> check_configuration(const json::value& config, const Schema& schema);

// Shared by the walks.
enum class FieldShape { kLeaf, kMap, kKeyedList, kSetList };
FieldShape field_shape(const Schema* schema, const json::value& value);
const Schema* field_member(const Schema* schema, std::string_view name, bool* declared);
// `k:{...}` or "v:..." of a list's element; empty when it has none (a key is missing).
std::string field_element(const Schema& list, const json::value& element);
bool element_less(std::string_view a, std::string_view b);

}  // namespace coracle::api
