#include "apiserver/at_rest/encryption_config.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "api/field_error.hpp"
#include "base/aes.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "base/yaml.hpp"

namespace coracle::apiserver {

namespace {

using api::FieldErrors;
using api::FieldPath;
using Texts = std::vector<std::string>;

constexpr std::string_view kVersion = "apiserver.config.k8s.io/v1";
constexpr const char* kProviderNames[] = {"kms", "aesgcm", "aescbc", "secretbox", "identity"};

struct GroupResource {
  std::string resource, group;
  auto operator<=>(const GroupResource&) const = default;
};

GroupResource parse_group_resource(const std::string& text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string::npos) return {text, ""};
  return {text.substr(0, dot), text.substr(dot + 1)};
}

json::value list_of(const Texts& texts) { return json::array(texts.begin(), texts.end()); }

void check_overlap(const Texts& resources, const FieldPath& at, FieldErrors& errors) {
  bool duplicate = false, overlap = false;
  for (std::size_t i = 0; i < resources.size(); ++i) {
    const GroupResource a = parse_group_resource(resources[i]);
    for (std::size_t j = 0; j < resources.size(); ++j) {
      if (i == j) continue;
      const GroupResource b = parse_group_resource(resources[j]);
      if (a == b) {
        duplicate = true;
      } else if ((a.resource == "*" && a.group == "*") ||
                 (a.group == b.group && (a.resource == "*" || b.resource == "*"))) {
        overlap = true;
      }
    }
  }
  if (duplicate) {
    errors.invalid(at, list_of(resources), "the same resource cannot be specified multiple times");
  }
  if (overlap) {
    errors.invalid(at, list_of(resources),
                   "using overlapping resources such as 'secrets' and '*.' in the same resource "
                   "list is not allowed as they will be masked");
  }
}

std::string fault_of_name(const std::string& name) {
  const GroupResource gr = parse_group_resource(name);
  if (to_lower(name) != name) return "resource name should not contain capital letters";
  if (name == "*") {
    return "use '*.' to encrypt all the resources from core API group or *.* to encrypt all "
           "resources";
  }
  if (name == "apiserveripinfo" || name == "serviceipallocations" ||
      name == "servicenodeportallocations") {
    return "resources which do not have REST API/s cannot be encrypted";
  }
  if (gr.group == "events.k8s.io") {
    return "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use "
           "'events' instead in the config file";
  }
  if (gr.group == "extensions") {
    return "'extensions' group has been removed and cannot be used for encryption";
  }
  if (gr.group == "*" && gr.resource != "*") {
    return "encrypting the same resource across groups is not supported";
  }
  return {};
}

// Objects of this configuration have the members named and no other.
void only(const json::value& in, const std::set<std::string_view>& known, const FieldPath& at,
          FieldErrors& errors) {
  if (!in.is_object()) return errors.invalid(at, in, "must be an object");
  for (const auto& member : in.get_object()) {
    if (!known.contains(member.key())) {
      errors.forbidden(at.child(member.key()), "unknown field");
    }
  }
}

Provider::Key parse_key(const json::value& in, const FieldPath& at, FieldErrors& errors) {
  only(in, {"name", "secret"}, at, errors);
  Provider::Key key;
  key.name = get_string(in, "name");
  if (key.name.empty()) errors.required(at.child("name"), "name is a mandatory field for a key");
  const std::string_view text = get_string(in, "secret");
  if (text.empty()) {
    errors.required(at.child("secret"), "secret is a mandatory field for a key");
    return key;
  }
  auto secret = base64_decode(text);
  if (!secret.ok()) {
    errors.invalid(at.child("secret"), "REDACTED", "secrets must be base64 encoded");
  } else if (!is_aes_key_size(secret->size())) {
    errors.invalid(at.child("secret"), "REDACTED",
                   "secret is not of the expected length, got " + std::to_string(secret->size()) +
                       ", expected one of [16 24 32]");
  } else {
    key.secret = *std::move(secret);
  }
  return key;
}

Provider parse_provider(const json::value& in, const FieldPath& at, FieldErrors& errors) {
  Provider provider;
  only(in, {std::begin(kProviderNames), std::end(kProviderNames)}, at, errors);
  Texts named;
  for (const char* name : kProviderNames) {
    if (find(in, name) != nullptr) named.emplace_back(name);
  }
  if (named.size() != 1) {
    errors.invalid(at, named.empty() ? json::value("{}") : list_of(named),
                   named.empty() ? "provider does not contain any of the expected providers: KMS, "
                                   "AESGCM, AESCBC, Secretbox, Identity"
                                 : "more than one provider specified in a single element, should "
                                   "split into different list elements");
    return provider;
  }
  const std::string& name = named.front();
  const FieldPath inside = at.child(name);
  if (name == "identity") return provider;
  if (name == "kms" || name == "secretbox") {
    errors.not_supported(inside, name, {"aesgcm", "aescbc", "identity"});
    return provider;
  }
  provider.type = name == "aesgcm" ? Provider::Type::kAesGcm : Provider::Type::kAesCbc;
  const json::value& body = *find(in, name);
  only(body, {"keys"}, inside, errors);
  const json::array& keys = get_array(body, "keys");
  if (keys.empty()) errors.required(inside.child("keys"), "at least one keys is required");
  for (std::size_t i = 0; i < keys.size(); ++i) {
    provider.keys.push_back(parse_key(keys[i], inside.child("keys").index(i), errors));
  }
  return provider;
}

struct ResourceList {
  Texts resources;
  std::vector<Provider> providers;
};

ResourceList parse_list(const json::value& in, const FieldPath& at, FieldErrors& errors) {
  ResourceList out;
  only(in, {"resources", "providers"}, at, errors);
  const FieldPath resources = at.child("resources"), providers = at.child("providers");
  for (const json::value& one : get_array(in, "resources")) {
    if (one.is_string()) {
      out.resources.emplace_back(one.get_string());
    } else {
      errors.invalid(resources, one, "must be a string");
    }
  }
  if (out.resources.empty()) {
    errors.required(resources, "at least one " + resources.text() + " is required");
  }
  check_overlap(out.resources, resources, errors);
  for (std::size_t i = 0; i < out.resources.size(); ++i) {
    const std::string fault = fault_of_name(out.resources[i]);
    if (!fault.empty()) errors.invalid(resources.index(i), out.resources[i], fault);
  }
  const json::array& list = get_array(in, "providers");
  if (list.empty()) errors.required(providers, "at least one " + providers.text() + " is required");
  for (std::size_t i = 0; i < list.size(); ++i) {
    out.providers.push_back(parse_provider(list[i], providers.index(i), errors));
  }
  return out;
}

}  // namespace

Result<EncryptionConfig> EncryptionConfig::parse(std::string_view yaml) {
  ASSIGN_OR_RETURN(const json::value tree, parse_yaml_strict(yaml));
  const std::string_view kind = get_string(tree, "kind");
  if (get_string(tree, "apiVersion") != kVersion || kind != "EncryptionConfiguration") {
    return invalid_argument("must be an EncryptionConfiguration of " + std::string(kVersion));
  }
  FieldErrors errors;
  const FieldPath root("resources");
  only(tree, {"kind", "apiVersion", "resources"}, FieldPath(), errors);
  const json::array& lists = get_array(tree, "resources");
  if (lists.empty()) errors.required(root, "at least one resources is required");
  // A pattern in two lists has the providers of both, in their order.
  std::vector<std::pair<std::string, std::vector<Provider>>> gathered;
  for (std::size_t i = 0; i < lists.size(); ++i) {
    const ResourceList list = parse_list(lists[i], root.index(i), errors);
    for (const std::string& pattern : list.resources) {
      auto known = std::find_if(gathered.begin(), gathered.end(),
                                [&](const auto& entry) { return entry.first == pattern; });
      if (known == gathered.end()) known = gathered.insert(known, {pattern, {}});
      known->second.insert(known->second.end(), list.providers.begin(), list.providers.end());
    }
  }
  if (!errors.empty()) return invalid_argument(errors.text());
  EncryptionConfig out;
  for (auto& [pattern, providers] : gathered) {
    out.by_pattern_.emplace_back(pattern, Providers(std::move(providers)));
  }
  return out;
}

const Providers* EncryptionConfig::find(std::string_view group, std::string_view plural) const {
  const std::string tail(group);
  const std::string exact = tail.empty() ? std::string(plural) : std::string(plural) + "." + tail;
  for (const std::string& wanted : {exact, "*." + tail, std::string("*.*")}) {
    for (const auto& [pattern, providers] : by_pattern_) {
      if (pattern == wanted || (tail.empty() && pattern == wanted + ".")) return &providers;
    }
  }
  return nullptr;
}

}  // namespace coracle::apiserver
