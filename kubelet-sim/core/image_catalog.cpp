#include "kubelet/image_catalog.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/check.hpp"
#include "base/yaml.hpp"
#include "kubelet/builtin_images.hpp"
#include "kubelet/pull_secrets.hpp"

namespace coracle::kubelet {
namespace {

Status bad(const std::string& image, const std::string& what) {
  return invalid_argument(fmt::format("image catalog: image \"{}\": {}", image, what));
}

Status read_duration(const std::string& image, std::string_view field, const json::value& v,
                     Duration* out) {
  if (!v.is_string()) return bad(image, fmt::format("{} must be a duration like 300ms", field));
  const auto parsed = parse_duration(std::string_view(v.get_string()));
  if (!parsed.ok() || *parsed < Duration(0)) {
    return bad(image, fmt::format("{} must be a duration like 300ms", field));
  }
  *out = *parsed;
  return {};
}

Status read_strings(const std::string& image, std::string_view field, const json::value& v,
                    std::vector<std::string>* out) {
  out->clear();
  if (!v.is_array()) return bad(image, fmt::format("{} must be a list", field));
  for (const json::value& item : v.get_array()) {
    if (!item.is_string()) return bad(image, fmt::format("{} must hold strings", field));
    out->emplace_back(item.get_string());
  }
  return {};
}

Status read_map(const std::string& image, std::string_view field, const json::value& v,
                std::vector<std::pair<std::string, std::string>>* out) {
  out->clear();
  if (!v.is_object()) return bad(image, fmt::format("{} must be a map of strings", field));
  for (const auto& member : v.get_object()) {
    if (!member.value().is_string()) {
      return bad(image, fmt::format("{} must be a map of strings", field));
    }
    out->emplace_back(member.key(), member.value().get_string());
  }
  return {};
}

Status read_field(const std::string& image, std::string_view key, const json::value& v,
                  ImageBehaviour* b) {
  const bool text = v.is_string();
  if (key == "name" || key == "like") return {};
  if (key == "pull") return read_duration(image, key, v, &b->pull);
  if (key == "start") return read_duration(image, key, v, &b->start);
  if (key == "stop") return read_duration(image, key, v, &b->stop);
  if (key == "logs") return read_strings(image, key, v, &b->logs);
  if (key == "missingTags") return read_strings(image, key, v, &b->missing_tags);
  for (const auto& [name, curve] :
       {std::pair{"cpu", &b->cpu}, std::pair{"memory", &b->memory}, std::pair{"disk", &b->disk}}) {
    if (key != name) continue;
    auto parsed = UsageCurve::parse(v);
    if (!parsed.ok()) return bad(image, fmt::format("{} {}", key, parsed.status().message()));
    *curve = *std::move(parsed);
    return {};
  }
  if (key == "runFor" || key == "readyAfter") {
    std::optional<Duration>& slot = key == "runFor" ? b->run_for : b->ready_after;
    const std::string_view never = key == "runFor" ? "forever" : "never";
    if (text && v.get_string() == never) {
      slot.reset();
      return {};
    }
    return read_duration(image, key, v, &slot.emplace());
  }
  if (key == "entrypoint") return read_strings(image, key, v, &b->entrypoint);
  if (key == "cmd") return read_strings(image, key, v, &b->cmd);
  if (key == "credentials") return read_map(image, key, v, &b->credentials);
  if (key == "env") return read_map(image, key, v, &b->env);
  if (key == "programs") return read_map(image, key, v, &b->programs);
  if (key == "files") return read_map(image, key, v, &b->files);
  for (const auto& [name, slot] :
       {std::pair{"workingDir", &b->working_dir}, std::pair{"version", &b->version},
        std::pair{"versionEnv", &b->version_env}}) {
    if (key != name || !text) continue;
    *slot = v.get_string();
    return {};
  }
  for (const auto& [name, slot] : {std::pair{"user", &b->user}, std::pair{"group", &b->group}}) {
    if (key != name || !v.is_int64() || v.get_int64() < 0) continue;
    *slot = v.get_int64();
    return {};
  }
  if (key == "exitCode" && v.is_int64() && v.get_int64() >= 0 && v.get_int64() <= 255) {
    b->exit_code = static_cast<int>(v.get_int64());
    return {};
  }
  if (key == "exitCode") return bad(image, "exitCode must be a number from 0 to 255");
  if (key == "shell" && v.is_bool()) {
    b->shell = v.get_bool();
    return {};
  }
  return bad(image, fmt::format("unknown or mistyped field \"{}\"", key));
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// What is wrong with the text of an image reference; empty if nothing is.
std::string reference_error(std::string_view reference) {
  const std::string_view rest = reference.substr(0, reference.find('@'));
  const size_t slash = rest.rfind('/');
  const size_t colon = rest.find(':', slash == std::string_view::npos ? 0 : slash);
  const std::string_view name = rest.substr(0, colon);
  const std::string_view tag = colon == std::string_view::npos ? "latest" : rest.substr(colon + 1);
  const auto bad = [](std::string_view text, std::string_view others) {
    return text.empty() || std::any_of(text.begin(), text.end(), [&](char c) {
             return !is_word(c) && others.find(c) == std::string_view::npos;
           });
  };
  if (bad(name, "-./:") || bad(tag, "-.") || tag.size() > 128 || !is_word(name.front()) ||
      !is_word(name.back()) || name.find("//") != std::string_view::npos) {
    return "invalid reference format";
  }
  // A registry's name may have capitals, a repository's not.
  const size_t first = name.find('/');
  const std::string_view host = name.substr(0, first);
  const bool registry = first != std::string_view::npos &&
                        (host.find('.') != std::string_view::npos ||
                         host.find(':') != std::string_view::npos || host == "localhost");
  const std::string_view path = registry ? name.substr(first + 1) : name;
  if (path.find(':') != std::string_view::npos) return "invalid reference format";
  if (std::any_of(path.begin(), path.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) {
    return fmt::format("invalid reference format: repository name ({}{}) must be lowercase",
                       first == std::string_view::npos ? "library/" : "", path);
  }
  return {};
}

// Names that are set aside for hosts that are nowhere (RFC 2606), as test suites use them.
bool is_nowhere(std::string_view host) {
  const std::string_view name = host.substr(0, host.find(':'));
  return name.starts_with("invalid.") || name.ends_with(".invalid");
}

}  // namespace

ImageName parse_image(std::string_view reference) {
  std::string_view rest = reference.substr(0, reference.find('@'));
  ImageName image;
  const size_t slash = rest.rfind('/');
  const size_t colon = rest.rfind(':');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    image.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  } else {
    image.tag = "latest";
  }
  for (const std::string_view prefix : {"docker.io/", "library/"}) {
    if (rest.starts_with(prefix)) rest.remove_prefix(prefix.size());
  }
  image.name = rest;
  return image;
}

std::vector<std::pair<std::string, std::string>> ImageBehaviour::environment(
    std::string_view tag) const {
  auto out = env;
  if (version_env.empty()) return out;
  const std::string_view number = tag.substr(0, tag.find('-'));
  const bool is_version = number.find('.') != std::string_view::npos &&
                          number.find_first_not_of("v.0123456789") == std::string_view::npos;
  out.emplace_back(version_env, is_version ? std::string(number) : version);
  return out;
}

ImageCatalog ImageCatalog::builtin() {
  ImageCatalog catalog;
  const Status added = catalog.add(builtin_images());
  CHECK_MSG(added.ok(), added.to_string());
  return catalog;
}

Status ImageCatalog::add(std::string_view yaml) {
  ASSIGN_OR_RETURN(const json::value root, parse_yaml_strict(yaml));
  const json::value* list = find_keys(root, {"images"});
  if (list == nullptr || !list->is_array()) {
    return invalid_argument("image catalog: it must be a map with a list \"images\"");
  }
  for (const json::value& entry : list->get_array()) {
    const std::string name(get_string(entry, "name"));
    if (name.empty()) return invalid_argument("image catalog: an image without a name");
    // What an entry does not say, the general one says.
    const auto general = images_.find("*");
    ImageBehaviour behaviour = general == images_.end() ? ImageBehaviour() : general->second;
    if (const std::string like(get_string(entry, "like")); !like.empty()) {
      const auto model = images_.find(like);
      if (model == images_.end()) return bad(name, fmt::format("like: there is no \"{}\"", like));
      behaviour = model->second;
    }
    for (const auto& member : entry.get_object()) {
      RETURN_IF_ERROR(read_field(name, member.key(), member.value(), &behaviour));
    }
    images_[name] = std::move(behaviour);
  }
  return {};
}

const ImageBehaviour& ImageCatalog::find(std::string_view reference) const {
  const std::string name = parse_image(reference).name;
  const auto exact = images_.find(name);
  if (exact != images_.end()) return exact->second;
  // A copy in another registry ("registry.example:5000/team/nginx") behaves like the original.
  const size_t host = name.find('/');
  if (host != std::string::npos && name.find_first_of(".:") < host) {
    const auto original = images_.find(name.substr(name.rfind('/') + 1));
    if (original != images_.end()) return original->second;
  }
  static const ImageBehaviour plain;
  const auto general = images_.find("*");
  return general == images_.end() ? plain : general->second;
}

std::optional<PullFailure> ImageCatalog::pull_failure(std::string_view reference) const {
  if (const std::string why = reference_error(reference); !why.empty()) {
    return PullFailure{"InvalidImageName",
                       fmt::format("Failed to apply default image tag \"{}\": couldn't parse image "
                                   "name \"{}\": {}",
                                   reference, reference, why)};
  }
  const ImageName image = parse_image(reference);
  if (const std::string host = registry_of(reference); is_nowhere(host)) {
    return PullFailure{
        "ErrImagePull",
        fmt::format("failed to pull and unpack image \"{0}:{1}\": failed to resolve reference "
                    "\"{0}:{1}\": failed to do request: Head \"https://{2}/v2{3}/manifests/{1}\": "
                    "dial tcp: lookup {4}: no such host",
                    image.name, image.tag, host, image.name.substr(host.size()),
                    host.substr(0, host.find(':')))};
  }
  const auto& missing = find(reference).missing_tags;
  if (std::find(missing.begin(), missing.end(), image.tag) == missing.end()) return std::nullopt;
  const std::string full =
      fmt::format("docker.io/{}{}:{}", image.name.find('/') == std::string::npos ? "library/" : "",
                  image.name, image.tag);
  return PullFailure{"ErrImagePull", fmt::format("failed to pull and unpack image \"{}\": failed "
                                                 "to resolve reference \"{}\": {}: not found",
                                                 full, full, full)};
}

}  // namespace coracle::kubelet
