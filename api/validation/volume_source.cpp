// What is in the source of a volume, of pods and of persistent volumes.
#include <map>
#include <set>
#include <string>

#include "api/validation/checks.hpp"
#include "api/validation/pod_parts.hpp"
#include "api/validation/resources.hpp"
#include "base/strings.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

using Paths = std::set<std::string, std::less<>>;

constexpr std::int64_t kModeMax = 0777;
constexpr std::int64_t kTokenSecondsMin = 600;
constexpr std::int64_t kTokenSecondsMax = std::int64_t{1} << 32;

void file_mode(const json::value& holder, std::string_view key, const FieldPath& path,
               FieldErrors& errors) {
  const json::value* mode = member(holder, key);
  if (mode != nullptr && mode->is_int64() &&
      (mode->get_int64() < 0 || mode->get_int64() > kModeMax)) {
    errors.invalid(path.child(key), *mode,
                   "must be a number between 0 and 0777 (octal), both inclusive");
  }
}

// Two parts of one projected volume cannot write the same file.
void taken_once(const json::value& item, Paths* paths, BadValue shown, const FieldPath& path,
                FieldErrors& errors) {
  const std::string_view file = text_of(item, "path");
  if (paths != nullptr && !file.empty() && !paths->emplace(file).second) {
    errors.invalid(path, std::move(shown), "conflicting duplicate paths");
  }
}

void key_items(const json::value& source, Paths* paths, const FieldPath& projected,
               const FieldPath& path, FieldErrors& errors) {
  std::size_t index = 0;
  for (const json::value& item : get_array(source, "items")) {
    const FieldPath at = path.child("items").index(index++);
    checks::required_text(item, "key", at, errors);
    checks::required_text(item, "path", at, errors);
    checks::local_path(text_of(item, "path"), at.child("path"), errors);
    file_mode(item, "mode", at, errors);
    taken_once(item, paths, text_of(source, "name"), projected, errors);
  }
}

// Upstream reports these at the list's owner, without the index.
void downward_items(const json::value& source, Paths* paths, const FieldPath& projected,
                    const FieldPath& path, FieldErrors& errors) {
  static const std::vector<std::string> kFields = {"metadata.annotations", "metadata.labels",
                                                   "metadata.name", "metadata.namespace",
                                                   "metadata.uid"};
  for (const json::value& item : get_array(source, "items")) {
    checks::required_text(item, "path", path, errors);
    checks::local_path(text_of(item, "path"), path.child("path"), errors);
    const json::value* field = member(item, "fieldRef");
    const json::value* amount = member(item, "resourceFieldRef");
    if (field != nullptr) {
      field_ref(*field, kFields, path.child("fieldRef"), errors);
      if (amount != nullptr) {
        errors.invalid(path, "resource",
                       "fieldRef and resourceFieldRef can not be specified simultaneously");
      }
    } else if (amount != nullptr) {
      resource_ref(*amount, true, path.child("resourceFieldRef"), errors);
    } else {
      errors.required(path, "one of fieldRef and resourceFieldRef is required");
    }
    file_mode(item, "mode", path, errors);
    taken_once(item, paths, text_of(item, "path"), projected, errors);
  }
}

void host_path(const json::value& source, const FieldPath& path, FieldErrors& errors) {
  static const std::vector<std::string> kTypes = {
      "",     "BlockDevice",  "CharDevice", "Directory", "DirectoryOrCreate",
      "File", "FileOrCreate", "Socket"};
  if (checks::required_text(source, "path", path, errors)) {
    checks::no_backsteps(text_of(source, "path"), path.child("path"), errors);
    checks::one_of_if_set(source, "type", path, kTypes, errors);
  }
}

void token(const json::value& token, const FieldPath& projected, const FieldPath& path,
           FieldErrors& errors) {
  const FieldPath seconds_path = path.child("expirationSeconds");
  const json::value* seconds = member(token, "expirationSeconds");
  if (seconds != nullptr && seconds->is_int64()) {
    if (seconds->get_int64() < kTokenSecondsMin) {
      errors.invalid(seconds_path, *seconds, "may not specify a duration less than 10 minutes");
    } else if (seconds->get_int64() > kTokenSecondsMax) {
      errors.invalid(seconds_path, *seconds, "may not specify a duration larger than 2^32 seconds");
    }
  }
  if (checks::required_text(token, "path", projected, errors)) {
    checks::local_path(text_of(token, "path"), projected.child("path"), errors);
  }
}

void trust_bundle(const json::value& bundle, Paths& paths, const FieldPath& projected,
                  const FieldPath& path, FieldErrors& errors) {
  const bool by_name = member(bundle, "name") != nullptr;
  const bool by_signer = member(bundle, "signerName") != nullptr;
  if (by_name && by_signer) {
    errors.invalid(path, bundle, "only one of name and signerName may be used");
  } else if (by_name) {
    checks::required_text(bundle, "name", path, errors, "must be a valid object name");
  } else if (by_signer) {
    checks::required_text(bundle, "signerName", path, errors, "must be a valid signer name");
    validate_label_selector(member(bundle, "labelSelector"), path.child("labelSelector"), errors);
  } else {
    errors.required(path, "either name or signerName must be specified");
  }
  checks::required_text(bundle, "path", path, errors);
  checks::local_path(text_of(bundle, "path"), path.child("path"), errors);
  taken_once(bundle, &paths, text_of(bundle, "path"), projected, errors);
}

void projected(const json::value& source, const FieldPath& path, FieldErrors& errors) {
  file_mode(source, "defaultMode", path, errors);
  Paths paths;
  std::size_t index = 0;
  for (const json::value& part : get_array(source, "sources")) {
    const FieldPath at = path.child("sources").index(index++);
    int kinds = 0;
    for (const std::string_view key : {"secret", "configMap"}) {
      if (const json::value* from = member(part, key)) {
        ++kinds;
        checks::required_text(*from, "name", at.child(key), errors);
        key_items(*from, &paths, path, at.child(key), errors);
      }
    }
    if (const json::value* downward = member(part, "downwardAPI")) {
      ++kinds;
      downward_items(*downward, &paths, path, at.child("downwardAPI"), errors);
    }
    if (const json::value* account = member(part, "serviceAccountToken")) {
      ++kinds;
      token(*account, path, at.child("serviceAccountToken"), errors);
    }
    if (const json::value* bundle = member(part, "clusterTrustBundle")) {
      ++kinds;
      trust_bundle(*bundle, paths, path, at.child("clusterTrustBundle"), errors);
    }
    kinds += member(part, "podCertificate") != nullptr ? 1 : 0;
    if (kinds > 1) {
      errors.forbidden(at, "may not specify more than 1 volume type per source");
    }
  }
}

void csi_driver_name(const json::value& source, const FieldPath& path, FieldErrors& errors) {
  constexpr int kNameMax = 63;
  if (!checks::required_text(source, "driver", path, errors)) {
    return;
  }
  const std::string_view name = text_of(source, "driver");
  if (name.size() > kNameMax) {
    errors.too_long(path.child("driver"), kNameMax);
  }
  errors.invalid_each(path.child("driver"), name, check_dns1123_subdomain(to_lower(name)));
}

void csi(const json::value& source, const FieldPath& path, FieldErrors& errors) {
  csi_driver_name(source, path, errors);
  if (const json::value* secret = member(source, "nodePublishSecretRef")) {
    if (checks::required_text(*secret, "name", path.child("nodePublishSecretRef"), errors)) {
      checks::dns_subdomain(text_of(*secret, "name"), path.child("name"), errors);
    }
  }
}

void disk(const json::value& source, std::string_view id, const FieldPath& path,
          FieldErrors& errors) {
  constexpr std::int64_t kPartitionMax = 255;
  checks::required_text(source, id, path, errors);
  const std::int64_t partition = get_int(source, "partition");
  if (partition < 0 || partition > kPartitionMax) {
    errors.invalid(path.child("partition"), partition, range_message(1, kPartitionMax));
  }
}

void fibre_channel(const json::value& source, const FieldPath& path, FieldErrors& errors) {
  const FieldPath names = path.child("targetWWNs");
  const bool by_name = !get_array(source, "targetWWNs").empty();
  const bool by_id = !get_array(source, "wwids").empty();
  if (!by_name && !by_id) {
    errors.required(names, "must specify either targetWWNs or wwids, but not both");
  }
  if (by_name && by_id) {
    errors.invalid(names, *member(source, "targetWWNs"),
                   "targetWWNs and wwids can not be specified simultaneously");
  }
  if (by_name && member(source, "lun") == nullptr) {
    errors.required(path.child("lun"), "lun is required if targetWWNs is specified");
  } else if (by_name) {
    checks::in_range(member(source, "lun"), 0, 255, path.child("lun"), errors);
  }
}

void iscsi(const json::value& source, const FieldPath& path, FieldErrors& errors) {
  checks::required_text(source, "targetPortal", path, errors);
  if (checks::required_text(source, "iqn", path, errors)) {
    const std::string_view name = text_of(source, "iqn");
    if (!name.starts_with("iqn") && !name.starts_with("eui") && !name.starts_with("naa")) {
      errors.invalid(path.child("iqn"), name,
                     "must be valid format starting with iqn, eui, or naa");
    }
  }
  checks::in_range(member(source, "lun"), 0, 255, path.child("lun"), errors);
  const bool authenticates =
      get_bool(source, "chapAuthDiscovery") || get_bool(source, "chapAuthSession");
  if (authenticates && member(source, "secretRef") == nullptr) {
    errors.required(path.child("secretRef"));
  }
}

void flex(const json::value& source, const FieldPath& path, FieldErrors& errors) {
  checks::required_text(source, "driver", path, errors);
  for (const std::string& key : checks::sorted_names(get_object(source, "options"))) {
    const std::string owner = "." + to_lower(key.substr(0, key.find('/')));
    if (owner.ends_with(".kubernetes.io") || owner.ends_with(".k8s.io")) {
      errors.invalid(path.child("options").key(key), key,
                     "kubernetes.io and k8s.io namespaces are reserved");
    }
  }
}

// Texts that must be there, of the sources that ask for no more.
bool required_only(std::string_view kind, const json::value& source, const FieldPath& path,
                   FieldErrors& errors) {
  static const std::map<std::string_view, std::vector<std::string_view>> kTexts = {
      {"persistentVolumeClaim", {"claimName"}},
      {"glusterfs", {"endpoints", "path"}},
      {"cinder", {"volumeID"}},
      {"azureFile", {"secretName", "shareName"}},
      {"vsphereVolume", {"volumePath"}},
      {"photonPersistentDisk", {"pdID"}},
      {"portworxVolume", {"volumeID"}},
      {"azureDisk", {"diskName", "diskURI"}},
      {"storageos", {"volumeName"}},
      {"scaleIO", {"gateway", "system", "volumeName"}},
      {"quobyte", {"registry", "volume"}},
  };
  const auto texts = kTexts.find(kind);
  if (texts == kTexts.end()) {
    return false;
  }
  for (const std::string_view key : texts->second) {
    checks::required_text(source, key, path, errors);
  }
  return true;
}

void with_monitors(const json::value& source, std::string_view also, const FieldPath& path,
                   FieldErrors& errors) {
  if (get_array(source, "monitors").empty()) {
    errors.required(path.child("monitors"));
  }
  if (!also.empty()) {
    checks::required_text(source, also, path, errors);
  }
}

void from_object(std::string_view name, const json::value& source, const FieldPath& path,
                 FieldErrors& errors) {
  checks::required_text(source, name, path, errors);
  file_mode(source, "defaultMode", path, errors);
  key_items(source, nullptr, path, path, errors);
}

void empty_dir(const json::value& source, const FieldPath& path, FieldErrors& errors) {
  const auto limit = resource::amount_of(member(source, "sizeLimit"));
  if (limit && limit->sign() < 0) {
    errors.forbidden(path.child("sizeLimit"), "SizeLimit field must be a valid resource quantity");
  }
}

void local_volume(std::string_view kind, const json::value& source, const FieldPath& path,
                  FieldErrors& errors) {
  if (kind == "local") {
    if (checks::required_text(source, "path", path, errors)) {
      checks::no_backsteps(text_of(source, "path"), path.child("path"), errors);
    }
  } else if (kind == "gitRepo") {
    checks::required_text(source, "repository", path, errors);
    checks::descending_path(text_of(source, "directory"), path.child("directory"), errors);
  } else if (kind == "nfs") {
    checks::required_text(source, "server", path, errors);
    checks::required_text(source, "path", path, errors);
    if (!text_of(source, "path").starts_with('/')) {
      errors.invalid(path.child("path"), text_of(source, "path"), "must be an absolute path");
    }
  }
}

// {reference, pullPolicy}; a template may leave the reference to whoever makes the pod.
void image(const json::value& source, PodRole role, const FieldPath& path, FieldErrors& errors) {
  if (role == PodRole::kPod) {
    checks::required_text(source, "reference", path, errors);
  }
  checks::one_of(source, "pullPolicy", path, {"Always", "IfNotPresent", "Never"}, errors);
}

void claim_of_pod(const json::value& source, const FieldPath& path, FieldErrors& errors) {
  const json::value* claim = member(source, "volumeClaimTemplate");
  if (claim == nullptr) {
    errors.required(path.child("volumeClaimTemplate"));
  } else {
    claim_template(*claim, path.child("volumeClaimTemplate"), errors);
  }
}

}  // namespace

void volume_source(std::string_view kind, const json::value& source, PodRole role,
                   const FieldPath& path, FieldErrors& errors) {
  if (required_only(kind, source, path, errors)) {
    return;
  }
  if (kind == "emptyDir") {
    empty_dir(source, path, errors);
  } else if (kind == "hostPath") {
    host_path(source, path, errors);
  } else if (kind == "secret") {
    from_object("secretName", source, path, errors);
  } else if (kind == "configMap") {
    from_object("name", source, path, errors);
  } else if (kind == "downwardAPI") {
    file_mode(source, "defaultMode", path, errors);
    downward_items(source, nullptr, path, path, errors);
  } else if (kind == "projected") {
    projected(source, path, errors);
  } else if (kind == "csi") {
    csi(source, path, errors);
  } else if (kind == "ephemeral") {
    claim_of_pod(source, path, errors);
  } else if (kind == "image") {
    image(source, role, path, errors);
  } else if (kind == "gcePersistentDisk") {
    disk(source, "pdName", path, errors);
  } else if (kind == "awsElasticBlockStore") {
    disk(source, "volumeID", path, errors);
  } else if (kind == "fc") {
    fibre_channel(source, path, errors);
  } else if (kind == "iscsi") {
    iscsi(source, path, errors);
  } else if (kind == "flexVolume") {
    flex(source, path, errors);
  } else if (kind == "rbd") {
    with_monitors(source, "image", path, errors);
  } else if (kind == "cephfs") {
    with_monitors(source, "", path, errors);
  } else {
    local_volume(kind, source, path, errors);
  }
}

}  // namespace coracle::api::validation
