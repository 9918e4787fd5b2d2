#include <set>
#include <string>

#include "api/quantity.hpp"
#include "api/validation/checks.hpp"
#include "api/validation/pod_parts.hpp"
#include "api/validation/validation.hpp"

namespace coracle::api::validation {
namespace {

using checks::member;
using checks::text_of;

constexpr std::int64_t kModeMax = 0777;

void file_mode(const json::value& holder, std::string_view key, const FieldPath& path,
               FieldErrors& errors) {
  const json::value* mode = member(holder, key);
  if (mode != nullptr && mode->is_int64() &&
      (mode->get_int64() < 0 || mode->get_int64() > kModeMax)) {
    errors.invalid(path.child(key), *mode,
                   "must be a number between 0 and 0777 (octal), both inclusive");
  }
}

void key_items(const json::value& source, const FieldPath& path, FieldErrors& errors) {
  std::size_t index = 0;
  for (const json::value& item : get_array(source, "items")) {
    const FieldPath at = path.child("items").index(index++);
    checks::required_text(item, "key", at, errors);
    if (checks::required_text(item, "path", at, errors)) {
      checks::descending_path(text_of(item, "path"), at.child("path"), errors);
    }
    file_mode(item, "mode", at, errors);
  }
}

void downward_items(const json::value& source, const FieldPath& path, FieldErrors& errors) {
  static const std::vector<std::string> kFields = {"metadata.annotations", "metadata.labels",
                                                   "metadata.name", "metadata.namespace",
                                                   "metadata.uid"};
  std::size_t index = 0;
  for (const json::value& item : get_array(source, "items")) {
    const FieldPath at = path.child("items").index(index++);
    if (checks::required_text(item, "path", at, errors)) {
      checks::descending_path(text_of(item, "path"), at.child("path"), errors);
    }
    if (const json::value* field = member(item, "fieldRef")) {
      field_ref(*field, kFields, at.child("fieldRef"), errors);
    } else if (member(item, "resourceFieldRef") == nullptr) {
      errors.required(at, "one of fieldRef and resourceFieldRef is required");
    }
    file_mode(item, "mode", at, errors);
  }
}

void host_path(const json::value& source, const FieldPath& path, FieldErrors& errors) {
  static const std::vector<std::string> kTypes = {
      "",     "BlockDevice",  "CharDevice", "Directory", "DirectoryOrCreate",
      "File", "FileOrCreate", "Socket"};
  if (checks::required_text(source, "path", path, errors)) {
    const std::string_view text = text_of(source, "path");
    if (text.find("..") != std::string_view::npos) {
      errors.invalid(path.child("path"), checks::text_value(text), "must not contain '..'");
    }
  }
  checks::one_of_if_set(source, "type", path, kTypes, errors);
}

void projected(const json::value& source, const FieldPath& path, FieldErrors& errors) {
  file_mode(source, "defaultMode", path, errors);
  std::size_t index = 0;
  for (const json::value& part : get_array(source, "sources")) {
    const FieldPath at = path.child("sources").index(index++);
    int kinds = 0;
    for (const std::string_view key : {"secret", "configMap"}) {
      if (const json::value* from = member(part, key)) {
        ++kinds;
        checks::required_text(*from, "name", at.child(key), errors);
        key_items(*from, at.child(key), errors);
      }
    }
    if (const json::value* downward = member(part, "downwardAPI")) {
      ++kinds;
      downward_items(*downward, at.child("downwardAPI"), errors);
    }
    if (const json::value* token = member(part, "serviceAccountToken")) {
      ++kinds;
      const FieldPath token_path = at.child("serviceAccountToken");
      const json::value* seconds = member(*token, "expirationSeconds");
      if (seconds != nullptr && seconds->is_int64() && seconds->get_int64() < 600) {
        errors.invalid(token_path.child("expirationSeconds"), *seconds,
                       "may not specify a duration less than 10 minutes");
      }
      checks::required_text(*token, "path", token_path, errors);
    }
    kinds += member(part, "clusterTrustBundle") != nullptr ? 1 : 0;
    kinds += member(part, "podCertificate") != nullptr ? 1 : 0;
    if (kinds > 1) {
      errors.forbidden(at, "may not specify more than 1 volume type per source");
    }
  }
}

void one_source(std::string_view kind, const json::value& source, const FieldPath& path,
                FieldErrors& errors) {
  if (kind == "hostPath") {
    host_path(source, path, errors);
  } else if (kind == "secret") {
    checks::required_text(source, "secretName", path, errors);
    file_mode(source, "defaultMode", path, errors);
    key_items(source, path, errors);
  } else if (kind == "configMap") {
    checks::required_text(source, "name", path, errors);
    file_mode(source, "defaultMode", path, errors);
    key_items(source, path, errors);
  } else if (kind == "downwardAPI") {
    file_mode(source, "defaultMode", path, errors);
    downward_items(source, path, errors);
  } else if (kind == "projected") {
    projected(source, path, errors);
  } else if (kind == "persistentVolumeClaim") {
    checks::required_text(source, "claimName", path, errors);
  } else if (kind == "nfs") {
    checks::required_text(source, "server", path, errors);
    if (checks::required_text(source, "path", path, errors) &&
        !text_of(source, "path").starts_with('/')) {
      errors.invalid(path.child("path"), *member(source, "path"), "must be an absolute path");
    }
  } else if (kind == "csi") {
    checks::required_text(source, "driver", path, errors);
  }
}

void source(const json::value& volume, const FieldPath& path, FieldErrors& errors) {
  int kinds = 0;
  for (const std::string& key : checks::sorted_names(volume.get_object())) {
    if (key == "name") {
      continue;
    }
    if (kinds++ > 0) {
      errors.forbidden(path.child(key), "may not specify more than 1 volume type");
      continue;
    }
    one_source(key, volume.get_object().at(key), path.child(key), errors);
  }
  if (kinds == 0) {
    errors.required(path, "must specify a volume type");
  }
}

void access_modes(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  static const std::set<std::string, std::less<>> kModes = {"ReadOnlyMany", "ReadWriteMany",
                                                            "ReadWriteOnce", "ReadWriteOncePod"};
  const json::array& modes = get_array(spec, "accessModes");
  if (modes.empty()) {
    errors.required(path.child("accessModes"), "at least 1 access mode is required");
  }
  for (const json::value& mode : modes) {
    const std::string_view text =
        mode.is_string() ? std::string_view(mode.get_string()) : std::string_view();
    if (kModes.find(text) == kModes.end()) {
      errors.not_supported(path.child("accessModes"), mode, {kModes.begin(), kModes.end()});
    }
  }
}

}  // namespace

Volumes volumes(const json::value& spec, const FieldPath& path, FieldErrors& errors) {
  Volumes out;
  std::size_t index = 0;
  for (const json::value& volume : get_array(spec, "volumes")) {
    const FieldPath at = path.child("volumes").index(index++);
    if (!volume.is_object()) {
      continue;
    }
    const std::size_t before = errors.size();
    source(volume, at, errors);
    const std::string_view name = text_of(volume, "name");
    if (name.empty()) {
      errors.required(at.child("name"));
    } else {
      checks::dns_label(name, at.child("name"), errors);
    }
    if (out.find(name) != out.end()) {
      errors.duplicate(at.child("name"), checks::text_value(name));
    }
    // A broken volume is not there for the mounts either, as upstream has it.
    if (errors.size() == before) {
      out.emplace(name, &volume);
    }
  }
  return out;
}

void persistent_volume_claim(const json::value& object, const json::value* old,
                             FieldErrors& errors) {
  const FieldPath path("spec");
  const json::value* spec = member(object, "spec");
  if (spec == nullptr) {
    errors.required(path);
    return;
  }
  access_modes(*spec, path, errors);
  if (find(*spec, "resources.requests.storage") == nullptr) {
    errors.required(path.child("resources").key("storage"));
  }
  if (old == nullptr) {
    return;
  }
  // Only these may change: the volume's name, once; the class, where none was named; of a bound
  // claim its size and attributes.
  json::value now = *spec;
  json::value before = checks::value_or_null(member(*old, "spec"));
  const bool bound = get_string(object, "status.phase") == "Bound";
  const bool named = !text_of(before, "volumeName").empty();
  const bool had_class = member(before, "storageClassName") != nullptr;
  for (json::value* side : {&now, &before}) {
    json::object* members = side->if_object();
    if (members == nullptr) continue;
    if (bound) {
      if (find(*side, "resources.requests") != nullptr) {
        erase_key(make_object(*side, "resources.requests"), "storage");
      }
      erase_key(*members, "volumeAttributesClassName");
    }
    if (!named) erase_key(*members, "volumeName");
    if (!had_class) erase_key(*members, "storageClassName");
  }
  if (!checks::same(&now, &before)) {
    errors.forbidden(path,
                     "spec is immutable after creation except resources.requests and "
                     "volumeAttributesClassName for bound claims");
  }
  const auto size = [](const json::value& claim, std::string_view at) {
    const auto parsed = Quantity::parse(get_string(claim, at, "0"));
    return parsed.ok() ? *parsed : Quantity();
  };
  const Quantity asked = size(object, "spec.resources.requests.storage");
  // Upstream's way out of an expansion that failed: back to more than there is.
  if (asked < size(*old, "spec.resources.requests.storage") &&
      asked <= size(*old, "status.capacity.storage")) {
    errors.forbidden(path.child("resources").child("requests").child("storage"),
                     "field can not be less than status.capacity");
  }
}

void storage_class(const json::value& object, const json::value* old, FieldErrors& errors) {
  checks::required_text(object, "provisioner", FieldPath(), errors);
  checks::one_of(object, "reclaimPolicy", FieldPath(), {"Delete", "Retain"}, errors);
  checks::one_of(object, "volumeBindingMode", FieldPath(), {"Immediate", "WaitForFirstConsumer"},
                 errors);
  if (old == nullptr) {
    return;
  }
  for (const std::string_view key : {"parameters", "provisioner", "reclaimPolicy"}) {
    if (!checks::same(member(object, key), member(*old, key))) {
      errors.forbidden(FieldPath(key), "updates to " + std::string(key) + " are forbidden.");
    }
  }
  validate_immutable(member(object, "volumeBindingMode"), member(*old, "volumeBindingMode"),
                     FieldPath("volumeBindingMode"), errors);
}

}  // namespace coracle::api::validation
