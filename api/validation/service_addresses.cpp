#include <algorithm>
#include <set>
#include <string>

#include "api/addresses.hpp"
#include "api/object.hpp"
#include "api/validation/checks.hpp"
#include "api/validation/network_parts.hpp"
#include "base/strings.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

const json::array& ips_of(const json::value& spec) { return get_array(spec, "clusterIPs"); }

bool headless(const json::value& spec) {
  return ips_of(spec).size() == 1 && ips_of(spec).front() == json::value("None");
}

std::string_view text(const json::value& value) {
  return value.is_string() ? std::string_view(value.get_string()) : std::string_view();
}

// clusterIP and the first of clusterIPs say the same.
void paired(const json::value& spec, FieldErrors& errors) {
  const FieldPath at = FieldPath("spec").child("clusterIPs");
  const json::array& ips = ips_of(spec);
  const std::string_view single = text_of(spec, "clusterIP");
  if (single.empty() && !ips.empty()) {
    errors.invalid(at, ips, "must be empty when `clusterIP` is not specified");
  } else if (!single.empty() && ips.empty()) {
    errors.required(at);
  } else if (!single.empty() && text(ips.front()) != single) {
    errors.invalid(at, ips, "first value must match `clusterIP`");
  }
}

void families(const json::value& spec, FieldErrors& errors) {
  const FieldPath path("spec");
  std::set<std::string, std::less<>> seen;
  std::size_t index = 0;
  for (const json::value& family : get_array(spec, "ipFamilies")) {
    const FieldPath at = path.child("ipFamilies").index(index++);
    if (text(family) != "IPv4" && text(family) != "IPv6") {
      errors.not_supported(at, family, {"IPv4", "IPv6"});
    }
    if (!seen.emplace(text(family)).second) errors.duplicate(at, family);
  }
  checks::one_of_if_set(spec, "ipFamilyPolicy", path,
                        {"PreferDualStack", "RequireDualStack", "SingleStack"}, errors);
}

bool is_v6(const json::value& ip) {
  const auto address = parse_ip(text(ip));
  return address && address->is_v6();
}

// Whether each is an address; "None" stands alone. Those there were before are not asked again.
bool well_formed(const json::value& spec, const json::value* before, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("clusterIPs");
  const json::array& ips = ips_of(spec);
  const json::array kNone;
  const json::array& known = before == nullptr ? kNone : ips_of(*before);
  bool good = true;
  for (std::size_t i = 0; i < ips.size(); ++i) {
    if (i == 0 && text(ips[i]) == "None") {
      if (ips.size() == 1) continue;
      errors.invalid(path, ips, "'None' must be the first and only value");
      good = false;
    } else if (std::ranges::find(known, ips[i]) == known.end()) {
      good = legacy_ip(path.index(i), text(ips[i]), errors) && good;
    }
  }
  if (ips.size() > 2) errors.invalid(path, ips, "may only hold up to 2 values");
  return good;
}

void of_families(const json::value& spec, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("clusterIPs");
  const json::array& ips = ips_of(spec);
  const json::array& families = get_array(spec, "ipFamilies");
  if (ips.size() > 1 && (ips.size() != 2 || is_v6(ips[0]) == is_v6(ips[1]))) {
    errors.invalid(path, ips, "may specify no more than one IP for each IP family");
  }
  if (headless(spec)) return;
  for (std::size_t i = 0; i < std::min(ips.size(), families.size()); ++i) {
    const bool v6 = text(families[i]) == "IPv6";
    if ((v6 || text(families[i]) == "IPv4") && v6 != is_v6(ips[i])) {
      errors.invalid(path.index(i), ips[i],
                     std::string("expected an ") + (v6 ? "IPv6" : "IPv4") +
                         " value as indicated by `ipFamilies[" + std::to_string(i) + "]`");
    }
  }
}

void external_ips(const json::value& spec, const json::value* before, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("externalIPs");
  const json::array kNone;
  const json::array& known = before == nullptr ? kNone : get_array(*before, "externalIPs");
  std::size_t index = 0;
  for (const json::value& ip : get_array(spec, "externalIPs")) {
    const FieldPath at = path.index(index++);
    const bool had = std::ranges::find(known, ip) != known.end();
    if (had || legacy_ip(at, text(ip), errors)) {
      endpoint_ip(at, text(ip), Loopback::kForbidden, errors);
    }
  }
}

// The second of two may come and go; going is said by the policy, too.
void kept(const json::value& spec, const json::value& before, std::string_view list,
          std::string_view name, FieldErrors& errors) {
  const FieldPath path("spec");
  const bool families = list == "ipFamilies";
  const json::array& now = get_array(spec, list);
  const json::array& old = get_array(before, list);
  // Upstream shows the addresses with both.
  const json::array& shown = families && now.size() != old.size() ? ips_of(spec) : now;
  if (now.size() == old.size()) {
    for (std::size_t i = 0; i < old.size(); ++i) {
      if (now[i] != old[i]) {
        errors.invalid(path.child(list).index(families ? 0 : i), now, "may not change once set");
      }
    }
    return;
  }
  if (old.size() > now.size() && ips_of(spec).empty()) {
    errors.invalid(path.child(list).index(0), now,
                   "primary " + std::string(name) + " can not be unset");
  }
  if (!old.empty() && !now.empty() && now.front() != old.front()) {
    errors.invalid(path.child(list).index(0), shown, "may not change once set");
  }
  if (old.size() > now.size() && now.size() == 1 &&
      text_of(spec, "ipFamilyPolicy") != "SingleStack") {
    errors.invalid(
        path.child("ipFamilyPolicy"), checks::value_or_null(member(spec, "ipFamilyPolicy")),
        "must be set to 'SingleStack' when releasing the secondary " + std::string(name));
  }
}

}  // namespace

bool legacy_ip(const FieldPath& path, std::string_view text, FieldErrors& errors) {
  if (parse_ip(text)) return true;
  errors.invalid(path, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
  return false;
}

bool legacy_network(const FieldPath& path, std::string_view text, FieldErrors& errors) {
  if (parse_network(text)) return true;
  errors.invalid(path, text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
  return false;
}

void endpoint_ip(const FieldPath& path, std::string_view text, Loopback loopback,
                 FieldErrors& errors) {
  const auto ip = parse_ip(text);
  if (!ip) {
    errors.invalid(path, text, "must be a valid IP address");
    return;
  }
  if (ip->is_unspecified()) {
    errors.invalid(path, text, "may not be unspecified (" + std::string(text) + ")");
  }
  if (ip->is_loopback() && loopback == Loopback::kForbidden) {
    errors.invalid(path, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
  }
  if (ip->is_link_local_unicast()) {
    errors.invalid(path, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  }
  if (ip->is_link_local_multicast()) {
    errors.invalid(path, text,
                   "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
  }
}

void host_name(const FieldPath& path, std::string_view text, FieldErrors& errors) {
  if (text.empty()) return;
  checks::dns_subdomain(text, path, errors);
  if (parse_ip(text)) errors.invalid(path, text, "must be a DNS name, not an IP address");
}

void service_addresses(const json::value& spec, const json::value* before, FieldErrors& errors) {
  if (text_of(spec, "type") != "ExternalName") {
    paired(spec, errors);
    families(spec, errors);
    if (well_formed(spec, before, errors)) of_families(spec, errors);
  }
  external_ips(spec, before, errors);
}

void balancer_class(const json::value& spec, FieldErrors& errors) {
  const FieldPath at = FieldPath("spec").child("loadBalancerClass");
  if (member(spec, "loadBalancerClass") == nullptr) return;
  if (text_of(spec, "type") == "LoadBalancer") {
    checks::label_name(text_of(spec, "loadBalancerClass"), at, errors);
  } else {
    errors.forbidden(at, "may only be used when `type` is 'LoadBalancer'");
  }
}

void service_changes(const json::value& spec, const json::value& before, FieldErrors& errors) {
  const bool external =
      text_of(spec, "type") == "ExternalName" || text_of(before, "type") == "ExternalName";
  const bool was = headless(before), is = headless(spec);
  if (!external && !(was && is)) kept(spec, before, "clusterIPs", "clusterIP", errors);
  if (!external && !was && !is) kept(spec, before, "ipFamilies", "ipFamily", errors);
  if (text_of(spec, "type") == "LoadBalancer" && text_of(before, "type") == "LoadBalancer" &&
      !checks::same(member(spec, "loadBalancerClass"), member(before, "loadBalancerClass"))) {
    errors.invalid(FieldPath("spec").child("loadBalancerClass"),
                   checks::value_or_null(member(spec, "loadBalancerClass")),
                   "may not change once set");
  }
  balancer_class(spec, errors);
}

}  // namespace coracle::api::validation
