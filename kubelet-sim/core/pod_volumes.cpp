#include "kubelet/pod_volumes.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace coracle::kubelet {
namespace {

constexpr int kDefaultMode = 0644;

int mode_of(const json::value& item, int fallback) {
  const json::value* mode = find(item, "mode");
  return mode != nullptr && mode->is_int64() ? static_cast<int>(mode->get_int64() & 0777)
                                             : fallback;
}

// The files of a ConfigMap or a Secret: all keys, or the items.
Status add_keyed(const VolumeInput& in, const json::value& source, bool secret, int mode,
                 std::vector<VolumeFile>* files) {
  std::string_view name = get_string(source, "name");
  if (name.empty()) name = get_string(source, "secretName");
  const auto& known = secret ? in.sources.secrets : in.sources.config_maps;
  const bool optional = get_bool(source, "optional");
  const char* const kind = secret ? "secret" : "configmap";
  const auto found = known.find(name);
  if (found == known.end() || found->second.is_null()) {
    if (optional) return {};
    return failed_precondition(fmt::format("{} \"{}\" not found", kind, name));
  }
  const auto content_of = [&](std::string_view key) -> const json::value* {
    for (const char* field : {"data", "binaryData"}) {
      const json::value* value = find_keys(found->second, {field, key});
      if (value != nullptr && value->is_string()) return value;
    }
    return nullptr;
  };
  const json::array& items = get_array(source, "items");
  for (const json::value& item : items) {
    const std::string_view key = get_string(item, "key");
    const json::value* value = content_of(key);
    if (value == nullptr) {
      if (optional) continue;
      return failed_precondition(
          fmt::format("references non-existent {} key: {}", secret ? "secret" : "config", key));
    }
    files->push_back({std::string(get_string(item, "path")), std::string(value->get_string()),
                      mode_of(item, mode)});
  }
  if (!items.empty()) return {};
  for (const char* field : {"data", "binaryData"}) {
    for (const auto& member : get_object(found->second, field)) {
      if (!member.value().is_string()) continue;
      files->push_back({std::string(member.key()), std::string(member.value().get_string()), mode});
    }
  }
  return {};
}

Status add_downward(const VolumeInput& in, const json::value& source, int mode,
                    std::vector<VolumeFile>* files) {
  for (const json::value& item : get_array(source, "items")) {
    std::string text;
    if (const json::value* field = find(item, "fieldRef")) {
      ASSIGN_OR_RETURN(text, pod_field(in.pod, in.place, get_string(*field, "fieldPath")));
    } else if (const json::value* resource = find(item, "resourceFieldRef")) {
      static const json::value none = json::object();
      ASSIGN_OR_RETURN(text, resource_field(in.pod, *resource, none, in.node));
    }
    files->push_back({std::string(get_string(item, "path")), std::move(text), mode_of(item, mode)});
  }
  return {};
}

}  // namespace

bool is_file_volume(const json::value& volume) {
  for (const char* kind : {"configMap", "secret", "downwardAPI", "projected"}) {
    if (find(volume, kind) != nullptr) return true;
  }
  return false;
}

SourceNames volume_sources(const json::value& volume) {
  SourceNames names;
  const auto add = [&](const json::value& source) {
    if (const auto n = get_string(source, "configMap.name"); !n.empty()) {
      names.config_maps.emplace(n);
    }
    for (const char* field : {"secret.name", "secret.secretName"}) {
      if (const auto n = get_string(source, field); !n.empty()) names.secrets.emplace(n);
    }
  };
  add(volume);
  for (const json::value& source : get_array(volume, "projected.sources")) add(source);
  return names;
}

Result<VolumeContent> volume_content(const VolumeInput& in) {
  VolumeContent out;
  const auto add = [&](const json::value& source, int mode) -> Status {
    if (const json::value* map = find(source, "configMap")) {
      RETURN_IF_ERROR(add_keyed(in, *map, false, mode, &out.files));
    }
    if (const json::value* secret = find(source, "secret")) {
      RETURN_IF_ERROR(add_keyed(in, *secret, true, mode, &out.files));
    }
    if (const json::value* downward = find(source, "downwardAPI")) {
      RETURN_IF_ERROR(add_downward(in, *downward, mode, &out.files));
    }
    if (const json::value* token = find(source, "serviceAccountToken")) {
      out.tokens.push_back({std::string(get_string(*token, "path")),
                            std::string(get_string(*token, "audience")),
                            get_int(*token, "expirationSeconds", 3600), mode});
    }
    return {};
  };
  int mode = kDefaultMode;
  for (const char* path : {"configMap.defaultMode", "secret.defaultMode", "downwardAPI.defaultMode",
                           "projected.defaultMode"}) {
    mode = static_cast<int>(get_int(in.volume, path, mode) & 0777);
  }
  RETURN_IF_ERROR(add(in.volume, mode));
  for (const json::value& source : get_array(in.volume, "projected.sources")) {
    RETURN_IF_ERROR(add(source, mode));
  }
  return out;
}

}  // namespace coracle::kubelet
