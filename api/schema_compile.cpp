// From the catalog's JSON to Schema nodes, in passes: (1) a node for each definition, (2) fill the
// nodes, refs become pointers, (3) show the fields of inlined messages in their parents, (4) copies
// for refs with list keywords beside them, (5) sort, and find out which branches hold defaults.
#include <algorithm>

#include "api/schema.hpp"
#include "base/strings.hpp"

namespace coracle::api {

namespace {

constexpr std::string_view kMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.";

WellKnown well_known_of(std::string_view name) {
  if (name == "io.k8s.apimachinery.pkg.api.resource.Quantity") return WellKnown::kQuantity;
  if (name == "io.k8s.apimachinery.pkg.util.intstr.IntOrString") return WellKnown::kIntOrString;
  if (name == "io.k8s.apimachinery.pkg.runtime.RawExtension") return WellKnown::kRawExtension;
  if (!name.starts_with(kMeta)) return WellKnown::kNone;
  name.remove_prefix(kMeta.size());
  if (name == "Time") return WellKnown::kTime;
  if (name == "MicroTime") return WellKnown::kMicroTime;
  if (name == "Duration") return WellKnown::kDuration;
  if (name == "FieldsV1") return WellKnown::kFieldsV1;
  if (name == "ObjectMeta") return WellKnown::kObjectMeta;
  if (name == "ListMeta") return WellKnown::kListMeta;
  return WellKnown::kNone;
}

SchemaFormat format_of(std::string_view text) {
  if (text == "int32") return SchemaFormat::kInt32;
  if (text == "int64") return SchemaFormat::kInt64;
  if (text == "double") return SchemaFormat::kDouble;
  if (text == "byte") return SchemaFormat::kByte;
  if (text == "date-time") return SchemaFormat::kDateTime;
  if (text == "micro-time") return SchemaFormat::kMicroTime;
  return SchemaFormat::kNone;
}

std::vector<std::string> texts(const json::value& root, std::string_view key) {
  std::vector<std::string> out;
  for (const json::value& v : get_array(root, key)) {
    if (v.is_string()) out.emplace_back(v.as_string());
  }
  return out;
}

std::optional<double> number(const json::value& root, std::string_view key) {
  const json::value* v = find_keys(root, {key});
  if (v == nullptr || !v->is_number()) return std::nullopt;
  return v->to_number<double>();
}

std::optional<std::int64_t> integer(const json::value& root, std::string_view key) {
  const json::value* v = find_keys(root, {key});
  if (v == nullptr || !v->is_int64()) return std::nullopt;
  return v->as_int64();
}

// Keywords that change the node when they stand beside a $ref.
void read_list_keywords(const json::value& in, Schema& out) {
  const std::string_view list = get_string(in, "x-kubernetes-list-type");
  if (list == "map") out.list_type = ListType::kMap;
  if (list == "set") out.list_type = ListType::kSet;
  if (find_keys(in, {"x-kubernetes-list-map-keys"}) != nullptr) {
    out.list_map_keys = texts(in, "x-kubernetes-list-map-keys");
  }
  const std::string_view key = get_string(in, "x-kubernetes-patch-merge-key");
  if (!key.empty()) out.merge_key = key;
  if (get_string(in, "x-kubernetes-map-type") == "atomic") out.atomic_map = true;
  const std::string_view strategy = get_string(in, "x-kubernetes-patch-strategy");
  for (const std::string& part : split(strategy, ',')) {
    if (part == "merge") out.patch_merge = true;
    if (part == "retainKeys") out.patch_retain_keys = true;
    if (part == "replace") out.patch_replace = true;
  }
}

bool has_list_keywords(const json::object& in) {
  for (std::string_view key :
       {"x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-patch-merge-key",
        "x-kubernetes-map-type", "x-kubernetes-patch-strategy"}) {
    if (in.contains(key)) return true;
  }
  return false;
}

std::string go_type_of(const Schema& schema) {
  switch (schema.type) {
    case SchemaType::kArray:
      return "[]" + (schema.items ? schema.items->go_type : "interface {}");
    case SchemaType::kMap:
      return "map[string]" + (schema.items ? schema.items->go_type : "interface {}");
    case SchemaType::kString:
      return schema.format == SchemaFormat::kByte ? "[]uint8" : "string";
    case SchemaType::kInteger:
      return schema.format == SchemaFormat::kInt32 ? "int32" : "int64";
    case SchemaType::kNumber:
      return "float64";
    case SchemaType::kBoolean:
      return "bool";
    default:
      return "map[string]interface {}";
  }
}

std::string go_name_of(std::string_view definition) {
  const std::size_t last = definition.rfind('.');
  if (last == std::string_view::npos || last == 0) return std::string(definition);
  const std::size_t before = definition.rfind('.', last - 1);
  return std::string(definition.substr(before == std::string_view::npos ? 0 : before + 1));
}

}  // namespace

class SchemaCompiler {
 public:
  explicit SchemaCompiler(SchemaSet& set) : set_(set), first_new_(set.nodes_.size()) {}

  Schema* new_node() { return &set_.nodes_.emplace_back(); }

  Result<const Schema*> child(const json::value& in, std::string_view what) {
    const json::object* object = in.if_object();
    if (object == nullptr) return bad(what, "a schema must be an object");
    const std::string_view ref = get_string(in, "$ref");
    if (ref.empty()) {
      Schema* node = new_node();
      RETURN_IF_ERROR(fill(in, *node, what));
      return node;
    }
    const Schema* target = set_.find(ref);
    if (target == nullptr) return bad(what, "unknown definition " + std::string(ref));
    if (!has_list_keywords(*object)) return target;
    Schema* node = new_node();
    copies_.push_back({node, target, &in});
    return node;
  }

  Status fill(const json::value& in, Schema& out, std::string_view what) {
    if (!in.is_object()) return bad(what, "a schema must be an object");
    const json::object& object = in.as_object();
    if (!get_string(in, "$ref").empty()) {
      const Schema* target = set_.find(get_string(in, "$ref"));
      if (target == nullptr) return bad(what, "unknown definition");
      copies_.push_back({&out, target, &in});
      return {};
    }
    out.description = get_string(in, "description");
    out.format = format_of(get_string(in, "format"));
    out.nullable = get_bool(in, "nullable");
    out.preserve_unknown = get_bool(in, "x-kubernetes-preserve-unknown-fields");
    out.embedded_resource = get_bool(in, "x-kubernetes-embedded-resource");
    out.enum_values = texts(in, "enum");
    out.minimum = number(in, "minimum");
    out.maximum = number(in, "maximum");
    out.min_length = integer(in, "minLength");
    out.max_length = integer(in, "maxLength");
    out.pattern = get_string(in, "pattern");
    read_list_keywords(in, out);
    RETURN_IF_ERROR(read_type(in, out, what));
    if (const json::value* items = find_member(object, "items")) {
      ASSIGN_OR_RETURN(out.items, child(*items, what));
    }
    const json::value* more = find_member(object, "additionalProperties");
    if (more != nullptr && more->is_object()) {
      out.type = SchemaType::kMap;
      ASSIGN_OR_RETURN(out.items, child(*more, what));
    } else if (more != nullptr && more->is_bool() && more->as_bool()) {
      out.type = SchemaType::kMap;
      out.items = new_node();
    }
    const std::vector<std::string> required = texts(in, "required");
    for (const auto& [name, schema] : get_object(in, "properties")) {
      RETURN_IF_ERROR(property(name, schema, required, out, what));
    }
    return {};
  }

  Status finish() {
    // Inlined fields must be shown before anything is copied.
    for (std::size_t i = first_new_; i < set_.nodes_.size(); ++i) show_inlined(set_.nodes_[i], 0);
    for (const Copy& copy : copies_) {
      const std::string name = copy.node->name;
      *copy.node = *copy.target;
      if (!name.empty()) copy.node->name = name;
      read_list_keywords(*copy.source, *copy.node);
    }
    for (std::size_t i = first_new_; i < set_.nodes_.size(); ++i) sort(set_.nodes_[i]);
    name_go_types();
    settle();
    return {};
  }

 private:
  struct Copy {
    Schema* node;
    const Schema* target;
    const json::value* source;
  };

  static Status bad(std::string_view what, std::string_view why) {
    return invalid_argument("schema of " + std::string(what) + ": " + std::string(why));
  }

  Status read_type(const json::value& in, Schema& out, std::string_view what) {
    const std::string_view type = get_string(in, "type");
    if (get_bool(in, "x-kubernetes-int-or-string")) {
      out.type = SchemaType::kIntOrString;
      out.well_known = WellKnown::kIntOrString;
    } else if (type == "object") {
      out.type = SchemaType::kObject;
    } else if (type == "array") {
      out.type = SchemaType::kArray;
    } else if (type == "string") {
      out.type = SchemaType::kString;
    } else if (type == "integer") {
      out.type = SchemaType::kInteger;
    } else if (type == "number") {
      out.type = SchemaType::kNumber;
    } else if (type == "boolean") {
      out.type = SchemaType::kBoolean;
    } else if (!type.empty()) {
      return bad(what, "unknown type " + std::string(type));
    }
    return {};
  }

  Status property(std::string_view name, const json::value& in,
                  const std::vector<std::string>& required, Schema& out, std::string_view what) {
    const std::string here = std::string(what) + "." + std::string(name);
    ASSIGN_OR_RETURN(const Schema* schema, child(in, here));
    const bool inlined = get_bool(in, "x-protobuf-inline");
    const int wire = static_cast<int>(get_int(in, "x-protobuf"));
    if (wire > 0) out.protobuf_fields.push_back({wire, std::string(name), schema, inlined});
    if (inlined) return {};
    Property property;
    property.name = name;
    property.schema = schema;
    if (!get_string(in, "$ref").empty()) property.description = get_string(in, "description");
    if (const json::value* value = find_keys(in, {"default"})) property.default_value = *value;
    property.required = std::find(required.begin(), required.end(), name) != required.end();
    out.properties.push_back(std::move(property));
    return {};
  }

  // Depth bounds a chain of inlined messages; a cycle of them would be a broken catalog.
  void show_inlined(Schema& schema, int depth) {
    for (const ProtobufField& field : schema.protobuf_fields) {
      if (!field.inlined || depth > 8) continue;
      Schema& target = const_cast<Schema&>(*field.schema);
      show_inlined(target, depth + 1);
      for (Property property : target.properties) {
        const auto same = [&](const Property& p) { return p.name == property.name; };
        if (std::any_of(schema.properties.begin(), schema.properties.end(), same)) continue;
        property.from_inline = true;
        schema.properties.push_back(std::move(property));
      }
    }
  }

  static void sort(Schema& schema) {
    std::sort(schema.properties.begin(), schema.properties.end(),
              [](const Property& a, const Property& b) { return a.name < b.name; });
    std::sort(schema.protobuf_fields.begin(), schema.protobuf_fields.end(),
              [](const ProtobufField& a, const ProtobufField& b) { return a.number < b.number; });
  }

  void name_go_types() {
    // Names of structs first, then of lists and maps of them; nesting is shallow.
    for (std::size_t i = first_new_; i < set_.nodes_.size(); ++i) {
      Schema& node = set_.nodes_[i];
      const bool named =
          !node.name.empty() && node.type != SchemaType::kArray && node.type != SchemaType::kMap;
      node.go_type = named ? go_name_of(node.name) : go_type_of(node);
    }
    for (int round = 0; round < 3; ++round) {
      for (std::size_t i = first_new_; i < set_.nodes_.size(); ++i) {
        Schema& node = set_.nodes_[i];
        if (node.type == SchemaType::kArray || node.type == SchemaType::kMap) {
          node.go_type = go_type_of(node);
        }
      }
    }
  }

  // What holds for a node if it holds for one below, in a graph that may have cycles.
  template <class Holds>
  void spread(bool Schema::* flag, const Holds& holds) {
    bool changed = true;
    while (changed) {
      changed = false;
      for (std::size_t i = first_new_; i < set_.nodes_.size(); ++i) {
        Schema& node = set_.nodes_[i];
        if (node.*flag) continue;
        node.*flag = (node.items != nullptr && node.items->*flag) || holds(node) ||
                     std::any_of(node.properties.begin(), node.properties.end(),
                                 [&](const Property& p) { return p.schema->*flag; });
        changed = changed || node.*flag;
      }
    }
  }

  void settle() {
    const auto any = [](const Schema& node, auto holds) {
      return std::any_of(node.properties.begin(), node.properties.end(), holds);
    };
    spread(&Schema::has_defaults, [&](const Schema& node) {
      return any(node, [](const Property& p) { return p.default_value.has_value(); });
    });
    spread(&Schema::has_rules, [&](const Schema& node) {
      return node.has_own_rules() ||
             any(node, [](const Property& p) { return p.is_required_text(); });
    });
    for (std::size_t i = first_new_; i < set_.nodes_.size(); ++i) set_.nodes_[i].settle();
  }

  SchemaSet& set_;
  std::size_t first_new_;
  std::vector<Copy> copies_;
};

Status SchemaSet::compile(const json::object& definitions) {
  SchemaCompiler compiler(*this);
  std::vector<Schema*> nodes;
  for (const auto& [name, schema] : definitions) {
    Schema* node = compiler.new_node();
    node->name = name;
    node->well_known = well_known_of(name);
    nodes.push_back(node);
    index_.emplace_back(name, node);
  }
  std::sort(index_.begin(), index_.end());
  std::size_t i = 0;
  for (const auto& [name, schema] : definitions) {
    RETURN_IF_ERROR(compiler.fill(schema, *nodes[i++], name));
  }
  return compiler.finish();
}

Result<const Schema*> SchemaSet::compile_one(const json::value& schema, std::string_view what) {
  SchemaCompiler compiler(*this);
  ASSIGN_OR_RETURN(const Schema* node, compiler.child(schema, what));
  RETURN_IF_ERROR(compiler.finish());
  return node;
}

Result<const Schema*> SchemaSet::compile_custom(const json::value& schema,
                                                const CustomSchema* custom, std::string_view what) {
  constexpr std::string_view kMembers[] = {"apiVersion", "kind", "metadata"};
  json::value envelope =
      json::object{{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
  for (const std::string_view name : kMembers) {
    if (const json::value* member = find_keys(schema, {"properties", name})) {
      make_object(envelope, "properties")[name] = *member;
    }
  }
  ASSIGN_OR_RETURN(const Schema* around, compile_one(envelope, what));
  SchemaCompiler compiler(*this);
  Schema* node = compiler.new_node();
  RETURN_IF_ERROR(compiler.fill(schema, *node, what));
  RETURN_IF_ERROR(compiler.finish());
  node->custom = custom;
  node->envelope = around;
  return node;
}

}  // namespace coracle::api
