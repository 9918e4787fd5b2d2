// decode_in_place: one walk over a body beside its schema. Frames on the stack stand for the path;
// texts are built only when something is wrong.
#include <charconv>
#include <limits>

#include "api/custom_schema.hpp"
#include "api/quantity.hpp"
#include "api/validate.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "base/timestamp.hpp"

namespace coracle::api {

namespace {

struct Frame {
  const Frame* parent = nullptr;
  const Schema* owner = nullptr;  // the struct this member belongs to; nullptr for list elements
  std::string_view name;
  std::size_t index = 0;
  bool map_key = false;
};

std::string indexed_path(const Frame* frame) {
  if (frame == nullptr) return {};
  std::string path = indexed_path(frame->parent);
  if (frame->owner == nullptr && !frame->map_key) {
    return path + "[" + std::to_string(frame->index) + "]";
  }
  if (!path.empty()) path += '.';
  return path.append(frame->name);
}

std::string go_path(const Frame* frame) {
  if (frame == nullptr) return {};
  std::string path = go_path(frame->parent);
  if (frame->owner == nullptr) return path;
  if (!path.empty()) path += '.';
  return path.append(frame->name);
}

const Schema* go_struct(const Frame* frame) {
  while (frame != nullptr && frame->owner == nullptr) frame = frame->parent;
  return frame == nullptr ? nullptr : frame->owner;
}

std::string json_kind(const json::value& value, bool with_number) {
  if (value.is_string()) return "string";
  if (value.is_bool()) return "bool";
  if (value.is_object()) return "object";
  if (value.is_array()) return "array";
  if (value.is_null()) return "null";
  return with_number ? "number " + to_json(value) : "number";
}

std::string plain_number(const json::value& value) {
  if (!value.is_double()) return to_json(value);
  char buffer[400];
  const auto end =
      std::to_chars(buffer, buffer + sizeof(buffer), value.as_double(), std::chars_format::fixed);
  return {buffer, end.ptr};
}

class Decoder {
 public:
  explicit Decoder(std::vector<std::string>* unknown) : unknown_(unknown) {}

  Status walk(json::value& value, const Schema& schema, const Frame* frame) {
    switch (schema.well_known) {
      case WellKnown::kQuantity:
        return quantity(value);
      case WellKnown::kTime:
        return time(value, false, frame);
      case WellKnown::kMicroTime:
        return time(value, true, frame);
      case WellKnown::kDuration:
        return duration(value, frame);
      case WellKnown::kRawExtension:
      case WellKnown::kFieldsV1:
        return {};
      default:
        break;
    }
    switch (schema.type) {
      case SchemaType::kAny:
        return {};
      case SchemaType::kObject:
        return object(value, schema, frame);
      case SchemaType::kMap:
        return map(value, schema, frame);
      case SchemaType::kArray:
        return array(value, schema, frame);
      case SchemaType::kString:
        return string(value, schema, frame);
      case SchemaType::kInteger:
        return integer(value, schema, frame);
      case SchemaType::kNumber:
        return value.is_number() ? Status() : mismatch(value, schema.go_type, frame);
      case SchemaType::kBoolean:
        return value.is_bool() ? Status() : mismatch(value, schema.go_type, frame);
      case SchemaType::kIntOrString:
        if (value.is_string() || value.is_int64()) return {};
        return invalid_argument("json: cannot unmarshal " + json_kind(value, true) +
                                " into Go value of type int32");
    }
    return {};
  }

 private:
  static Status mismatch(const json::value& value, std::string_view type, const Frame* frame,
                         bool with_number = false) {
    std::string text = "json: cannot unmarshal " + json_kind(value, with_number) + " into Go ";
    if (const Schema* owner = go_struct(frame)) {
      text += "struct field " + std::string(owner->short_name()) + "." + go_path(frame);
    } else {
      text += "value";
    }
    return invalid_argument(text + " of type " + std::string(type));
  }

  Status object(json::value& value, const Schema& schema, const Frame* frame) {
    json::object* members = value.if_object();
    if (members == nullptr) return mismatch(value, schema.go_type, frame);
    for (auto it = members->begin(); it != members->end();) {
      const Property* property = schema.find(it->key());
      if (property == nullptr) {
        if (schema.preserve_unknown) {
          ++it;
          continue;
        }
        if (unknown_ != nullptr) {
          const Frame here{frame, &schema, it->key()};
          unknown_->push_back("unknown field " + quoted(indexed_path(&here)));
        }
        it = members->stable_erase(it);
        continue;
      }
      if (it->value().is_null() && !property->schema->nullable) {
        it = members->stable_erase(it);
        continue;
      }
      const Frame here{frame, &schema, it->key()};
      RETURN_IF_ERROR(walk(it->value(), *property->schema, &here));
      if (!property->required && is_empty(it->value(), *property->schema)) {
        it = members->stable_erase(it);
      } else {
        ++it;
      }
    }
    return {};
  }

  // Go's omitempty of lists and maps.
  static bool is_empty(const json::value& value, const Schema& schema) {
    if (schema.type == SchemaType::kArray) return value.is_array() && value.as_array().empty();
    if (schema.type == SchemaType::kMap) return value.is_object() && value.as_object().empty();
    return false;
  }

  Status map(json::value& value, const Schema& schema, const Frame* frame) {
    json::object* members = value.if_object();
    if (members == nullptr) return mismatch(value, schema.go_type, frame);
    for (auto& member : *members) {
      if (member.value().is_null()) zero(member.value(), *schema.items);
      const Frame here{frame, nullptr, member.key(), 0, true};
      RETURN_IF_ERROR(walk(member.value(), *schema.items, &here));
    }
    return {};
  }

  Status array(json::value& value, const Schema& schema, const Frame* frame) {
    json::array* items = value.if_array();
    if (items == nullptr) return mismatch(value, schema.go_type, frame);
    if (schema.items == nullptr) return {};
    for (std::size_t i = 0; i < items->size(); ++i) {
      json::value& item = (*items)[i];
      if (item.is_null()) zero(item, *schema.items);
      const Frame here{frame, nullptr, {}, i};
      RETURN_IF_ERROR(walk(item, *schema.items, &here));
    }
    return {};
  }

  // What Go makes of a null in a list or map.
  static void zero(json::value& value, const Schema& schema) {
    switch (schema.type) {
      case SchemaType::kObject:
      case SchemaType::kMap:
        value.emplace_object();
        break;
      case SchemaType::kArray:
        value.emplace_array();
        break;
      case SchemaType::kString:
        value = schema.well_known == WellKnown::kQuantity ? "0" : "";
        break;
      case SchemaType::kInteger:
      case SchemaType::kNumber:
      case SchemaType::kIntOrString:
        value = 0;
        break;
      case SchemaType::kBoolean:
        value = false;
        break;
      case SchemaType::kAny:
        break;
    }
  }

  Status string(json::value& value, const Schema& schema, const Frame* frame) {
    if (!value.is_string()) return mismatch(value, schema.go_type, frame);
    if (schema.format == SchemaFormat::kDateTime) return time(value, false, frame);
    if (schema.format == SchemaFormat::kMicroTime) return time(value, true, frame);
    if (schema.format != SchemaFormat::kByte) return {};
    if (!base64_decode(value.as_string()).ok()) {
      const std::string_view text = value.as_string();
      std::size_t at = text.find_first_not_of(
          "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
      if (at == std::string_view::npos) at = text.size();
      return invalid_argument("illegal base64 data at input byte " + std::to_string(at));
    }
    return {};
  }

  Status integer(json::value& value, const Schema& schema, const Frame* frame) {
    const bool narrow = schema.format == SchemaFormat::kInt32;
    const std::int64_t* number = value.if_int64();
    const bool fits =
        number != nullptr && (!narrow || (*number >= std::numeric_limits<std::int32_t>::min() &&
                                          *number <= std::numeric_limits<std::int32_t>::max()));
    return fits ? Status() : mismatch(value, schema.go_type, frame, true);
  }

  static Status quantity(json::value& value) {
    const bool number = value.is_number();
    if (!number && !value.is_string()) {
      return Quantity::parse(json_kind(value, false) == "bool" ? "x" : "").status();
    }
    // Most texts are canonical already: compare before writing.
    const std::string text =
        number ? plain_number(value) : std::string(trim(std::string_view(value.as_string())));
    ASSIGN_OR_RETURN(const Quantity parsed, Quantity::parse(text));
    const std::string canonical = parsed.text();
    if (number || canonical != std::string_view(value.as_string())) value = canonical;
    return {};
  }

  static Status time(json::value& value, bool micro, const Frame* frame) {
    if (!value.is_string()) {
      return invalid_argument("json: cannot unmarshal " + json_kind(value, false) +
                              " into Go value of type string");
    }
    const std::string_view text = value.as_string();
    const Result<Timestamp> parsed = parse_timestamp(text);
    if (!parsed.ok()) {
      const std::string layout =
          quoted(micro ? "2006-01-02T15:04:05.000000Z07:00" : "2006-01-02T15:04:05Z07:00");
      return invalid_argument("parsing time " + quoted(text) + " as " + layout + ": cannot parse " +
                              quoted(text) + " as \"2006\"");
    }
    const std::string canonical =
        micro ? format_micro_timestamp(*parsed) : format_timestamp(*parsed);
    if (canonical != text) value = canonical;
    return {};
  }

  static Status duration(const json::value& value, const Frame* frame) {
    if (!value.is_string()) return mismatch(value, "string", frame);
    const Status status = parse_duration(value.as_string()).status();
    if (status.ok()) return {};
    return invalid_argument("time: invalid duration " + quoted(value.as_string()));
  }

  std::vector<std::string>* unknown_;
};

}  // namespace

Status decode_in_place(json::value& object, const Schema& schema,
                       std::vector<std::string>* unknown) {
  if (schema.custom != nullptr) {
    RETURN_IF_ERROR(Decoder(unknown).walk(object, *schema.envelope, nullptr));
    schema.custom->prune(object, unknown);
    return {};
  }
  return Decoder(unknown).walk(object, schema, nullptr);
}

std::string decode_error_text(const ResourceInfo& info, std::string_view why) {
  return info.kind + " in version " + quoted(info.version) + " cannot be handled as a " +
         info.kind + ": " + std::string(why);
}

std::vector<std::string> strict_warnings(const std::vector<std::string>& unknown,
                                         const std::vector<std::string>& duplicate_paths) {
  std::vector<std::string> out = unknown;
  for (const std::string& path : duplicate_paths) out.push_back("duplicate field " + quoted(path));
  return out;
}

std::string strict_error_text(const std::vector<std::string>& unknown,
                              const std::vector<std::string>& duplicate_paths) {
  return "strict decoding error: " + join(strict_warnings(unknown, duplicate_paths), ", ");
}

void apply_schema_defaults(json::value& value, const Schema& schema) {
  if (schema.custom != nullptr) return schema.custom->set_defaults(value);
  if (!schema.has_defaults) return;
  if (json::array* items = value.if_array()) {
    if (schema.items == nullptr) return;
    for (json::value& item : *items) apply_schema_defaults(item, *schema.items);
    return;
  }
  json::object* members = value.if_object();
  if (members == nullptr) return;
  if (schema.type == SchemaType::kMap) {
    for (auto& member : *members) apply_schema_defaults(member.value(), *schema.items);
    return;
  }
  for (const std::uint16_t place : schema.defaulted) {
    const Property& property = schema.properties[place];
    if (find_member(*members, property.name) == nullptr) {
      members->emplace(property.name, *property.default_value);
    }
  }
  for (auto& member : *members) {
    const Property* property = schema.find(member.key());
    if (property != nullptr) apply_schema_defaults(member.value(), *property->schema);
  }
}

}  // namespace coracle::api
