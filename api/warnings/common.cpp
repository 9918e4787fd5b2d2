#include <map>

#include "api/addresses.hpp"
#include "api/object.hpp"
#include "api/quantity.hpp"
#include "api/warnings/warnings.hpp"
#include "base/strings.hpp"

namespace coracle::api::warnings {

void at(const FieldPath& path, std::string_view text, Texts& out) {
  out.push_back(path.text() + ": " + std::string(text));
}

std::string_view deprecated_label(std::string_view key) {
  static const std::map<std::string_view, std::string_view> kLabels = {
      {"beta.kubernetes.io/arch", R"(deprecated since v1.14; use "kubernetes.io/arch" instead)"},
      {"beta.kubernetes.io/os", R"(deprecated since v1.14; use "kubernetes.io/os" instead)"},
      {"failure-domain.beta.kubernetes.io/region",
       R"(deprecated since v1.17; use "topology.kubernetes.io/region" instead)"},
      {"failure-domain.beta.kubernetes.io/zone",
       R"(deprecated since v1.17; use "topology.kubernetes.io/zone" instead)"},
      {"beta.kubernetes.io/instance-type",
       R"(deprecated since v1.17; use "node.kubernetes.io/instance-type" instead)"},
      {"app.kubernetes.io/created-by", "deprecated since v1.9"},
      {"scheduler.alpha.kubernetes.io/preferAvoidPods",
       "deprecated since v1.22; use Taints and Tolerations instead"},
      {"node-role.kubernetes.io/master", R"(use "node-role.kubernetes.io/control-plane" instead)"},
  };
  const auto found = kLabels.find(key);
  return found == kLabels.end() ? std::string_view() : found->second;
}

void node_term(const json::value& term, bool values, const FieldPath& path, Texts& out) {
  std::size_t index = 0;
  for (const json::value& expression : get_array(term, "matchExpressions")) {
    const FieldPath here = path.child("matchExpressions").index(index++);
    const std::string key(get_string(expression, "key"));
    if (const auto text = deprecated_label(key); !text.empty()) {
      at(here.child("key"), key + " is " + std::string(text), out);
    }
    std::size_t i = 0;
    for (const json::value& value : get_array(expression, "values")) {
      const FieldPath place = here.child("values").index(i++);
      if (!values || !value.is_string()) continue;
      const std::string text(std::string_view(value.get_string()));
      for (const std::string& why : check_label_value(text)) {
        at(place, text + " is invalid, " + why, out);
      }
    }
  }
}

void whole_bytes(const json::value& amounts, std::string_view name, const FieldPath& path,
                 Texts& out) {
  const json::object* list = amounts.if_object();
  const json::value* found = list == nullptr ? nullptr : find_member(*list, name);
  if (found == nullptr || !found->is_string()) return;
  const auto amount = Quantity::parse(found->get_string());
  if (amount.ok() && amount->milli_value() % 1000 != 0) {
    at(path.key(name),
       "fractional byte value " + quoted(amount->text()) + " is invalid, must be an integer", out);
  }
}

void ip(const FieldPath& path, std::string_view text, Texts& out) {
  const auto address = parse_ip(text);
  if (!address) return;
  if (!is_strict_ip(text)) {
    at(path,
       "non-standard IP address " + quoted(text) +
           " will be considered invalid in a future Kubernetes release: use " +
           quoted(address->text()),
       out);
  } else if (address->is_v6() && address->text() != text) {
    at(path,
       "IPv6 address " + quoted(text) + " should be in RFC 5952 canonical format (" +
           quoted(address->text()) + ")",
       out);
  }
}

void network(const FieldPath& path, std::string_view text, Texts& out) {
  const auto parsed = parse_network(text);
  if (!parsed) return;
  const std::size_t before = out.size();
  const std::string masked = parsed->masked().text();
  if (masked != parsed->text()) {
    const IpNetwork single{parsed->address, parsed->address.is_v6() ? 128 : 32};
    at(path,
       "CIDR value " + quoted(text) + " is ambiguous in this context (should be " + quoted(masked) +
           " or " + quoted(single.text()) + "?)",
       out);
  }
  const std::string_view bits = text.substr(text.find('/') + 1);
  const bool strict =
      is_strict_ip(text.substr(0, text.find('/'))) && (bits.size() < 2 || bits.front() != '0');
  if (!strict) {
    at(path,
       "non-standard CIDR value " + quoted(text) +
           " will be considered invalid in a future Kubernetes release: use " + quoted(masked),
       out);
  }
  if (out.size() == before && parsed->address.is_v6() && parsed->text() != text) {
    at(path,
       "IPv6 CIDR value " + quoted(text) + " should be in RFC 5952 canonical format (" +
           quoted(parsed->text()) + ")",
       out);
  }
}

}  // namespace coracle::api::warnings
