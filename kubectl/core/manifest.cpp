#include "kubectl/manifest.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "base/yaml.hpp"
#include "kubectl/failure.hpp"

namespace coracle::kubectl {
namespace {

namespace fs = std::filesystem;

Status check_kind(const json::value& object, const std::string& source) {
  const bool no_kind = api::kind_of(object).empty();
  const bool no_version = api::api_version_of(object).empty();
  if (!no_kind && !no_version) return {};
  const std::string missing = no_kind && no_version ? "[apiVersion not set, kind not set]"
                              : no_kind             ? "kind not set"
                                                    : "apiVersion not set";
  return fail("error validating " + coracle::quoted(source) +
              ": error validating data: " + missing +
              "; if you choose to ignore these errors, turn validation off with "
              "--validate=false");
}

// A List's items, and lists in lists.
Status add_objects(json::value object, const YamlDocument& document, const std::string& source,
                   std::vector<ManifestObject>& out, int depth) {
  if (!object.is_object()) {
    return fail("error parsing " + source + ": error converting YAML to JSON: yaml: line " +
                std::to_string(document.line) + ": expected a mapping");
  }
  RETURN_IF_ERROR(check_kind(object, source));
  const std::string_view kind = api::kind_of(object);
  const bool is_list = kind.size() >= 4 && kind.substr(kind.size() - 4) == "List" &&
                       find(object, "items") && depth < 4;
  if (!is_list) {
    out.push_back({source, std::move(object), document.duplicates});
    return {};
  }
  for (const json::value& item : get_array(object, "items")) {
    RETURN_IF_ERROR(add_objects(item, document, source, out, depth + 1));
  }
  return {};
}

bool is_manifest(const fs::path& path) {
  return path.extension() == ".yaml" || path.extension() == ".yml" || path.extension() == ".json";
}

Result<std::vector<std::string>> files_of(const std::string& name, bool recursive) {
  std::error_code error;
  if (!fs::exists(name, error)) {
    return fail("the path " + coracle::quoted(name) + " does not exist");
  }
  if (!fs::is_directory(name, error)) return std::vector<std::string>{name};
  std::vector<std::string> out;
  const auto add = [&](const fs::directory_entry& entry) {
    if (!entry.is_directory(error) && is_manifest(entry.path())) out.push_back(entry.path());
  };
  if (recursive) {
    for (const auto& entry : fs::recursive_directory_iterator(name, error)) add(entry);
  } else {
    for (const auto& entry : fs::directory_iterator(name, error)) add(entry);
  }
  std::sort(out.begin(), out.end());
  if (out.empty()) {
    return fail("error reading [" + name + "]: recognized file extensions are [.json .yaml .yml]");
  }
  return out;
}

bool is_open_json(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos || text[begin] != '{') return false;
  return parse_json(std::string(text)).status().message().ends_with("incomplete JSON");
}

std::string text_of(std::istream& in) {
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::error_code error;
  if (!file || fs::is_directory(path, error)) {
    return fail(fs::exists(path, error) ? "open " + path + ": permission denied"
                                        : "open " + path + ": no such file or directory");
  }
  return text_of(file);
}

Result<std::vector<ManifestObject>> parse_manifest(std::string_view text,
                                                   const std::string& source) {
  auto documents = parse_yaml(text);
  // JSON that stops early is read as JSON upstream.
  if (!documents.ok() && is_open_json(text)) {
    return fail("error parsing " + source + ": unexpected EOF");
  }
  if (!documents.ok()) {
    return fail("error parsing " + source +
                ": error converting YAML to JSON: " + documents.status().message());
  }
  std::vector<ManifestObject> out;
  for (YamlDocument& document : *documents) {
    if (document.value.is_null()) continue;
    json::value object = document.value;
    RETURN_IF_ERROR(add_objects(std::move(object), document, source, out, 0));
  }
  return out;
}

Result<std::vector<ManifestObject>> read_manifests(const ManifestOptions& options,
                                                   std::istream& in) {
  std::vector<ManifestObject> out;
  const auto add = [&](std::string_view text, const std::string& source) -> Status {
    ASSIGN_OR_RETURN(auto objects, parse_manifest(text, source));
    for (ManifestObject& object : objects) out.push_back(std::move(object));
    return {};
  };
  for (const std::string& name : options.filenames) {
    if (name == "-") {
      RETURN_IF_ERROR(add(text_of(in), "STDIN"));
      continue;
    }
    if (name.find("://") != name.npos) {
      return fail("reading manifests from a URL is not supported: " + name);
    }
    ASSIGN_OR_RETURN(const auto files, files_of(name, options.recursive));
    for (const std::string& file : files) {
      ASSIGN_OR_RETURN(const std::string text, read_file(file));
      RETURN_IF_ERROR(add(text, file));
    }
  }
  if (out.empty()) return fail("no objects passed to " + std::string("the command"));
  return out;
}

}  // namespace coracle::kubectl
