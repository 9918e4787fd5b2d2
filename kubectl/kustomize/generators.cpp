#include "kustomize/generators.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/object.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "base/utf8.hpp"

namespace coracle::kustomize {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string without_quotes(const std::string& text) {
  const bool quoted = text.size() >= 2 && text.front() == text.back() &&
                      (text.front() == '"' || text.front() == '\'');
  return quoted ? text.substr(1, text.size() - 2) : text;
}

std::vector<std::string> strings(const json::value& entry, const char* name) {
  std::vector<std::string> all;
  for (const json::value& one : get_array(entry, name)) {
    if (one.is_string()) all.emplace_back(one.as_string());
  }
  return all;
}

Status read_literals(const json::value& entry, Pairs* pairs) {
  for (const std::string& literal : strings(entry, "literals")) {
    const size_t equals = literal.find('=');
    if (equals == literal.npos || equals == 0) {
      return invalid_argument(
          fmt::format("literals: invalid literal source {}, expected key=value", literal));
    }
    pairs->emplace_back(literal.substr(0, equals), without_quotes(literal.substr(equals + 1)));
  }
  return {};
}

Status read_env_file(const std::string& text, Pairs* pairs) {
  for (const std::string& raw : split(text, '\n')) {
    std::string line(raw.ends_with('\r') ? raw.substr(0, raw.size() - 1) : raw);
    line.erase(0, std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.empty() || line.front() == '#') continue;
    const size_t equals = line.find('=');
    if (equals == line.npos || equals == 0) {
      return invalid_argument(fmt::format("envs: want KEY=VALUE in each line, got {}", line));
    }
    pairs->emplace_back(line.substr(0, equals), line.substr(equals + 1));
  }
  return {};
}

Result<Pairs> read_sources(const std::string& directory, const json::value& entry,
                           const Files& files) {
  Pairs pairs;
  std::vector<std::string> envs = strings(entry, "envs");
  if (const std::string one(get_string(entry, "env")); !one.empty()) envs.push_back(one);
  for (const std::string& file : envs) {
    ASSIGN_OR_RETURN(const std::string text, files.read(directory + "/" + file));
    RETURN_IF_ERROR(read_env_file(text, &pairs));
  }
  RETURN_IF_ERROR(read_literals(entry, &pairs));
  for (const std::string& file : strings(entry, "files")) {
    const size_t equals = file.find('=');
    const std::string path = equals == file.npos ? file : file.substr(equals + 1);
    const size_t slash = path.rfind('/');
    const std::string base = slash == path.npos ? path : path.substr(slash + 1);
    ASSIGN_OR_RETURN(std::string text, files.read(directory + "/" + path));
    pairs.emplace_back(equals == file.npos ? base : file.substr(0, equals), std::move(text));
  }
  return pairs;
}

Status put_data(const Pairs& pairs, bool secret, json::value* object) {
  for (const auto& [key, value] : pairs) {
    if (const auto bad = api::check_config_map_key(key); !bad.empty()) {
      return invalid_argument(fmt::format("\"{}\" is not a valid key name: {}", key, bad.front()));
    }
    const bool text = !secret && is_utf8(value);
    json::object& data = make_object(*object, secret || text ? "data" : "binaryData");
    if (data.contains(key)) {
      return invalid_argument(
          fmt::format("cannot add key {}, another key by that name already exists", key));
    }
    data[key] = text ? value : base64_encode(value);
  }
  return {};
}

// Labels and annotations of generatorOptions and of the entry's own options.
void put_options(const json::value& options, json::value* object) {
  for (const char* name : {"labels", "annotations"}) {
    for (const auto& [key, value] : get_object(options, name)) {
      make_object(*object, std::string("metadata.") + name)[key] = value;
    }
  }
  if (get_bool(options, "immutable")) object->as_object()["immutable"] = true;
}

void merge_data(const json::value& from, json::value* into) {
  for (const char* data : {"data", "binaryData"}) {
    for (const auto& [key, value] : get_object(from, data)) make_object(*into, data)[key] = value;
  }
  for (const char* name : {"labels", "annotations"}) {
    const std::string path = std::string("metadata.") + name;
    for (const auto& [key, value] : get_object(from, path)) make_object(*into, path)[key] = value;
  }
}

Status add_as(const std::string& behavior, Resource made, Resources* resources) {
  const auto same = std::find_if(resources->begin(), resources->end(), [&](const Resource& one) {
    return one.kind() == made.kind() && one.was_named(made.name()) &&
           (made.ns().empty() || one.ns() == made.ns());
  });
  const bool create = behavior.empty() || behavior == "create" || behavior == "unspecified";
  if (!create && behavior != "merge" && behavior != "replace") {
    return invalid_argument(fmt::format("behavior: {}: want create, merge or replace", behavior));
  }
  if (create != (same == resources->end())) {
    return invalid_argument(create ? fmt::format("may not add resource with an already registered "
                                                 "id: {} {}",
                                                 made.kind(), made.name())
                                   : fmt::format("id {} {} does not exist; cannot merge or replace",
                                                 made.kind(), made.name()));
  }
  if (create) {
    resources->push_back(std::move(made));
    return {};
  }
  if (behavior == "replace") {
    for (const char* data : {"data", "binaryData"}) {
      erase_key(same->object.as_object(), data);
    }
  }
  merge_data(made.object, &same->object);
  same->hashed = same->hashed || made.hashed;
  return {};
}

// As Go's encoding/json escapes.
std::string go_escaped(std::string text) {
  std::string out;
  for (const char c : text) {
    if (c == '<' || c == '>' || c == '&') {
      out += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

Status generate(const std::string& directory, const json::value& entry, bool secret,
                const json::value& options, const Files& files, Resources* resources) {
  const std::string kind = secret ? "Secret" : "ConfigMap";
  const std::string name(get_string(entry, "name"));
  if (name.empty()) return invalid_argument(kind + " generator: name: Required value");
  Resource made;
  made.object = json::object{
      {"apiVersion", "v1"}, {"kind", kind}, {"metadata", json::object{{"name", name}}}};
  if (secret) made.object.as_object()["type"] = get_string(entry, "type", "Opaque");
  const std::string ns(get_string(entry, "namespace"));
  if (!ns.empty()) set_path(made.object, "metadata.namespace", json::value(ns));
  auto pairs = read_sources(directory, entry, files);
  const std::string what = fmt::format("{} generator {}", kind, name);
  if (!pairs.ok()) return pairs.status().with_context(what);
  RETURN_IF_ERROR(put_data(*pairs, secret, &made.object).with_context(what));
  put_options(options, &made.object);
  const json::value* own = find(entry, "options");
  if (own != nullptr) put_options(*own, &made.object);
  made.hashed = !get_bool(options, "disableNameSuffixHash") &&
                !(own != nullptr && get_bool(*own, "disableNameSuffixHash"));
  return add_as(std::string(get_string(entry, "behavior")), std::move(made), resources)
      .with_context(what);
}

std::string content_suffix(const json::value& object) {
  json::object content{{"kind", get_string(object, "kind")}, {"name", ""}};
  const bool secret = get_string(object, "kind") == "Secret";
  const json::value* data = find(object, "data");
  content["data"] = data == nullptr ? json::value("") : *data;
  if (secret) content["type"] = get_string(object, "type");
  for (const char* more : {"binaryData", "stringData"}) {
    const json::value* there = find(object, more);
    if (there != nullptr) content[more] = *there;
  }
  const std::string digest =
      hex_encode(sha256(go_escaped(to_json(sorted_keys(json::value(content))))));
  std::string suffix = digest.substr(0, 10);
  for (char& c : suffix) {  // no vowels, so that no word comes out
    constexpr std::string_view kFrom = "013ae", kTo = "ghkmt";
    if (const size_t at = kFrom.find(c); at != kFrom.npos) c = kTo[at];
  }
  return suffix;
}

}  // namespace coracle::kustomize
