// ConfigMap and Secret.
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/validation.hpp"
#include "base/encoding.hpp"
#include "base/go_json.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

constexpr std::size_t kBytesMax = 1024 * 1024;
constexpr std::string_view kSealed = "field is immutable when `immutable` is set";

void keys(const json::value& object, std::string_view list, FieldErrors& errors) {
  for (const std::string& key : checks::sorted_names(get_object(object, list))) {
    errors.invalid_each(FieldPath(list).key(key), checks::text_value(key),
                        check_config_map_key(key));
  }
}

std::size_t decoded_size(const json::value& value) {
  if (!value.is_string()) {
    return 0;
  }
  auto bytes = base64_decode(value.get_string());
  return bytes.ok() ? bytes->size() : value.get_string().size();
}

std::size_t total(const json::value& object, std::string_view list, bool encoded) {
  std::size_t sum = 0;
  for (const auto& [key, value] : get_object(object, list)) {
    sum += encoded ? decoded_size(value) : value.is_string() ? value.get_string().size() : 0;
  }
  return sum;
}

// Once sealed, neither the seal nor the data changes.
void sealed(const json::value& object, const json::value& old,
            std::initializer_list<std::string_view> lists, FieldErrors& errors) {
  if (!get_bool(old, "immutable")) {
    return;
  }
  if (!get_bool(object, "immutable")) {
    errors.forbidden(FieldPath("immutable"), kSealed);
  }
  for (const std::string_view list : lists) {
    if (!checks::same(member(object, list), member(old, list))) {
      errors.forbidden(FieldPath(list), kSealed);
    }
  }
}

void required_key(const json::value& secret, std::string_view key, FieldErrors& errors) {
  if (find_member(get_object(secret, "data"), key) == nullptr) {
    errors.required(FieldPath("data").key(key));
  }
}

void docker_config(const json::value& secret, std::string_view key, FieldErrors& errors) {
  const json::value* value = find_member(get_object(secret, "data"), key);
  if (value == nullptr || !value->is_string()) {
    errors.required(FieldPath("data").key(key));
    return;
  }
  auto bytes = base64_decode(value->get_string());
  const Status parsed = bytes.ok() ? parse_go_json(*bytes).status() : bytes.status();
  if (!parsed.ok()) {
    errors.invalid(FieldPath("data").key(key), "<secret contents redacted>", parsed.message());
  }
}

void by_type(const json::value& secret, FieldErrors& errors) {
  constexpr std::string_view kAccount = "kubernetes.io/service-account.name";
  const std::string_view type = text_of(secret, "type");
  if (type == "kubernetes.io/service-account-token") {
    if (annotation_of(secret, kAccount).empty()) {
      errors.required(FieldPath("metadata").child("annotations").key(kAccount));
    }
  } else if (type == "kubernetes.io/dockercfg") {
    docker_config(secret, ".dockercfg", errors);
  } else if (type == "kubernetes.io/dockerconfigjson") {
    docker_config(secret, ".dockerconfigjson", errors);
  } else if (type == "kubernetes.io/basic-auth") {
    // One of the two may be missing.
    const json::object& data = get_object(secret, "data");
    if (find_member(data, "username") == nullptr && find_member(data, "password") == nullptr) {
      required_key(secret, "username", errors);
      required_key(secret, "password", errors);
    }
  } else if (type == "kubernetes.io/ssh-auth") {
    if (get_string(secret, "data.ssh-privatekey").empty()) {
      errors.required(FieldPath("data").key("ssh-privatekey"));
    }
  } else if (type == "kubernetes.io/tls") {
    required_key(secret, "tls.crt", errors);
    required_key(secret, "tls.key", errors);
  }
}

}  // namespace

void config_map(const json::value& object, const json::value* old, FieldErrors& errors) {
  if (old != nullptr) {
    sealed(object, *old, {"data", "binaryData"}, errors);
  }
  keys(object, "data", errors);
  const json::object& binary = get_object(object, "binaryData");
  for (const std::string& key : checks::sorted_names(get_object(object, "data"))) {
    if (find_member(binary, key) != nullptr) {
      errors.invalid(FieldPath("data").key(key), checks::text_value(key),
                     "duplicate of key present in binaryData");
    }
  }
  keys(object, "binaryData", errors);
  if (total(object, "data", false) + total(object, "binaryData", true) > kBytesMax) {
    // So upstream's path of the whole object reads.
    errors.too_long(FieldPath("[]"), static_cast<int>(kBytesMax));
  }
}

void secret(const json::value& object, const json::value* old, FieldErrors& errors) {
  if (old != nullptr) {
    if (text_of(object, "type") != text_of(*old, "type")) {
      errors.invalid(FieldPath("type"), checks::text_value(text_of(object, "type")),
                     checks::kImmutable);
    }
    sealed(object, *old, {"data"}, errors);
  }
  keys(object, "data", errors);
  if (total(object, "data", true) > kBytesMax) {
    errors.too_long(FieldPath("data"), static_cast<int>(kBytesMax));
  }
  by_type(object, errors);
}

}  // namespace coracle::api::validation
