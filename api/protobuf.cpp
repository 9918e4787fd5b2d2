#include "api/protobuf.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/encoding.hpp"
#include "base/timestamp.hpp"

namespace coracle::api {

namespace {

constexpr int kMaxDepth = 100;

// Go writes the zero of a plain field and of a set pointer alike, and the JSON form tells them
// apart. These scalars are pointers upstream: their zero was meant. All others' zeros are unset.
constexpr std::string_view kMeantZeros[] = {"activeDeadlineSeconds",
                                            "allocateLoadBalancerNodePorts",
                                            "allowPrivilegeEscalation",
                                            "allowVolumeExpansion",
                                            "attachRequired",
                                            "automountServiceAccountToken",
                                            "backoffLimit",
                                            "blockOwnerDeletion",
                                            "completions",
                                            "controller",
                                            "defaultMode",
                                            "enableServiceLinks",
                                            "failedJobsHistoryLimit",
                                            "fsGroup",
                                            "gracePeriodSeconds",
                                            "hostUsers",
                                            "immutable",
                                            "minReplicas",
                                            "mode",
                                            "optional",
                                            "orphanDependents",
                                            "parallelism",
                                            "partition",
                                            "podInfoOnMount",
                                            "priority",
                                            "privileged",
                                            "progressDeadlineSeconds",
                                            "readOnlyRootFilesystem",
                                            "ready",
                                            "replicas",
                                            "revisionHistoryLimit",
                                            "runAsGroup",
                                            "runAsNonRoot",
                                            "runAsUser",
                                            "serving",
                                            "shareProcessNamespace",
                                            "stabilizationWindowSeconds",
                                            "startingDeadlineSeconds",
                                            "successfulJobsHistoryLimit",
                                            "suspend",
                                            "terminating",
                                            "terminationGracePeriodSeconds",
                                            "tolerationSeconds",
                                            "ttlSecondsAfterFinished"};

Status garbage(std::string_view why) {
  return invalid_argument("unable to decode protobuf body: " + std::string(why));
}

struct WireField {
  int number = 0;
  int type = 0;  // 0 varint, 1 fixed64, 2 bytes, 5 fixed32
  std::uint64_t number_value = 0;
  std::string_view bytes;
};

class WireReader {
 public:
  explicit WireReader(std::string_view data) : data_(data) {}
  bool done() const { return pos_ == data_.size(); }

  Status next(WireField& out) {
    std::uint64_t tag = 0;
    RETURN_IF_ERROR(varint(tag));
    if ((tag >> 3) == 0 || (tag >> 3) > 0x1fffffff) return garbage("illegal tag");
    out.number = static_cast<int>(tag >> 3);
    out.type = static_cast<int>(tag & 7);
    switch (out.type) {
      case 0:
        return varint(out.number_value);
      case 1:
        return fixed(8, out.number_value);
      case 5:
        return fixed(4, out.number_value);
      case 2: {
        std::uint64_t length = 0;
        RETURN_IF_ERROR(varint(length));
        if (length > data_.size() - pos_) return garbage("unexpected EOF");
        out.bytes = data_.substr(pos_, length);
        pos_ += length;
        return {};
      }
      default:
        return garbage("illegal wireType " + std::to_string(out.type));
    }
  }

  Status varint(std::uint64_t& out) {
    out = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (pos_ == data_.size()) return garbage("unexpected EOF");
      const auto byte = static_cast<unsigned char>(data_[pos_++]);
      out |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return {};
    }
    return garbage("integer overflow");
  }

 private:
  Status fixed(std::size_t size, std::uint64_t& out) {
    if (data_.size() - pos_ < size) return garbage("unexpected EOF");
    out = 0;
    std::memcpy(&out, data_.data() + pos_, size);
    pos_ += size;
    return {};
  }

  std::string_view data_;
  std::size_t pos_ = 0;
};

bool valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const int more = c < 0x80                ? 0
                     : c >= 0xc2 && c < 0xe0 ? 1
                     : c >= 0xe0 && c < 0xf0 ? 2
                     : c >= 0xf0 && c < 0xf5 ? 3
                                             : -1;
    if (more < 0 || i + static_cast<std::size_t>(more) >= text.size()) return false;
    for (int k = 1; k <= more; ++k) {
      if ((static_cast<unsigned char>(text[i + static_cast<std::size_t>(k)]) & 0xc0) != 0x80) {
        return false;
      }
    }
    i += static_cast<std::size_t>(more) + 1;
  }
  return true;
}

bool is_zero(const json::value& v) {
  if (v.is_string()) return v.as_string().empty();
  if (v.is_bool()) return !v.as_bool();
  if (v.is_int64()) return v.as_int64() == 0;
  return v.is_double() && v.as_double() == 0;
}

bool zero_is_meant(const Schema& owner, const ProtobufField& field, const json::value& v) {
  if (v.is_string()) return false;
  const Property* property = owner.find(field.name);
  if (property != nullptr && property->required) return true;
  if (field.name == "replicas" && owner.short_name().ends_with("Status")) return false;
  return std::binary_search(std::begin(kMeantZeros), std::end(kMeantZeros),
                            std::string_view(field.name));
}

class MessageDecoder {
 public:
  Status message(std::string_view bytes, const Schema& schema, json::object& out, int depth) {
    if (depth > kMaxDepth) return garbage("nested too deep");
    WireReader reader(bytes);
    while (!reader.done()) {
      WireField wire;
      RETURN_IF_ERROR(reader.next(wire));
      const ProtobufField* field = schema.find_protobuf(wire.number);
      if (field != nullptr) RETURN_IF_ERROR(member(wire, *field, schema, out, depth));
    }
    return {};
  }

 private:
  Status member(const WireField& wire, const ProtobufField& field, const Schema& owner,
                json::object& out, int depth) {
    const Schema& schema = *field.schema;
    if (field.inlined) {
      if (wire.type != 2) return garbage("wrong wireType for " + field.name);
      return message(wire.bytes, schema, out, depth + 1);
    }
    if (schema.type == SchemaType::kArray) {
      json::value& list = out[field.name];
      if (!list.is_array()) list.emplace_array();
      return element(wire, schema, list.as_array(), depth);
    }
    if (schema.type == SchemaType::kMap && schema.well_known == WellKnown::kNone) {
      json::value& map = out[field.name];
      if (!map.is_object()) map.emplace_object();
      return entry(wire, *schema.items, map.as_object(), depth);
    }
    json::value value;
    bool unset = false;
    RETURN_IF_ERROR(single(wire, schema, value, unset, depth));
    // The zero of a port reference is "not given"; other int-or-strings are pointers.
    if (schema.type == SchemaType::kIntOrString) {
      unset = field.name == "targetPort" && is_zero(value);
    } else if (is_zero(value)) {
      unset = !zero_is_meant(owner, field, value);
    }
    if (!unset) out[field.name] = std::move(value);
    return {};
  }

  // One element of a repeated field; numbers may come packed.
  Status element(const WireField& wire, const Schema& list, json::array& out, int depth) {
    const Schema& items = *list.items;
    const bool number = items.type == SchemaType::kInteger || items.type == SchemaType::kBoolean;
    if (number && wire.type == 2) {
      WireReader packed(wire.bytes);
      while (!packed.done()) {
        WireField one;
        RETURN_IF_ERROR(packed.varint(one.number_value));
        json::value value;
        bool unset = false;
        RETURN_IF_ERROR(single(one, items, value, unset, depth));
        out.push_back(std::move(value));
      }
      return {};
    }
    json::value value;
    bool unset = false;
    RETURN_IF_ERROR(single(wire, items, value, unset, depth));
    out.push_back(std::move(value));
    return {};
  }

  Status entry(const WireField& wire, const Schema& items, json::object& out, int depth) {
    if (wire.type != 2) return garbage("wrong wireType for a map");
    std::string_view key;
    json::value value;
    bool unset = false;
    zero_entry(items, value);
    WireReader reader(wire.bytes);
    while (!reader.done()) {
      WireField part;
      RETURN_IF_ERROR(reader.next(part));
      if (part.number == 1 && part.type == 2) key = part.bytes;
      if (part.number == 2) RETURN_IF_ERROR(single(part, items, value, unset, depth));
    }
    if (!valid_utf8(key)) return garbage("invalid UTF-8");
    out[key] = std::move(value);
    return {};
  }

  static void zero_entry(const Schema& items, json::value& value) {
    if (items.type == SchemaType::kObject) {
      value.emplace_object();
    } else if (items.type == SchemaType::kArray) {
      value.emplace_array();
    } else {
      value = items.well_known == WellKnown::kQuantity ? "0" : "";
    }
  }

  Status single(const WireField& wire, const Schema& schema, json::value& out, bool& unset,
                int depth) {
    if (schema.well_known != WellKnown::kNone && schema.well_known != WellKnown::kObjectMeta &&
        schema.well_known != WellKnown::kListMeta) {
      if (wire.type != 2) return garbage("wrong wireType");
      return well_known(wire.bytes, schema, out, unset);
    }
    const int want = schema.type == SchemaType::kInteger || schema.type == SchemaType::kBoolean ? 0
                     : schema.type == SchemaType::kNumber                                       ? 1
                                                                                                : 2;
    if (wire.type != want) return garbage("wrong wireType " + std::to_string(wire.type));
    switch (schema.type) {
      case SchemaType::kInteger:
        out = schema.format == SchemaFormat::kInt32
                  ? static_cast<std::int64_t>(static_cast<std::int32_t>(wire.number_value))
                  : static_cast<std::int64_t>(wire.number_value);
        return {};
      case SchemaType::kBoolean:
        out = wire.number_value != 0;
        return {};
      case SchemaType::kNumber:
        out = std::bit_cast<double>(wire.number_value);
        return {};
      case SchemaType::kString:
        return text(wire.bytes, schema, out);
      case SchemaType::kArray:
        return list_message(wire.bytes, schema, out, depth);
      case SchemaType::kObject:
        // A message given twice merges, as protobuf has it.
        if (!out.is_object()) out.emplace_object();
        return message(wire.bytes, schema, out.as_object(), depth + 1);
      default:
        return garbage("a field of unknown type");
    }
  }

  static Status text(std::string_view bytes, const Schema& schema, json::value& out) {
    if (schema.format == SchemaFormat::kByte) {
      out = std::string_view(base64_encode(bytes));
      return {};
    }
    if (!valid_utf8(bytes)) return garbage("invalid UTF-8");
    out = bytes;
    return {};
  }

  // A list where protobuf cannot have one: a message {items = 1}.
  Status list_message(std::string_view bytes, const Schema& schema, json::value& out, int depth) {
    if (depth > kMaxDepth) return garbage("nested too deep");
    json::array list;
    WireReader reader(bytes);
    while (!reader.done()) {
      WireField wire;
      RETURN_IF_ERROR(reader.next(wire));
      if (wire.number == 1) RETURN_IF_ERROR(element(wire, schema, list, depth + 1));
    }
    out = std::move(list);
    return {};
  }

  static Status well_known(std::string_view bytes, const Schema& schema, json::value& out,
                           bool& unset) {
    std::int64_t numbers[4] = {};
    std::string_view texts[4];
    WireReader reader(bytes);
    while (!reader.done()) {
      WireField wire;
      RETURN_IF_ERROR(reader.next(wire));
      if (wire.number > 3) continue;
      if (wire.type == 0) numbers[wire.number] = static_cast<std::int64_t>(wire.number_value);
      if (wire.type == 2) texts[wire.number] = wire.bytes;
    }
    switch (schema.well_known) {
      case WellKnown::kTime:
      case WellKnown::kMicroTime:
        return time(numbers[1], numbers[2], schema, out, unset);
      case WellKnown::kDuration:
        out = std::string_view(duration_text(numbers[1]));
        return {};
      case WellKnown::kQuantity:
        if (!valid_utf8(texts[1])) return garbage("invalid UTF-8");
        out = texts[1].empty() ? std::string_view("0") : texts[1];
        return {};
      case WellKnown::kIntOrString:
        if (!valid_utf8(texts[3])) return garbage("invalid UTF-8");
        if (numbers[1] == 1) {
          out = texts[3];
        } else {
          out = numbers[2];
        }
        return {};
      default:
        break;
    }
    // RawExtension, FieldsV1: JSON inside.
    unset = texts[1].empty();
    if (unset) return {};
    ASSIGN_OR_RETURN(out, parse_json(texts[1]));
    return {};
  }

  static Status time(std::int64_t seconds, std::int64_t nanos, const Schema& schema,
                     json::value& out, bool& unset) {
    constexpr std::int64_t kZero = -62'135'596'800;  // Go's zero time: 0001-01-01T00:00:00Z
    unset = nanos == 0 && (seconds == 0 || seconds == kZero);
    if (unset) return {};
    if (seconds < kTimestampMin || seconds > kTimestampMax || nanos < 0 || nanos >= 1'000'000'000) {
      return garbage("bad time");
    }
    const Timestamp time{seconds, static_cast<std::int32_t>(nanos)};
    out = std::string_view(schema.well_known == WellKnown::kTime ? format_timestamp(time)
                                                                 : format_micro_timestamp(time));
    return {};
  }

  // As Go prints it; whole seconds are the only ones in use.
  static std::string duration_text(std::int64_t nanos) {
    if (nanos % 1'000'000'000 != 0) return std::to_string(nanos) + "ns";
    const std::int64_t total = nanos / 1'000'000'000;
    std::string out;
    if (total >= 3600) out += std::to_string(total / 3600) + "h";
    if (total >= 60) out += std::to_string(total / 60 % 60) + "m";
    return out + std::to_string(total % 60) + "s";
  }
};

struct Envelope {
  std::string_view api_version, kind, raw, encoding;
};

Result<Envelope> open_envelope(std::string_view body) {
  Envelope envelope;
  WireReader reader(body.substr(kProtobufMagic.size()));
  while (!reader.done()) {
    WireField wire;
    RETURN_IF_ERROR(reader.next(wire));
    if (wire.type != 2) continue;
    if (wire.number == 2) envelope.raw = wire.bytes;
    if (wire.number == 3) envelope.encoding = wire.bytes;
    if (wire.number != 1) continue;
    WireReader meta(wire.bytes);
    while (!meta.done()) {
      WireField part;
      RETURN_IF_ERROR(meta.next(part));
      if (part.type != 2) continue;
      if (part.number == 1) envelope.api_version = part.bytes;
      if (part.number == 2) envelope.kind = part.bytes;
    }
  }
  return envelope;
}

}  // namespace

bool is_protobuf_envelope(std::string_view body) { return body.starts_with(kProtobufMagic); }

Result<json::value> decode_protobuf_message(std::string_view bytes, const Schema& schema) {
  json::value out;
  RETURN_IF_ERROR(MessageDecoder().message(bytes, schema, out.emplace_object(), 0));
  return out;
}

Result<json::value> decode_protobuf(std::string_view body, const Catalog& catalog) {
  if (!is_protobuf_envelope(body)) {
    return garbage("provided data does not appear to be a protobuf message, expected prefix k8s");
  }
  ASSIGN_OR_RETURN(const Envelope envelope, open_envelope(body));
  if (!envelope.encoding.empty()) return garbage("unsupported content encoding");
  if (!valid_utf8(envelope.api_version) || !valid_utf8(envelope.kind)) {
    return garbage("invalid UTF-8");
  }
  const Schema* schema = catalog.body_schema(envelope.api_version, envelope.kind);
  if (schema == nullptr) {
    return not_found("no kind \"" + std::string(envelope.kind) + "\" is registered for version \"" +
                     std::string(envelope.api_version) + "\"");
  }
  json::value out;
  json::object& object = out.emplace_object();
  object["apiVersion"] = envelope.api_version;
  object["kind"] = envelope.kind;
  RETURN_IF_ERROR(MessageDecoder().message(envelope.raw, *schema, object, 0));
  return out;
}

}  // namespace coracle::api
