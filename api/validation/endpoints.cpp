#include <set>
#include <string>

#include "api/addresses.hpp"
#include "api/object.hpp"
#include "api/validation/checks.hpp"
#include "api/validation/network_parts.hpp"
#include "api/validation/validation.hpp"
#include "base/strings.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

constexpr int kEndpointsMax = 1000;
constexpr int kAddressesMax = 100;
constexpr int kPortsMax = 20000;

// Upstream also refuses loopback; here simulated nodes live on it.
void address(const json::value& address, const FieldPath& path, FieldErrors& errors) {
  const std::string_view ip = text_of(address, "ip");
  legacy_ip(path.child("ip"), ip, errors);
  if (const auto host = text_of(address, "hostname"); !host.empty()) {
    checks::dns_label(host, path.child("hostname"), errors);
  }
  if (const auto node = text_of(address, "nodeName"); !node.empty()) {
    errors.invalid_each(path.child("nodeName"), checks::text_value(node),
                        check_dns1123_subdomain(node));
  }
  endpoint_ip(path.child("ip"), ip, Loopback::kAllowed, errors);
}

void subset(const json::value& subset, const FieldPath& path, FieldErrors& errors) {
  if (get_array(subset, "addresses").empty() && get_array(subset, "notReadyAddresses").empty()) {
    errors.required(path, "must specify `addresses` or `notReadyAddresses`");
  }
  for (const std::string_view list : {"addresses", "notReadyAddresses"}) {
    std::size_t index = 0;
    for (const json::value& entry : get_array(subset, list)) {
      address(entry, path.child(list).index(index++), errors);
    }
  }
  const json::array& ports = get_array(subset, "ports");
  std::size_t index = 0;
  for (const json::value& port : ports) {
    const FieldPath at = path.child("ports").index(index++);
    const std::string_view name = text_of(port, "name");
    if (ports.size() > 1 && name.empty()) {
      errors.required(at.child("name"));
    } else if (!name.empty()) {
      checks::dns_label(name, at.child("name"), errors);
    }
    checks::port_number(member(port, "port"), at.child("port"), errors);
    checks::protocol(port, at, errors);
    if (member(port, "appProtocol") != nullptr) {
      checks::label_name(text_of(port, "appProtocol"), at.child("appProtocol"), errors);
    }
  }
}

void qualified_domain(std::string_view name, const FieldPath& path, FieldErrors& errors) {
  if (name.empty()) {
    errors.required(path);
    return;
  }
  if (name.ends_with('.')) name.remove_suffix(1);
  if (const Messages messages = check_dns1123_subdomain(name); !messages.empty()) {
    errors.invalid(path, name, join(messages, ","));
    return;
  }
  const std::vector<std::string> labels = split(name, '.');
  if (labels.size() < 2) {
    errors.invalid(path, name, "should be a domain with at least two segments separated by dots");
  }
  for (const std::string& label : labels) {
    const Messages messages = check_dns1123_label(label);
    if (messages.empty()) continue;
    errors.invalid(path, label, join(messages, ","));
    return;
  }
}

void slice_address(std::string_view type, const json::value& value, const FieldPath& path,
                   FieldErrors& errors) {
  const std::string_view text =
      value.is_string() ? std::string_view(value.get_string()) : std::string_view();
  const auto ip = parse_ip(text);
  if (type == "FQDN") {
    qualified_domain(text, path, errors);
  } else if (type == "IPv4" || type == "IPv6") {
    const bool v6 = type == "IPv6";
    if (!ip || ip->is_v6() != v6) {
      errors.invalid(path, value, v6 ? "must be an IPv6 address" : "must be an IPv4 address");
    }
    endpoint_ip(path, text, Loopback::kAllowed, errors);
  }
}

void slice_endpoints(const json::value& slice, FieldErrors& errors) {
  const FieldPath path("endpoints");
  const json::array& endpoints = get_array(slice, "endpoints");
  if (endpoints.size() > kEndpointsMax) {
    errors.too_many(path, static_cast<int>(endpoints.size()), kEndpointsMax);
    return;
  }
  std::size_t index = 0;
  for (const json::value& endpoint : endpoints) {
    const FieldPath at = path.index(index++);
    const json::array& addresses = get_array(endpoint, "addresses");
    if (addresses.empty()) {
      errors.required(at.child("addresses"), "must contain at least 1 address");
    } else if (addresses.size() > kAddressesMax) {
      errors.too_many(at.child("addresses"), static_cast<int>(addresses.size()), kAddressesMax);
    }
    std::size_t i = 0;
    for (const json::value& entry : addresses) {
      slice_address(text_of(slice, "addressType"), entry, at.child("addresses").index(i++), errors);
    }
    if (const auto host = text_of(endpoint, "hostname"); !host.empty()) {
      checks::dns_label(host, at.child("hostname"), errors);
    }
  }
}

void slice_ports(const json::value& slice, FieldErrors& errors) {
  const FieldPath path("ports");
  const json::array& ports = get_array(slice, "ports");
  if (ports.size() > kPortsMax) {
    errors.too_many(path, static_cast<int>(ports.size()), kPortsMax);
    return;
  }
  std::set<std::string> names;
  std::size_t index = 0;
  for (const json::value& port : ports) {
    const FieldPath at = path.index(index++);
    const std::string name(text_of(port, "name"));
    if (!name.empty()) {
      checks::dns_label(name, at.child("name"), errors);
    }
    if (!names.insert(name).second) {
      errors.duplicate(at.child("name"), checks::text_value(name));
    }
    checks::protocol(port, at, errors);
    if (const auto protocol = text_of(port, "appProtocol"); !protocol.empty()) {
      checks::label_name(protocol, at.child("appProtocol"), errors);
    }
  }
}

}  // namespace

void endpoints(const json::value& object, const json::value* old, FieldErrors& errors) {
  // What was let in once may stay.
  if (old != nullptr && checks::same(member(object, "subsets"), member(*old, "subsets"))) return;
  std::size_t index = 0;
  for (const json::value& entry : get_array(object, "subsets")) {
    subset(entry, FieldPath("subsets").index(index++), errors);
  }
}

void endpoint_slice(const json::value& object, const json::value* old, FieldErrors& errors) {
  checks::one_of(object, "addressType", FieldPath(), {"FQDN", "IPv4", "IPv6"}, errors);
  slice_endpoints(object, errors);
  slice_ports(object, errors);
  if (old != nullptr && !checks::same(member(object, "addressType"), member(*old, "addressType"))) {
    errors.invalid(FieldPath("addressType"), checks::value_or_null(member(object, "addressType")),
                   checks::kImmutable);
  }
}

}  // namespace coracle::api::validation
