// Sizes of values, from schemas.
#include <algorithm>

#include "api/cel/estimate.hpp"

namespace coracle::api::cel {

namespace {

constexpr std::uint64_t kRequestBytes = 3UL * 1024 * 1024;
constexpr int kNesting = 100;

std::optional<std::uint64_t> bound(const json::value& schema, std::string_view key) {
  const json::value* value = find_keys(schema, {key});
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const auto number = value->to_number<double>();
  return number < 0 ? 0 : static_cast<std::uint64_t>(number);
}

std::unique_ptr<Measure> scalar(std::uint64_t least, std::uint64_t longest = 0) {
  auto out = std::make_unique<Measure>();
  out->least = least;
  out->longest = longest;
  return out;
}

// A character of maxLength is up to four bytes.
std::uint64_t text_length(const json::value& schema) {
  const auto most = bound(schema, "maxLength");
  if (most) return *most * 4;
  return kRequestBytes - 2;
}

std::unique_ptr<Measure> text(const json::value& schema) {
  const std::string_view format = get_string(schema, "format");
  if (format == "byte") {
    return scalar(2, bound(schema, "maxLength").value_or(kRequestBytes - 2));
  }
  if (format == "duration") return scalar(3, 32);
  if (format == "date") return scalar(12, 12);
  if (format == "date-time") return scalar(21, 32);
  const json::array& values = get_array(schema, "enum");
  if (!bound(schema, "maxLength") && !values.empty()) {
    std::size_t longest = 0;
    for (const json::value& value : values) {
      if (value.is_string()) longest = std::max(longest, value.get_string().size());
    }
    return scalar(2, longest);
  }
  return scalar(2, text_length(schema));
}

std::unique_ptr<Measure> of(const json::value& schema, bool whole, int depth);

std::unique_ptr<Measure> below(const json::value& schema, int depth) {
  return of(schema, get_bool(schema, "x-kubernetes-embedded-resource"), depth + 1);
}

std::unique_ptr<Measure> list(const json::value& schema, int depth) {
  const json::value* items = find_keys(schema, {"items"});
  auto item = items == nullptr ? nullptr : below(*items, depth);
  if (item == nullptr) return nullptr;
  auto out = scalar(2, bound(schema, "maxItems").value_or((kRequestBytes - 2) / (item->least + 1)));
  out->item = std::move(item);
  return out;
}

std::unique_ptr<Measure> keyed(const json::value& schema, const json::value& values, int depth) {
  auto item = below(values, depth);
  if (item == nullptr) return nullptr;
  auto out =
      scalar(2, bound(schema, "maxProperties").value_or((kRequestBytes - 2) / (item->least + 6)));
  out->keyed = true;
  out->item = std::move(item);
  return out;
}

std::unique_ptr<Measure> object(const json::value& schema, bool whole, int depth) {
  auto out = scalar(2);
  const json::array& required = get_array(schema, "required");
  if (const json::value* fields = find_keys(schema, {"properties"});
      fields != nullptr && fields->is_object()) {
    for (const auto& [name, inner] : fields->get_object()) {
      auto field = below(inner, depth);
      if (field == nullptr) continue;
      const bool needed = std::ranges::any_of(required, [&](const json::value& one) {
        return one.is_string() && one.get_string() == name;
      });
      if (needed && find_keys(inner, {"default"}) == nullptr) {
        out->least += name.size() + field->least + 4;
      }
      out->fields[std::string(name)] = std::move(field);
    }
  }
  if (whole) {
    for (const char* name : {"apiVersion", "kind"}) {
      out->fields[name] = scalar(2, kRequestBytes - 2);
    }
    auto metadata = scalar(2);
    for (const char* name : {"name", "generateName"}) {
      metadata->fields[name] = scalar(2, kRequestBytes - 2);
    }
    out->fields["metadata"] = std::move(metadata);
  }
  return out;
}

std::unique_ptr<Measure> of(const json::value& schema, bool whole, int depth) {
  if (!schema.is_object() || depth > kNesting) return nullptr;
  if (get_bool(schema, "x-kubernetes-int-or-string")) return scalar(1, text_length(schema));
  const std::string_view type = get_string(schema, "type");
  if (type == "array") return list(schema, depth);
  if (type == "object") {
    const json::value* values = find_keys(schema, {"additionalProperties"});
    if (values != nullptr && values->is_object()) return keyed(schema, *values, depth);
    return object(schema, whole, depth);
  }
  if (type == "string") return text(schema);
  if (type == "boolean") return scalar(4);
  if (type == "number" || type == "integer") return scalar(1);
  return nullptr;
}

}  // namespace

std::unique_ptr<Measure> measure(const json::value& schema, bool whole) {
  return of(schema, whole, 0);
}

std::uint64_t most_in_request(const Measure& of) { return kRequestBytes / (of.least + 1); }

std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  if (a != 0 && b > kUnbounded / a) return kUnbounded;
  return a * b;
}

std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
  return a > kUnbounded - b ? kUnbounded : a + b;
}

}  // namespace coracle::api::cel
