#include "api/devices/parts.hpp"

#include <algorithm>

#include "api/devices/selector.hpp"
#include "api/devices/validation.hpp"
#include "api/object.hpp"
#include "api/validation/checks.hpp"
#include "base/strings.hpp"

namespace coracle::api::devices {
namespace {

using checks::text_of;

constexpr int kDomainMax = 63, kIdMax = 32, kPoolMax = 253;
constexpr int kParametersMax = 10 * 1024;
constexpr std::size_t kTolerationsMax = 16;

void c_identifier(std::string_view id, const FieldPath& path, FieldErrors& errors) {
  if (id.size() > kIdMax) errors.too_long(path, kIdMax);
  const auto letter = [](char c) { return c == '_' || ((c | 32) >= 'a' && (c | 32) <= 'z'); };
  const bool good = !id.empty() && letter(id[0]) && std::ranges::all_of(id, [&](char c) {
    return letter(c) || (c >= '0' && c <= '9');
  });
  if (good) return;
  errors.invalid(path, id,
                 "a valid C identifier must start with alphabetic character or '_', followed by a "
                 "string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or "
                 "'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')");
}

}  // namespace

Quantity amount(const json::value& value) {
  const auto parsed = Quantity::parse(value.is_string() ? value.get_string() : "");
  return parsed.ok() ? *parsed : Quantity();
}

void not_negative(const json::value& holder, std::string_view key, const FieldPath& path,
                  FieldErrors& errors) {
  const json::value* value = checks::member(holder, key);
  if (value == nullptr || amount(*value).sign() >= 0) return;
  errors.invalid(path.child(key), amount(*value).text(), "must be greater than or equal to zero");
}

void driver_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
  if (name.empty()) return errors.required(path);
  if (name.size() > kDomainMax) errors.too_long(path, kDomainMax);
  errors.invalid_each(path, name, check_dns1123_subdomain(to_lower(name)));
}

void pool_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
  if (name.empty()) return errors.required(path);
  if (name.size() > kPoolMax) errors.too_long(path, kPoolMax);
  for (const std::string& part : split(name, '/')) checks::dns_subdomain(part, path, errors);
}

void qualified_name(std::string_view name, bool whole, const FieldPath& path, FieldErrors& errors) {
  const std::vector<std::string> parts = split(name, '/');
  if (parts.size() > 2) {
    errors.invalid(path, name, "must not contain more than one slash");
  } else if (parts.size() == 2) {
    if (parts[0].empty()) {
      errors.invalid(path, "", "the domain must not be empty");
    } else {
      driver_name(parts[0], path, errors);
    }
    if (parts[1].empty()) {
      errors.invalid(path, "", "the name must not be empty");
    } else {
      c_identifier(parts[1], path, errors);
    }
  } else {
    c_identifier(name, path, errors);
  }
  if (whole && parts.size() < 2) {
    errors.invalid(path, name,
                   "a fully qualified name must be a domain and a name separated by a slash");
  }
}

void configuration(const json::value& config, const FieldPath& path, FieldErrors& errors) {
  const json::value* opaque = checks::member(config, "opaque");
  const FieldPath at = path.child("opaque");
  if (opaque == nullptr) return errors.required(at);
  driver_name(text_of(*opaque, "driver"), at.child("driver"), errors);
  const json::value* parameters = checks::member(*opaque, "parameters");
  if (parameters == nullptr) return errors.required(at.child("parameters"));
  if (to_json(*parameters).size() > static_cast<std::size_t>(kParametersMax)) {
    errors.too_long(at.child("parameters"), kParametersMax);
  } else if (!parameters->is_object()) {
    errors.invalid(at.child("parameters"), *parameters, "must be a valid JSON object");
  }
}

void selectors(const json::value& holder, const FieldPath& path, FieldErrors& errors) {
  each(holder, "selectors", kRequestsMax, path, errors,
       [&errors](const json::value& selector, const FieldPath& at) {
         const json::value* cel = checks::member(selector, "cel");
         if (cel == nullptr) return errors.required(at.child("cel"));
         const FieldPath here = at.child("cel", "expression");
         const std::string_view text = text_of(*cel, "expression");
         if (text.size() > kExpressionBytesMax) {
           return errors.too_long(here, static_cast<int>(kExpressionBytesMax));
         }
         const auto compiled = DeviceSelector::compile(text);
         if (!compiled.ok()) errors.invalid(here, text, compiled.status().message());
       });
}

void tolerations(const json::value& holder, const FieldPath& path, FieldErrors& errors) {
  each(holder, "tolerations", kTolerationsMax, path, errors,
       [&errors](const json::value& toleration, const FieldPath& at) {
         const std::string_view key = text_of(toleration, "key");
         const std::string_view op = text_of(toleration, "operator");
         const std::string_view value = text_of(toleration, "value");
         const std::string_view effect = text_of(toleration, "effect");
         if (!key.empty()) checks::label_name(key, at.child("key"), errors);
         if (op == "Exists") {
           if (!value.empty()) {
             errors.invalid(at.child("value"), value, "must be empty for operator `Exists`");
           }
         } else if (op == "Equal") {
           errors.invalid_each(at.child("value"), value, check_label_value(value));
           if (key.empty()) errors.required(at.child("key"));
         } else if (op.empty()) {
           errors.required(at.child("operator"));
         } else {
           errors.not_supported(at.child("operator"), op, {"Equal", "Exists"});
         }
         if (effect == "None") return;
         checks::one_of_if_set(toleration, "effect", at, {"NoExecute", "NoSchedule", "None"},
                               errors);
       });
}

std::set<std::string, std::less<>> request_names(const json::value& spec) {
  std::set<std::string, std::less<>> names;
  for (const json::value& request : get_array(spec, "devices.requests")) {
    const std::string name(text_of(request, "name"));
    names.insert(name);
    for (const json::value& alternative : get_array(request, "firstAvailable")) {
      names.insert(name + "/" + std::string(text_of(alternative, "name")));
    }
  }
  return names;
}

void request_name_of(const json::value& name, const std::set<std::string, std::less<>>& known,
                     const FieldPath& path, FieldErrors& errors) {
  const std::string_view text = name.is_string() ? std::string_view(name.get_string()) : "";
  const std::vector<std::string> parts = split(text, '/');
  if (parts.size() <= 2) {
    for (const std::string& part : parts) checks::dns_label(part, path, errors);
  }
  if (parts.size() > 2 || !known.contains(text)) {
    errors.invalid(path, text,
                   "must be the name of a request in the claim or the name of a request and a "
                   "subrequest separated by '/'");
  }
}

}  // namespace coracle::api::devices
