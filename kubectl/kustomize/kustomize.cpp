#include "kustomize/kustomize.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/strings.hpp"
#include "base/yaml.hpp"
#include "kustomize/generators.hpp"
#include "kustomize/patches.hpp"
#include "kustomize/references.hpp"
#include "kustomize/transforms.hpp"

namespace coracle::kustomize {
namespace {

constexpr std::array<const char*, 3> kNames = {"kustomization.yaml", "kustomization.yml",
                                               "Kustomization"};
constexpr std::array<std::string_view, 20> kMembers = {"apiVersion",
                                                       "kind",
                                                       "metadata",
                                                       "resources",
                                                       "bases",
                                                       "namePrefix",
                                                       "nameSuffix",
                                                       "namespace",
                                                       "labels",
                                                       "commonLabels",
                                                       "commonAnnotations",
                                                       "configMapGenerator",
                                                       "secretGenerator",
                                                       "generatorOptions",
                                                       "patches",
                                                       "patchesStrategicMerge",
                                                       "patchesJson6902",
                                                       "images",
                                                       "replicas",
                                                       "sortOptions"};

// "a/b/../c" is "a/c".
std::string joined(const std::string& directory, const std::string& path) {
  if (path.starts_with('/')) return path;
  std::vector<std::string> parts;
  for (const std::string& part : split(directory + "/" + path, '/')) {
    const bool up = part == ".." && !parts.empty() && parts.back() != "..";
    if (up && !parts.back().empty()) {
      parts.pop_back();
    } else if (part != "." && (!part.empty() || parts.empty())) {
      parts.push_back(part);
    }
  }
  return parts.empty() ? "." : join(parts, "/");
}

class Build {
 public:
  explicit Build(const Files& files) : files_(files) {}

  Result<Resources> run(const std::string& directory, int depth) {
    if (depth > kDepthMax) {
      return invalid_argument(directory + ": directories name each other, or too many do");
    }
    ASSIGN_OR_RETURN(const auto found, read_kustomization(directory));
    const auto& [file, text] = found;
    auto parsed = parse_yaml_one(text);
    if (!parsed.ok()) return parsed.status().with_context(file);
    const Status form = check_form(*parsed);
    if (!form.ok()) return form.with_context(file);
    Resources resources;
    RETURN_IF_ERROR(take_resources(directory, *parsed, depth, &resources));
    const Status changed = change(directory, *parsed, &resources);
    if (!changed.ok()) return changed.with_context(file);
    if (depth == 0) sorted_ = get_string(*parsed, "sortOptions.order", "legacy") != "fifo";
    return resources;
  }
  bool sorted() const { return sorted_; }

 private:
  Result<std::pair<std::string, std::string>> read_kustomization(const std::string& directory) {
    for (const char* name : kNames) {
      auto text = files_.read(directory + "/" + name);
      if (text.ok()) return std::pair(directory + "/" + name, std::move(*text));
    }
    return not_found(fmt::format(
        "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in "
        "directory '{}'",
        directory));
  }

  static Status check_form(const json::value& document) {
    if (!document.is_object()) return invalid_argument("want a mapping");
    for (const auto& [key, value] : document.as_object()) {
      if (std::find(kMembers.begin(), kMembers.end(), key) == kMembers.end()) {
        return invalid_argument(
            fmt::format("field \"{}\" is not supported", std::string_view(key)));
      }
    }
    const std::string_view kind = get_string(document, "kind", "Kustomization");
    if (kind == "Kustomization") return {};
    return invalid_argument(fmt::format("kind {} is not supported; want Kustomization", kind));
  }

  Status take_resources(const std::string& directory, const json::value& document, int depth,
                        Resources* out) {
    for (const char* list : {"resources", "bases"}) {
      for (const json::value& entry : get_array(document, list)) {
        const std::string name(entry.is_string() ? std::string_view(entry.as_string()) : "");
        if (name.empty()) return invalid_argument(fmt::format("{}: want paths", list));
        if (name.find("://") != name.npos || name.starts_with("git@")) {
          return invalid_argument(
              fmt::format("{}: {}: remote resources are not supported", list, name));
        }
        const std::string path = joined(directory, name);
        if (files_.is_directory(path)) {
          ASSIGN_OR_RETURN(Resources below, run(path, depth + 1));
          out->insert(out->end(), std::make_move_iterator(below.begin()),
                      std::make_move_iterator(below.end()));
        } else {
          RETURN_IF_ERROR(take_file(path, out));
        }
      }
    }
    return {};
  }

  Status take_file(const std::string& path, Resources* out) {
    if (++read_ > kFilesMax) return invalid_argument(path + ": too many files");
    ASSIGN_OR_RETURN(const std::string text, files_.read(path));
    auto documents = parse_yaml(text);
    if (!documents.ok()) return documents.status().with_context(path);
    for (YamlDocument& document : *documents) {
      if (document.value.is_null()) continue;
      RETURN_IF_ERROR(take_object(path, std::move(document.value), out));
    }
    return {};
  }

  static Status take_object(const std::string& path, json::value object, Resources* out) {
    const std::string_view kind = get_string(object, "kind");
    if (kind.ends_with("List") && find(object, "items") != nullptr) {
      for (const json::value& item : get_array(object, "items")) {
        RETURN_IF_ERROR(take_object(path, item, out));
      }
      return {};
    }
    if (kind.empty() || get_string(object, "metadata.name").empty()) {
      return invalid_argument(path + ": an object without kind or metadata.name");
    }
    Resource taken;
    taken.object = std::move(object);
    taken.first_ns = taken.ns();
    for (const Resource& other : *out) {
      const bool same = other.kind() == taken.kind() && other.name() == taken.name() &&
                        other.ns() == taken.ns() &&
                        group_version(other.object).first == group_version(taken.object).first;
      if (same) {
        return invalid_argument(
            fmt::format("{}: may not add resource with an already registered id: {} {}", path,
                        taken.kind(), taken.name()));
      }
    }
    out->push_back(std::move(taken));
    return {};
  }

  // In kustomize's order.
  Status change(const std::string& directory, const json::value& document, Resources* resources) {
    static const json::value kNone = json::object();
    const json::value* options = find(document, "generatorOptions");
    for (const bool secret : {false, true}) {
      for (const json::value& entry :
           get_array(document, secret ? "secretGenerator" : "configMapGenerator")) {
        RETURN_IF_ERROR(generate(directory, entry, secret, options == nullptr ? kNone : *options,
                                 files_, resources));
      }
    }
    RETURN_IF_ERROR(patch(directory, document, resources));
    set_namespace(std::string(get_string(document, "namespace")), *resources);
    add_affixes(std::string(get_string(document, "namePrefix")),
                std::string(get_string(document, "nameSuffix")), *resources);
    label(document, resources);
    const json::object& annotations = get_object(document, "commonAnnotations");
    if (!annotations.empty()) add_annotations(annotations, *resources);
    for (const json::value& entry : get_array(document, "patchesJson6902")) {
      RETURN_IF_ERROR(patch_by(directory, entry, "patchesJson6902", resources));
    }
    for (const json::value& entry : get_array(document, "replicas")) {
      RETURN_IF_ERROR(set_replicas(entry, *resources));
    }
    for (const json::value& entry : get_array(document, "images")) set_images(entry, *resources);
    follow_names(*resources);
    return {};
  }

  Status patch(const std::string& directory, const json::value& document, Resources* resources) {
    for (const json::value& entry : get_array(document, "patchesStrategicMerge")) {
      if (!entry.is_string()) return invalid_argument("patchesStrategicMerge: want texts or files");
      std::string text(entry.as_string());
      if (text.find('\n') == text.npos) {
        ASSIGN_OR_RETURN(text, files_.read(joined(directory, text)));
      }
      RETURN_IF_ERROR(apply_patch(text, nullptr, resources).with_context("patchesStrategicMerge"));
    }
    for (const json::value& entry : get_array(document, "patches")) {
      RETURN_IF_ERROR(patch_by(directory, entry, "patches", resources));
    }
    return {};
  }

  // {path | patch, target}
  Status patch_by(const std::string& directory, const json::value& entry, const char* list,
                  Resources* resources) {
    const std::string path(get_string(entry, "path"));
    std::string text(get_string(entry, "patch"));
    if (path.empty() == text.empty()) {
      return invalid_argument(fmt::format("{}: want either path or patch", list));
    }
    if (!path.empty()) {
      ASSIGN_OR_RETURN(text, files_.read(joined(directory, path)));
    }
    const std::string what = path.empty() ? list : fmt::format("{}: {}", list, path);
    return apply_patch(text, find(entry, "target"), resources).with_context(what);
  }

  static void label(const json::value& document, Resources* resources) {
    for (const json::value& entry : get_array(document, "labels")) {
      add_labels(get_object(entry, "pairs"),
                 {get_bool(entry, "includeSelectors"), get_bool(entry, "includeTemplates")},
                 *resources);
    }
    const json::object& common = get_object(document, "commonLabels");
    if (!common.empty()) add_labels(common, {true, true}, *resources);
  }

  const Files& files_;
  bool sorted_ = true;
  int read_ = 0;
};

}  // namespace

Result<std::vector<json::value>> build(const std::string& directory, const Files& files) {
  Build run(files);
  ASSIGN_OR_RETURN(Resources resources, run.run(joined(directory, "."), 0));
  for (Resource& resource : resources) {
    if (!resource.hashed) continue;
    resource.rename(resource.name() + "-" + content_suffix(resource.object));
  }
  follow_names(resources);
  if (run.sorted()) sort_for_creation(resources);
  std::vector<json::value> objects;
  for (Resource& resource : resources) objects.push_back(std::move(resource.object));
  return objects;
}

}  // namespace coracle::kustomize
