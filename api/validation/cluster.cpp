// CertificateSigningRequest, APIService, and the small cluster-wide kinds of networking, storage
// and node.
#include <algorithm>
#include <charconv>
#include <set>

#include "api/validation/checks.hpp"
#include "api/validation/go_structs.hpp"
#include "api/validation/validation.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace coracle::api::validation {
namespace {

using checks::child_or_empty;
using checks::member;
using checks::text_of;

const json::value& spec_of(const json::value& object) { return child_or_empty(object, "spec"); }

const std::vector<std::string>& usages_known() {
  static const std::vector<std::string> kUsages = {"any",
                                                   "cert sign",
                                                   "client auth",
                                                   "code signing",
                                                   "content commitment",
                                                   "crl sign",
                                                   "data encipherment",
                                                   "decipher only",
                                                   "digital signature",
                                                   "email protection",
                                                   "encipher only",
                                                   "ipsec end system",
                                                   "ipsec tunnel",
                                                   "ipsec user",
                                                   "key agreement",
                                                   "key encipherment",
                                                   "microsoft sgc",
                                                   "netscape sgc",
                                                   "ocsp signing",
                                                   "s/mime",
                                                   "server auth",
                                                   "signing",
                                                   "timestamping"};
  return kUsages;
}

// Why these base64 bytes are no PEM certificate request; "" when they look like one.
std::string request_problem(std::string_view encoded) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE REQUEST-----";
  constexpr std::string_view kEnd = "-----END CERTIFICATE REQUEST-----";
  const auto pem = base64_decode(encoded);
  const std::string problem = "PEM block type must be CERTIFICATE REQUEST";
  if (!pem.ok()) return problem;
  const std::size_t begin = pem->find(kBegin);
  const std::size_t end = pem->find(kEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin) return problem;
  std::string body = pem->substr(begin + kBegin.size(), end - begin - kBegin.size());
  std::erase_if(body, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
  const auto der = base64_decode(body);
  // PKCS#10 is a DER SEQUENCE.
  if (!der.ok() || der->size() < 16 || (*der)[0] != 0x30) {
    return "asn1: structure error: the certificate request cannot be parsed";
  }
  return {};
}

// example.com/name, optionally with more dotted parts after the slash.
void signer_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
  if (name.empty()) {
    errors.required(path);
    return;
  }
  if (name == "kubernetes.io/legacy-unknown") {
    errors.invalid(path, name, "the legacy signerName is not allowed via this API version");
    return;
  }
  const std::size_t slash = name.find('/');
  if (slash == std::string_view::npos || name.find('/', slash + 1) != std::string_view::npos) {
    errors.invalid(path, name,
                   "must be a fully qualified domain and path of the form "
                   "'example.com/signer-name'");
    return;
  }
  const std::string_view domain = name.substr(0, slash);
  for (const std::string& message : check_dns1123_subdomain(domain)) {
    errors.invalid(path, domain, "validating label: " + message);
  }
  if (domain.find('.') == std::string_view::npos) {
    errors.invalid(path, name, "should be a domain with at least two segments separated by dots");
  }
  for (const std::string& message : check_dns1123_subdomain(name.substr(slash + 1))) {
    errors.invalid(path, name.substr(slash + 1), "validating label: " + message);
  }
}

void verdicts(const json::value& object, FieldErrors& errors) {
  const json::array& list = get_array(object, "status.conditions");
  const FieldPath path = FieldPath("status").child("conditions");
  std::set<std::string, std::less<>> seen;
  bool approved = false, denied = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const FieldPath at = path.index(i);
    const std::string_view type = text_of(list[i], "type");
    const std::string_view status = text_of(list[i], "status");
    if (type.empty()) errors.required(at.child("type"));
    const bool verdict = type == "Approved" || type == "Denied" || type == "Failed";
    if (status.empty()) {
      errors.required(at.child("status"));
    } else if (verdict && status != "True") {
      errors.not_supported(at.child("status"), status, {"True"});
    } else if (status != "True" && status != "False" && status != "Unknown") {
      errors.not_supported(at.child("status"), status, {"True", "False", "Unknown"});
    }
    approved = approved || type == "Approved";
    denied = denied || type == "Denied";
    if (approved && denied && (type == "Approved" || type == "Denied")) {
      errors.invalid(at.child("type"), type,
                     "Approved and Denied conditions are mutually exclusive");
    }
    if (!type.empty() && !seen.emplace(type).second) errors.duplicate(at.child("type"), type);
  }
}

// An address with a prefix length, host bits zero.
bool good_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view address = text.substr(0, slash), bits = text.substr(slash + 1);
  int length = -1;
  const auto read = std::from_chars(bits.data(), bits.data() + bits.size(), length);
  if (read.ec != std::errc() || read.ptr != bits.data() + bits.size()) return false;
  return (is_ipv4(address) && length >= 0 && length <= 32) ||
         (is_ipv6(address) && length >= 0 && length <= 128);
}

}  // namespace

std::vector<std::string> any_name(std::string_view) { return {}; }

void certificate_request(const json::value& object, const json::value* old, FieldErrors& errors) {
  const json::value& spec = spec_of(object);
  const FieldPath path("spec");
  if (old != nullptr) {
    if (!checks::same(member(object, "spec"), member(*old, "spec"))) {
      errors.invalid(path, spec, checks::kImmutable);
    }
    return;
  }
  if (const std::string why = request_problem(text_of(spec, "request")); !why.empty()) {
    errors.invalid(path.child("request"), checks::value_or_null(member(spec, "request")), why);
  }
  const json::array& usages = get_array(spec, "usages");
  if (usages.empty()) errors.required(path.child("usages"));
  std::set<std::string, std::less<>> seen;
  for (std::size_t i = 0; i < usages.size(); ++i) {
    const std::string_view usage =
        usages[i].is_string() ? std::string_view(usages[i].as_string()) : "";
    const auto& known = usages_known();
    if (std::find(known.begin(), known.end(), usage) == known.end()) {
      errors.not_supported(path.child("usages").index(i), usage, known);
    }
    if (!seen.emplace(usage).second) errors.duplicate(path.child("usages").index(i), usage);
  }
  signer_name(text_of(spec, "signerName"), path.child("signerName"), errors);
  const json::value* seconds = member(spec, "expirationSeconds");
  if (seconds != nullptr && seconds->is_int64() && seconds->get_int64() < 600) {
    errors.invalid(path.child("expirationSeconds"), *seconds,
                   "may not specify a duration less than 600 seconds (10 minutes)");
  }
}

void certificate_request_status(const json::value& object, const json::value& old,
                                FieldErrors& errors) {
  verdicts(object, errors);
  const std::string_view had = get_string(old, "status.certificate");
  if (!had.empty() && had != get_string(object, "status.certificate")) {
    errors.forbidden(FieldPath("status").child("certificate"),
                     "updates may not modify a "
                     "certificate once it is set");
  }
  for (const std::string_view verdict : {"Approved", "Denied", "Failed"}) {
    const auto has = [&](const json::value& in) {
      for (const json::value& one : get_array(in, "status.conditions")) {
        if (get_string(one, "type") == verdict) return true;
      }
      return false;
    };
    if (has(old) && !has(object)) {
      errors.forbidden(
          FieldPath("status").child("conditions"),
          "updates may not remove a condition of type \"" + std::string(verdict) + "\"");
    }
  }
}

void api_service(const json::value& object, const json::value*, FieldErrors& errors) {
  const json::value& spec = spec_of(object);
  const FieldPath path("spec");
  const std::string group(text_of(spec, "group")), version(text_of(spec, "version"));
  const std::string wanted = version + "." + group;
  if (name_of(object) != wanted && !name_of(object).empty()) {
    errors.invalid(FieldPath("metadata").child("name"), name_of(object),
                   "must be `spec.version+\".\"+spec.group`: \"" + wanted + "\"");
  }
  if (group.empty() && version != "v1") {
    errors.required(path.child("group"),
                    "only v1 may have an empty group and it better be legacy "
                    "kube");
  } else if (!group.empty()) {
    errors.invalid_each(path.child("group"), group, check_dns1123_subdomain(group));
  }
  errors.invalid_each(path.child("version"), version, check_dns1035_label(version));
  const std::int64_t minimum = get_int(spec, "groupPriorityMinimum");
  if (minimum <= 0 || minimum > 20000) {
    errors.invalid(path.child("groupPriorityMinimum"), minimum,
                   "must be positive and less than 20000");
  }
  const std::int64_t priority = get_int(spec, "versionPriority");
  if (priority <= 0 || priority > 1000) {
    errors.invalid(path.child("versionPriority"), priority, "must be positive and less than 1000");
  }
  const json::value* service = member(spec, "service");
  const bool insecure = get_bool(spec, "insecureSkipTLSVerify");
  const bool bundle = !text_of(spec, "caBundle").empty();
  if (service == nullptr) {
    if (bundle) {
      errors.invalid(path.child("caBundle"), *member(spec, "caBundle"),
                     "local APIServices may not have a caBundle");
    }
    if (insecure) {
      errors.invalid(path.child("insecureSkipTLSVerify"), true,
                     "local APIServices may not have insecureSkipTLSVerify");
    }
    return;
  }
  const FieldPath at = path.child("service");
  checks::required_text(*service, "namespace", at, errors);
  checks::required_text(*service, "name", at, errors);
  const std::int64_t port = get_int(*service, "port", 443);
  for (const std::string& message : check_port_number(port)) {
    errors.invalid(at.child("port"), port, "port is not valid: " + message);
  }
  if (insecure && bundle) {
    errors.invalid(path.child("insecureSkipTLSVerify"), true,
                   "may not be true if caBundle is "
                   "present");
  }
}

void runtime_class(const json::value& object, const json::value* old, FieldErrors& errors) {
  const std::string_view handler = text_of(object, "handler");
  errors.invalid_each(FieldPath("handler"), handler, check_dns1123_label(handler));
  if (old != nullptr && handler != text_of(*old, "handler")) {
    errors.invalid(FieldPath("handler"), handler, checks::kImmutable);
  }
}

void service_cidr(const json::value& object, const json::value* old, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("cidrs");
  const json::array& list = get_array(object, "spec.cidrs");
  if (old != nullptr && list != get_array(*old, "spec.cidrs")) {
    errors.invalid(path, list, checks::kImmutable);
    return;
  }
  if (list.empty()) errors.required(path, "at least one CIDR required");
  if (list.size() > 2) {
    errors.invalid(path, list, "may only hold up to 2 values");
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string_view text =
        list[i].is_string() ? std::string_view(list[i].as_string()) : std::string_view();
    if (!good_cidr(text)) {
      errors.invalid(path.index(i), list[i],
                     "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
    }
  }
}

void ip_address(const json::value& object, const json::value* old, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("parentRef");
  const json::value* parent = find(object, "spec.parentRef");
  if (parent == nullptr) {
    errors.required(path);
    return;
  }
  checks::required_text(*parent, "resource", path, errors);
  checks::required_text(*parent, "name", path, errors);
  if (old != nullptr && !checks::same(parent, find(*old, "spec.parentRef"))) {
    errors.invalid(path, *parent, checks::kImmutable);
  }
}

std::vector<std::string> ip_name(std::string_view name) {
  if (is_ipv4(name) || is_ipv6(name)) return {};
  return {"must be a valid IP address in canonical form"};
}

void volume_attachment(const json::value& object, const json::value* old, FieldErrors& errors) {
  const json::value& spec = spec_of(object);
  const FieldPath path("spec");
  checks::required_text(spec, "attacher", path, errors);
  checks::required_text(spec, "nodeName", path, errors);
  const json::value& source = child_or_empty(spec, "source");
  const bool named = !text_of(source, "persistentVolumeName").empty();
  const bool inlined = member(source, "inlineVolumeSpec") != nullptr;
  if (!named && !inlined) {
    errors.required(path.child("source"),
                    "must specify exactly one of inlineVolumeSpec and persistentVolumeName");
  } else if (named && inlined) {
    errors.forbidden(path.child("source"),
                     "must specify exactly one of inlineVolumeSpec and persistentVolumeName");
  }
  if (old != nullptr && !checks::same(&spec, &spec_of(*old))) {
    errors.invalid(path, as_go_struct(spec, "VolumeAttachmentSpec"), checks::kImmutable);
  }
}

void csi_driver(const json::value& object, const json::value* old, FieldErrors& errors) {
  const json::value& spec = spec_of(object);
  const FieldPath path("spec");
  if (name_of(object).size() > 63) errors.too_long(FieldPath("metadata").child("name"), 63);
  checks::one_of_if_set(spec, "fsGroupPolicy", path, {"File", "None", "ReadWriteOnceWithFSType"},
                        errors);
  std::size_t index = 0;
  for (const json::value& mode : get_array(spec, "volumeLifecycleModes")) {
    const FieldPath at = path.child("volumeLifecycleModes").index(index++);
    if (mode != json::value("Persistent") && mode != json::value("Ephemeral")) {
      errors.not_supported(at, mode, {"Ephemeral", "Persistent"});
    }
  }
  if (old == nullptr) return;
  for (const std::string_view key : {"attachRequired", "volumeLifecycleModes"}) {
    if (!checks::same(member(spec, key), member(spec_of(*old), key))) {
      errors.invalid(path.child(key), checks::value_or_null(member(spec, key)), checks::kImmutable);
    }
  }
}

void csi_node(const json::value& object, const json::value*, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("drivers");
  std::set<std::string, std::less<>> seen;
  std::size_t index = 0;
  for (const json::value& driver : get_array(object, "spec.drivers")) {
    const FieldPath at = path.index(index++);
    checks::required_text(driver, "name", at, errors);
    checks::required_text(driver, "nodeID", at, errors);
    const std::string_view name = text_of(driver, "name");
    if (!name.empty() && !seen.emplace(name).second) errors.duplicate(at.child("name"), name);
    const json::value* count = find(driver, "allocatable.count");
    if (count != nullptr && count->is_int64() && count->get_int64() < 0) {
      errors.invalid(at.child("allocatable", "count"), *count, checks::kNotNegative);
    }
  }
}

void csi_capacity(const json::value& object, const json::value* old, FieldErrors& errors) {
  checks::required_text(object, "storageClassName", FieldPath(), errors);
  if (old == nullptr) return;
  for (const std::string_view key : {"nodeTopology", "storageClassName"}) {
    if (!checks::same(member(object, key), member(*old, key))) {
      errors.invalid(FieldPath(key), checks::value_or_null(member(object, key)),
                     checks::kImmutable);
    }
  }
}

void volume_attributes_class(const json::value& object, const json::value* old,
                             FieldErrors& errors) {
  checks::required_text(object, "driverName", FieldPath(), errors);
  if (get_object(object, "parameters").empty()) {
    errors.required(FieldPath("parameters"), "must contain at least one key/value pair");
  }
  if (old == nullptr) return;
  for (const std::string_view key : {"driverName", "parameters"}) {
    if (!checks::same(member(object, key), member(*old, key))) {
      errors.forbidden(FieldPath(key), "updates to " + std::string(key) + " are forbidden.");
    }
  }
}

}  // namespace coracle::api::validation
