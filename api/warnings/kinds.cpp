// The kinds without pods.
#include <set>

#include "api/object.hpp"
#include "api/warnings/warnings.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace coracle::api::warnings {
namespace {

constexpr std::string_view kClassAnnotation = "volume.beta.kubernetes.io/storage-class";

void class_annotation(const json::value& object, Texts& out) {
  if (get_object(object, "metadata.annotations").contains(kClassAnnotation)) {
    at(FieldPath("metadata").child("annotations").key(kClassAnnotation),
       R"(deprecated since v1.8; use "storageClassName" attribute instead)", out);
  }
}

void ip_list(const json::value& object, std::string_view inside, const FieldPath& path,
             Texts& out) {
  std::size_t index = 0;
  for (const json::value& item : get_array(object, inside)) {
    const FieldPath here = path.index(index++);
    if (item.is_string()) ip(here, item.get_string(), out);
  }
}

// A block of a network policy's peer, and the holes in it.
void ip_block(const json::value& peer, const FieldPath& path, Texts& out) {
  const json::value* block = find(peer, "ipBlock");
  if (block == nullptr) return;
  network(path.child("ipBlock", "cidr"), get_string(*block, "cidr"), out);
  std::size_t index = 0;
  for (const json::value& hole : get_array(*block, "except")) {
    const FieldPath here = path.child("ipBlock", "except").index(index++);
    if (hole.is_string()) network(here, hole.get_string(), out);
  }
}

// The types of the PEM blocks in bytes that the object holds as base64.
std::vector<std::string> pem_blocks(const json::value& object, std::string_view key) {
  constexpr std::string_view kBegin = "-----BEGIN ", kDashes = "-----";
  std::vector<std::string> out;
  const json::object& data = get_object(object, "data");
  const json::value* found = find_member(data, key);
  if (found == nullptr || !found->is_string()) return out;
  const auto bytes = base64_decode(found->get_string());
  if (!bytes.ok()) return out;
  for (std::size_t from = 0; (from = bytes->find(kBegin, from)) != std::string::npos;) {
    from += kBegin.size();
    const std::size_t end = bytes->find(kDashes, from);
    if (end == std::string::npos) break;
    const std::string type = bytes->substr(from, end - from);
    if (bytes->find("-----END " + type + "-----", end) == std::string::npos) break;
    out.push_back(type);
    from = end;
  }
  return out;
}

std::string skipped(std::string_view wanted, std::string_view where,
                    const std::vector<std::string>& types) {
  return "tls: failed to find " + std::string(wanted) + " in " + std::string(where) +
         " input after skipping PEM blocks of the following types: [" + join(types, " ") + "]";
}

// Why Go's reader of key pairs would not take them, as far as their wrapping tells.
std::string pair_problem(const json::value& secret) {
  const std::vector<std::string> certificates = pem_blocks(secret, "tls.crt");
  const std::vector<std::string> keys = pem_blocks(secret, "tls.key");
  if (certificates.empty()) return "tls: failed to find any PEM data in certificate input";
  bool found = false;
  for (const std::string& type : certificates) found = found || type == "CERTIFICATE";
  if (!found) {
    if (certificates.size() == 1 && certificates[0].ends_with("PRIVATE KEY")) {
      return "tls: failed to find certificate PEM data in certificate input, but did find a "
             "private key; PEM inputs may have been switched";
    }
    return skipped(R"("CERTIFICATE" PEM block)", "certificate", certificates);
  }
  if (keys.empty()) return "tls: failed to find any PEM data in key input";
  for (const std::string& type : keys) {
    if (type == "PRIVATE KEY" || type.ends_with(" PRIVATE KEY")) return {};
  }
  if (keys.size() == 1 && keys[0] == "CERTIFICATE") {
    return "tls: found a certificate rather than a key in the PEM for the private key";
  }
  return skipped(R"(PEM block with type ending in "PRIVATE KEY")", "key", keys);
}

// The terms of a topology that some nodes have.
void labels_of(const json::value& selector, const FieldPath& path, Texts& out) {
  std::size_t index = 0;
  for (const json::value& expression : get_array(selector, "matchExpressions")) {
    const FieldPath here = path.child("matchExpressions").index(index++).child("key");
    const std::string key(get_string(expression, "key"));
    if (const auto text = deprecated_label(key); !text.empty()) {
      at(here, key + " is " + std::string(text), out);
    }
  }
  for (const auto& [key, value] : get_object(selector, "matchLabels")) {
    if (const auto text = deprecated_label(key); !text.empty()) {
      at(path.child("matchLabels").child(key), text, out);
    }
  }
}

// Of texts; dashes in the names do not matter.
bool known_format(std::string_view format) {
  static const std::set<std::string, std::less<>> kKnown = {
      "bsonobjectid", "uri",      "email",      "hostname",     "ipv4",       "ipv6", "cidr",
      "mac",          "uuid",     "uuid3",      "uuid4",        "uuid5",      "isbn", "isbn10",
      "isbn13",       "ssn",      "creditcard", "hexcolor",     "rgbcolor",   "byte", "password",
      "date",         "duration", "datetime",   "k8sshortname", "k8slongname"};
  return kKnown.contains(replace_all(std::string(format), "-", ""));
}

void formats(const json::value& schema, std::set<std::string>& out) {
  if (!schema.is_object()) return;
  const std::string_view format = get_string(schema, "format");
  if (!format.empty() && get_string(schema, "type") == "string" && !known_format(format)) {
    out.emplace(format);
  }
  for (const auto& [name, inner] : get_object(schema, "properties")) formats(inner, out);
  for (const std::string_view key : {"items", "additionalProperties", "not"}) {
    if (const json::value* inner = find(schema, key)) formats(*inner, out);
  }
  for (const std::string_view key : {"allOf", "anyOf", "oneOf"}) {
    for (const json::value& inner : get_array(schema, key)) formats(inner, out);
  }
}

std::set<std::string> formats_of(const json::value& definition) {
  std::set<std::string> out;
  for (const json::value& version : get_array(definition, "spec.versions")) {
    if (const json::value* schema = find(version, "schema.openAPIV3Schema")) formats(*schema, out);
  }
  return out;
}

}  // namespace

void service(const json::value& object, const json::value*, Texts& out) {
  const FieldPath spec("spec");
  const json::object& annotations = get_object(object, "metadata.annotations");
  constexpr std::string_view kHints = "service.kubernetes.io/topology-aware-hints";
  if (annotations.contains(kHints)) {
    out.push_back("annotation " + std::string(kHints) +
                  " is deprecated, please use service.kubernetes.io/topology-mode instead");
  }
  const std::string_view type = get_string(object, "spec.type");
  const bool headless = type == "ClusterIP" && get_string(object, "spec.clusterIP") == "None";
  if (get_string(object, "spec.clusterIP") != "None") {
    ip_list(object, "spec.clusterIPs", spec.child("clusterIPs"), out);
  }
  const std::string_view balancer = get_string(object, "spec.loadBalancerIP");
  const bool external = !get_array(object, "spec.externalIPs").empty();
  if (headless) {
    if (!balancer.empty()) out.emplace_back("spec.loadBalancerIP is ignored for headless services");
    if (external) out.emplace_back("spec.externalIPs is ignored for headless services");
    if (get_string(object, "spec.sessionAffinity") == "ClientIP") {
      out.emplace_back("spec.SessionAffinity is ignored for headless services");
    }
  }
  ip_list(object, "spec.externalIPs", spec.child("externalIPs"), out);
  ip(spec.child("loadBalancerIP"), balancer, out);
  std::size_t index = 0;
  for (const json::value& range : get_array(object, "spec.loadBalancerSourceRanges")) {
    const FieldPath here = spec.child("loadBalancerSourceRanges").index(index++);
    if (range.is_string()) network(here, range.get_string(), out);
  }
  if (type == "ExternalName" && external) {
    out.emplace_back(R"(spec.externalIPs is ignored when spec.type is "ExternalName")");
  }
  if (type != "ExternalName" && !get_string(object, "spec.externalName").empty()) {
    out.emplace_back(R"(spec.externalName is ignored when spec.type is not "ExternalName")");
  }
}

void endpoints(const json::value& object, const json::value*, Texts& out) {
  std::size_t index = 0;
  for (const json::value& subset : get_array(object, "subsets")) {
    const FieldPath here = FieldPath("subsets").index(index++);
    for (const std::string_view list : {"addresses", "notReadyAddresses"}) {
      std::size_t i = 0;
      for (const json::value& address : get_array(subset, list)) {
        ip(here.child(list).index(i++).child("ip"), get_string(address, "ip"), out);
      }
    }
  }
}

void endpoint_slice(const json::value& object, const json::value*, Texts& out) {
  if (get_string(object, "addressType") == "FQDN") {
    out.emplace_back("addressType: FQDN endpoints are deprecated");
    return;
  }
  std::size_t index = 0;
  for (const json::value& endpoint : get_array(object, "endpoints")) {
    ip_list(endpoint, "addresses", FieldPath("endpoints").index(index++).child("addresses"), out);
  }
}

void ingress(const json::value& object, const json::value* old, Texts& out) {
  constexpr std::string_view kClass = "kubernetes.io/ingress.class";
  if (old == nullptr && get_object(object, "metadata.annotations").contains(kClass)) {
    out.push_back("annotation " + quoted(kClass) +
                  " is deprecated, please use 'spec.ingressClassName' instead");
  }
}

void network_policy(const json::value& object, const json::value*, Texts& out) {
  for (const auto& [direction, peers] : {std::pair{"ingress", "from"}, std::pair{"egress", "to"}}) {
    std::size_t index = 0;
    for (const json::value& rule : get_array(object, "spec." + std::string(direction))) {
      const FieldPath here = FieldPath("spec").child(direction).index(index++);
      std::size_t i = 0;
      for (const json::value& peer : get_array(rule, peers)) {
        ip_block(peer, here.child(peers).index(i++), out);
      }
    }
  }
}

void service_account(const json::value& object, const json::value* old, Texts& out) {
  constexpr std::string_view kEnforce = "kubernetes.io/enforce-mountable-secrets";
  const json::object& now = get_object(object, "metadata.annotations");
  if (!now.contains(kEnforce)) return;
  if (old != nullptr && get_object(*old, "metadata.annotations").contains(kEnforce)) return;
  at(FieldPath("metadata").child("annotations").key(kEnforce),
     "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets", out);
}

void secret(const json::value& object, const json::value*, Texts& out) {
  if (get_string(object, "type") != "kubernetes.io/tls") return;
  if (const std::string why = pair_problem(object); !why.empty()) out.push_back(why);
}

void node(const json::value& object, const json::value*, Texts& out) {
  if (find(object, "spec.configSource") != nullptr) {
    out.emplace_back(
        "spec.configSource: the spec.configSource field is deprecated and has no "
        "effect");
  }
  if (!get_string(object, "spec.externalID").empty()) {
    out.emplace_back("spec.externalID: this field is deprecated, and is unused by Kubernetes");
  }
}

void runtime_class(const json::value& object, const json::value*, Texts& out) {
  for (const auto& [key, value] : get_object(object, "scheduling.nodeSelector")) {
    if (const auto text = deprecated_label(key); !text.empty()) {
      at(FieldPath("scheduling").child("nodeSelector"), text, out);
    }
  }
}

void persistent_volume(const json::value& object, const json::value*, Texts& out) {
  const FieldPath spec("spec");
  class_annotation(object, out);
  if (get_string(object, "spec.persistentVolumeReclaimPolicy") == "Recycle") {
    at(spec.child("persistentVolumeReclaimPolicy"),
       "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use "
       "dynamic provisioning.",
       out);
  }
  std::size_t index = 0;
  for (const json::value& term :
       get_array(object, "spec.nodeAffinity.required.nodeSelectorTerms")) {
    node_term(term, false,
              spec.child("nodeAffinity", "required").child("nodeSelectorTerms").index(index++),
              out);
  }
  for (const auto& [key, text] : {
           std::pair{"cephfs", "deprecated in v1.28, non-functional in v1.31+"},
           std::pair{"photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"},
           std::pair{"scaleIO", "deprecated in v1.16, non-functional in v1.22+"},
           std::pair{"storageos", "deprecated in v1.22, non-functional in v1.25+"},
           std::pair{"glusterfs", "deprecated in v1.25, non-functional in v1.26+"},
           std::pair{"rbd", "deprecated in v1.28, non-functional in v1.31+"},
       }) {
    if (find(object, "spec." + std::string(key)) != nullptr) at(spec.child(key), text, out);
  }
}

void persistent_volume_claim(const json::value& object, const json::value*, Texts& out) {
  class_annotation(object, out);
  if (const json::value* spec = find(object, "spec")) claim_spec(*spec, FieldPath("spec"), out);
}

void storage_class(const json::value& object, const json::value*, Texts& out) {
  std::size_t index = 0;
  for (const json::value& topology : get_array(object, "allowedTopologies")) {
    const FieldPath here = FieldPath("allowedTopologies").index(index++);
    std::size_t i = 0;
    for (const json::value& expression : get_array(topology, "matchLabelExpressions")) {
      const FieldPath place = here.child("matchLabelExpressions").index(i++).child("key");
      const std::string key(get_string(expression, "key"));
      if (const auto text = deprecated_label(key); !text.empty()) {
        at(place, key + " is " + std::string(text), out);
      }
    }
  }
}

void csi_capacity(const json::value& object, const json::value*, Texts& out) {
  if (const json::value* topology = find(object, "nodeTopology")) {
    labels_of(*topology, FieldPath("nodeTopology"), out);
  }
}

void custom_definition(const json::value& object, const json::value* old, Texts& out) {
  const std::set<std::string> before = old == nullptr ? std::set<std::string>() : formats_of(*old);
  for (const std::string& format : formats_of(object)) {
    if (!before.contains(format)) out.push_back("unrecognized format " + quoted(format));
  }
}

}  // namespace coracle::api::warnings
