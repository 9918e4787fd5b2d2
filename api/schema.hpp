// schema: the compiled form of the catalog's structural schemas. Built once, then immutable and
// shared between threads; every $ref is a pointer, recursion included. A Schema lives as long as
// its Catalog. Property lookup is one probe of a table of names, and no allocation.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace coracle::api {

enum class SchemaType : std::uint8_t {
  kAny,  // no type: everything passes
  kObject,
  kMap,  // object with additionalProperties
  kArray,
  kString,
  kInteger,
  kNumber,
  kBoolean,
  kIntOrString,
};
enum class SchemaFormat : std::uint8_t {
  kNone,
  kInt32,
  kInt64,
  kDouble,
  kByte,
  kDateTime,
  kMicroTime,
};
// Types whose JSON and protobuf forms differ.
enum class WellKnown : std::uint8_t {
  kNone,
  kTime,
  kMicroTime,
  kDuration,
  kQuantity,
  kIntOrString,
  kRawExtension,
  kFieldsV1,
  kObjectMeta,
  kListMeta,
  kStringList,  // a message {items=1} that JSON shows as a plain list
};
enum class ListType : std::uint8_t { kAtomic, kSet, kMap };

struct Schema;
class CustomSchema;

struct Property {
  std::string name;
  const Schema* schema = nullptr;
  std::string description;  // the property's own, else empty (schema->description then)
  std::optional<json::value> default_value;
  bool required = false;
  bool from_inline = false;  // belongs to an inlined message: on the protobuf wire it is there

  // Of built-in kinds only texts must be there (and not be empty): others have zero values.
  bool is_required_text() const;
};

struct ProtobufField {
  int number = 0;
  std::string name;  // JSON name; meaningless when inlined
  const Schema* schema = nullptr;
  bool inlined = false;  // the message's fields belong to the parent
};

struct Schema {
  SchemaType type = SchemaType::kAny;
  SchemaFormat format = SchemaFormat::kNone;
  WellKnown well_known = WellKnown::kNone;
  ListType list_type = ListType::kAtomic;
  bool nullable = false;
  bool preserve_unknown = false;
  bool embedded_resource = false;
  bool atomic_map = false;
  bool patch_merge = false;        // x-kubernetes-patch-strategy has "merge"
  bool patch_retain_keys = false;  // ... has "retainKeys"
  bool patch_replace = false;      // ... is "replace"

  std::string name;     // of the definition: io.k8s.api.core.v1.Container; else empty
  std::string go_type;  // "v1.Container", "[]v1.Container", "int32": for decode errors
  std::string description;
  std::string merge_key;                   // x-kubernetes-patch-merge-key
  std::vector<std::string> list_map_keys;  // x-kubernetes-list-map-keys

  std::vector<Property> properties;            // kObject, by name; inlined ones included
  std::vector<ProtobufField> protobuf_fields;  // by number
  const Schema* items = nullptr;               // kArray, and the values of kMap
  std::vector<std::string> enum_values;
  std::optional<double> minimum, maximum;
  std::optional<std::int64_t> min_length, max_length;
  std::string pattern;

  // Made by settle(): the properties with a default; with a rule for built-in kinds, or one below.
  std::vector<std::uint16_t> defaulted, ruled;
  bool has_defaults = false;  // here or anywhere below, so that walks can skip the branch
  bool has_rules = false;

  const Property* find(std::string_view property) const;
  const ProtobufField* find_protobuf(int number) const;
  // The root of a custom kind: what decodes, checks and fills in instead, and the schema of what
  // every object has (apiVersion, kind, metadata).
  const CustomSchema* custom = nullptr;
  const Schema* envelope = nullptr;

  // "Container" of io.k8s.api.core.v1.Container.
  std::string_view short_name() const;

  bool has_own_rules() const;  // for its values themselves: range, length, enum or pattern
  // Builds the table that find() probes, and the lists above from what is known of those below.
  void settle();

 private:
  std::size_t slot_of(std::string_view property) const;
  // 1 + the place in `properties`, 0 = free; open addressing, a power of two, at most half full.
  std::vector<std::uint16_t> table_;
};

// Owner of all schemas of a catalog.
class SchemaSet {
 public:
  // `definitions`: name -> schema in the catalog dialect. InvalidArgument names the definition.
  Status compile(const json::object& definitions);
  // A schema beside the definitions ({$ref} or inline). InvalidArgument as above.
  Result<const Schema*> compile_one(const json::value& schema, std::string_view what);
  // The root of a custom kind. `custom` lives as long as this.
  Result<const Schema*> compile_custom(const json::value& schema, const CustomSchema* custom,
                                       std::string_view what);
  const Schema* find(std::string_view definition) const;
  // Definitions not found here are looked for there. It outlives this set.
  void set_base(const SchemaSet* base) { base_ = base; }
  // In byte order of names.
  const std::vector<std::pair<std::string, const Schema*>>& definitions() const { return index_; }

 private:
  friend class SchemaCompiler;
  std::deque<Schema> nodes_;  // stable addresses
  std::vector<std::pair<std::string, const Schema*>> index_;
  const SchemaSet* base_ = nullptr;
};

}  // namespace coracle::api
