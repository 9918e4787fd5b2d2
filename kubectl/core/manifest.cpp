#include "kubectl/manifest.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "base/yaml.hpp"
#include "kubectl/failure.hpp"
#include "kustomize/kustomize.hpp"

namespace coracle::kubectl {
namespace {

namespace fs = std::filesystem;

Status check_kind(const json::value& object, const std::string& source, bool validates) {
  const bool no_kind = api::kind_of(object).empty();
  const bool no_version = api::api_version_of(object).empty();
  if (!no_kind && !no_version) return {};
  if (!validates && no_kind) {
    return fail("unable to decode " + coracle::quoted(source) + ": Object 'Kind' is missing in '" +
                to_json(sorted_keys(object)) + "'");
  }
  const std::string missing = no_kind && no_version ? "[apiVersion not set, kind not set]"
                              : no_kind             ? "kind not set"
                                                    : "apiVersion not set";
  return fail("error validating " + coracle::quoted(source) +
              ": error validating data: " + missing +
              "; if you choose to ignore these errors, turn validation off with "
              "--validate=false");
}

// Where documents go, and what was wrong with others.
struct Reading {
  const std::string& source;
  bool validates;
  std::vector<ManifestObject>& out;
};

// A List's items, and lists in lists.
Status add_objects(const Reading& to, json::value object, const YamlDocument& document, int depth) {
  if (!object.is_object()) {
    return fail("error parsing " + to.source + ": error converting YAML to JSON: yaml: line " +
                std::to_string(document.line) + ": expected a mapping");
  }
  RETURN_IF_ERROR(check_kind(object, to.source, to.validates));
  const std::string_view kind = api::kind_of(object);
  const bool is_list = kind.size() >= 4 && kind.substr(kind.size() - 4) == "List" &&
                       find(object, "items") && depth < 4;
  if (!is_list) {
    to.out.push_back({to.source, std::move(object), document.duplicates});
    return {};
  }
  for (const json::value& item : get_array(object, "items")) {
    RETURN_IF_ERROR(add_objects(to, item, document, depth + 1));
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

void parse_into(const Reading& to, std::string_view text, std::vector<Status>& failures) {
  auto documents = parse_yaml(text);
  // JSON that stops early is read as JSON upstream.
  if (!documents.ok() && is_open_json(text)) {
    failures.push_back(fail("error parsing " + to.source + ": unexpected EOF"));
    return;
  }
  if (!documents.ok()) {
    failures.push_back(fail("error parsing " + to.source +
                            ": error converting YAML to JSON: " + documents.status().message()));
    return;
  }
  for (YamlDocument& document : *documents) {
    if (document.value.is_null()) continue;
    Status status = add_objects(to, document.value, document, 0);
    if (!status.ok()) failures.push_back(std::move(status));
  }
}

// Nothing: it is no file that can be read.
std::optional<std::string> bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::error_code error;
  if (!file || fs::is_directory(path, error)) return std::nullopt;
  return text_of(file);
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  if (auto text = bytes_of(path)) return std::move(*text);
  std::error_code error;
  return fail(fs::exists(path, error) ? "open " + path + ": permission denied"
                                      : "open " + path + ": no such file or directory");
}

Result<std::vector<ManifestObject>> parse_manifest(std::string_view text,
                                                   const std::string& source) {
  std::vector<ManifestObject> out;
  std::vector<Status> failures;
  parse_into({source, true, out}, text, failures);
  if (!failures.empty()) return failures.front();
  return out;
}

kustomize::Files files_on_disk() {
  return {[](const std::string& path) -> Result<std::string> {
            if (auto text = bytes_of(path)) return std::move(*text);
            return not_found("open " + path + ": no such file or directory");
          },
          [](const std::string& path) {
            std::error_code error;
            return fs::is_directory(path, error);
          }};
}

Manifests read_manifests(const ManifestOptions& options, std::istream& in) {
  Manifests out;
  const auto add = [&](std::string_view text, const std::string& source) {
    parse_into({source, options.validates, out.objects}, text, out.failures);
  };
  for (const std::string& name : options.filenames) {
    if (name == "-") {
      add(text_of(in), "STDIN");
      continue;
    }
    if (name.find("://") != name.npos) {
      out.failures.push_back(fail("reading manifests from a URL is not supported: " + name));
      continue;
    }
    const auto files = files_of(name, options.recursive);
    if (!files.ok()) {
      out.failures.push_back(files.status());
      continue;
    }
    for (const std::string& file : *files) {
      const Result<std::string> text = read_file(file);
      if (text.ok()) {
        add(*text, file);
      } else {
        out.failures.push_back(text.status());
      }
    }
  }
  if (!options.kustomize.empty()) {
    auto built = kustomize::build(options.kustomize, files_on_disk());
    if (!built.ok()) out.failures.push_back(fail(built.status().message()));
    for (size_t i = 0; built.ok() && i < built->size(); ++i) {
      out.objects.push_back({options.kustomize, std::move((*built)[i]), {}});
    }
  }
  if (out.objects.empty() && out.failures.empty()) {
    out.failures.push_back(fail("no objects passed to the command"));
  }
  return out;
}

}  // namespace coracle::kubectl
