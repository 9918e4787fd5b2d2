// JSON to Kubernetes protobuf: one walk beside the schema; what Go would leave out is left out.
#include <algorithm>
#include <bit>
#include <set>

#include "api/protobuf.hpp"
#include "base/encoding.hpp"
#include "base/timestamp.hpp"

namespace coracle::api {

namespace {

void put_varint(std::string& out, std::uint64_t n) {
  for (; n >= 0x80; n >>= 7) out += static_cast<char>(0x80 | (n & 0x7f));
  out += static_cast<char>(n);
}

void put_number(std::string& out, int field, std::uint64_t n) {
  put_varint(out, static_cast<std::uint64_t>(field) << 3);
  put_varint(out, n);
}

void put_bytes(std::string& out, int field, std::string_view bytes) {
  put_varint(out, (static_cast<std::uint64_t>(field) << 3) | 2);
  put_varint(out, bytes.size());
  out.append(bytes);
}

void put_double(std::string& out, int field, double n) {
  put_varint(out, (static_cast<std::uint64_t>(field) << 3) | 1);
  const auto bits = std::bit_cast<std::uint64_t>(n);
  for (int i = 0; i < 8; ++i) out += static_cast<char>(bits >> (8 * i));
}

std::string time_message(const json::value& value) {
  std::string out;
  const auto time =
      value.is_string() ? parse_timestamp(value.get_string()) : Result<Timestamp>(Timestamp{});
  if (!time.ok()) return out;
  put_number(out, 1, static_cast<std::uint64_t>(time->seconds));
  put_number(out, 2, static_cast<std::uint64_t>(time->nanos));
  return out;
}

std::string int_or_string(const json::value& value) {
  std::string out;
  const bool text = value.is_string();
  put_number(out, 1, text ? 1 : 0);
  put_number(out, 2, value.is_int64() ? static_cast<std::uint64_t>(value.get_int64()) : 0);
  put_bytes(out, 3, text ? std::string_view(value.get_string()) : std::string_view());
  return out;
}

std::string text_message(std::string_view text) {
  std::string out;
  put_bytes(out, 1, text);
  return out;
}

class Encoder {
 public:
  std::string message(const json::object& object, const Schema& schema) const {
    std::string out;
    for (const ProtobufField& field : schema.protobuf_fields) {
      if (field.inlined) {
        const std::string inner = message(object, *field.schema);
        if (!inner.empty()) put_bytes(out, field.number, inner);
        continue;
      }
      const json::value* value = find_member(object, field.name);
      if (value != nullptr && !value->is_null()) member(out, field.number, *value, *field.schema);
    }
    return out;
  }

 private:
  void member(std::string& out, int number, const json::value& value, const Schema& schema) const {
    if (schema.type == SchemaType::kArray && schema.well_known == WellKnown::kNone) {
      if (!value.is_array()) return;
      for (const json::value& item : value.get_array()) single(out, number, item, *schema.items);
      return;
    }
    if (schema.type == SchemaType::kMap && schema.well_known == WellKnown::kNone) {
      if (value.is_object()) map(out, number, value.get_object(), *schema.items);
      return;
    }
    single(out, number, value, schema);
  }

  void map(std::string& out, int number, const json::object& object, const Schema& items) const {
    std::vector<const json::key_value_pair*> members;
    for (const auto& member : object) members.push_back(&member);
    std::sort(members.begin(), members.end(),
              [](const auto* a, const auto* b) { return a->key() < b->key(); });
    for (const auto* member : members) {
      std::string entry;
      put_bytes(entry, 1, member->key());
      single(entry, 2, member->value(), items);
      put_bytes(out, number, entry);
    }
  }

  void single(std::string& out, int number, const json::value& value, const Schema& schema) const {
    switch (schema.well_known) {
      case WellKnown::kTime:
      case WellKnown::kMicroTime:
        return put_bytes(out, number, time_message(value));
      case WellKnown::kDuration:
        return duration(out, number, value);
      case WellKnown::kQuantity:
        return put_bytes(out, number, text_message(plain_text(value)));
      case WellKnown::kIntOrString:
        return put_bytes(out, number, int_or_string(value));
      case WellKnown::kRawExtension:
      case WellKnown::kFieldsV1:
        return put_bytes(out, number, text_message(to_json(value)));
      default:
        break;
    }
    switch (schema.type) {
      case SchemaType::kInteger:
        return put_number(out, number,
                          value.is_int64() ? static_cast<std::uint64_t>(value.get_int64()) : 0);
      case SchemaType::kBoolean:
        return put_number(out, number, value.is_bool() && value.get_bool() ? 1 : 0);
      case SchemaType::kNumber:
        return put_double(out, number, value.is_number() ? value.to_number<double>() : 0);
      case SchemaType::kString:
        return text(out, number, value, schema);
      case SchemaType::kArray:
        return list_message(out, number, value, schema);
      case SchemaType::kObject:
        if (value.is_object()) put_bytes(out, number, message(value.get_object(), schema));
        return;
      default:
        return put_bytes(out, number, text_message(to_json(value)));  // any JSON
    }
  }

  static std::string plain_text(const json::value& value) {
    return value.is_string() ? std::string(value.get_string()) : to_json(value);
  }

  static void text(std::string& out, int number, const json::value& value, const Schema& schema) {
    if (!value.is_string()) return;
    if (schema.format == SchemaFormat::kByte) {
      const auto bytes = base64_decode(value.get_string());
      return put_bytes(out, number, bytes.ok() ? *bytes : std::string());
    }
    put_bytes(out, number, value.get_string());
  }

  static void duration(std::string& out, int number, const json::value& value) {
    std::string inner;
    const auto parsed =
        value.is_string() ? parse_duration(value.get_string()) : Result<Duration>(Duration{});
    if (parsed.ok()) {
      const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(*parsed).count();
      put_number(inner, 1, static_cast<std::uint64_t>(nanos));
    }
    put_bytes(out, number, inner);
  }

  // A list where protobuf cannot have one: a message {items = 1}.
  void list_message(std::string& out, int number, const json::value& value,
                    const Schema& schema) const {
    std::string inner;
    if (value.is_array()) {
      for (const json::value& item : value.get_array()) single(inner, 1, item, *schema.items);
    }
    put_bytes(out, number, inner);
  }
};

bool complete(const Schema* schema, std::set<const Schema*>& seen) {
  if (schema == nullptr || !seen.insert(schema).second) return true;
  const bool leaf = schema->well_known != WellKnown::kNone &&
                    schema->well_known != WellKnown::kObjectMeta &&
                    schema->well_known != WellKnown::kListMeta;
  if (leaf) return true;
  if (schema->preserve_unknown) return false;
  if (schema->items != nullptr && !complete(schema->items, seen)) return false;
  for (const Property& property : schema->properties) {
    const bool envelope = property.name == "apiVersion" || property.name == "kind";
    const bool numbered =
        std::any_of(schema->protobuf_fields.begin(), schema->protobuf_fields.end(),
                    [&](const ProtobufField& field) { return field.name == property.name; });
    if (!numbered && !property.from_inline && !(envelope && schema->find("metadata"))) return false;
    if (!complete(property.schema, seen)) return false;
  }
  return true;
}

}  // namespace

bool has_protobuf_form(const Schema& schema) {
  std::set<const Schema*> seen;
  return !schema.protobuf_fields.empty() && complete(&schema, seen);
}

std::string encode_protobuf_message(const json::value& object, const Schema& schema) {
  return object.is_object() ? Encoder().message(object.get_object(), schema) : std::string();
}

std::string protobuf_envelope(std::string_view api_version, std::string_view kind,
                              std::string_view message) {
  std::string meta, out(kProtobufMagic);
  put_bytes(meta, 1, api_version);
  put_bytes(meta, 2, kind);
  out.reserve(message.size() + meta.size() + 24);
  put_bytes(out, 1, meta);
  put_bytes(out, 2, message);
  put_bytes(out, 3, "");
  put_bytes(out, 4, "");
  return out;
}

std::string protobuf_list(const json::value& list_meta, const Schema& list_meta_schema,
                          const std::vector<std::string>& items) {
  std::string out;
  put_bytes(out, 1, encode_protobuf_message(list_meta, list_meta_schema));
  for (const std::string& item : items) put_bytes(out, 2, item);
  return out;
}

std::string protobuf_watch_frame(std::string_view type, std::string_view enveloped) {
  std::string event;
  put_bytes(event, 1, type);
  put_bytes(event, 2, text_message(enveloped));
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(event.size() >> shift);
  return out + event;
}

}  // namespace coracle::api
