// catalogc SOURCE_DIR OUTPUT.cpp
// Joins every *.yaml below SOURCE_DIR into the catalog's bundle and writes it as a C++ source that
// defines coracle::api::builtin_bundle(). A bad file ends it with "FILE:LINE: why" and status 1.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/json.hpp"
#include "base/yaml.hpp"

namespace coracle {
namespace {

namespace fs = std::filesystem;

// A raw string literal may not be longer than this to stay portable.
constexpr std::size_t kChunk = 8000;

struct Bundle {
  json::array kinds;
  json::object definitions;
};

bool complain(const fs::path& file, int line, std::string_view why) {
  std::cerr << file.string() << ":" << line << ": " << why << "\n";
  return false;
}

bool has_text(const json::value& value, std::string_view path) {
  return !get_string(value, path).empty();
}

bool add_kind(const fs::path& file, YamlDocument& document, Bundle& bundle) {
  for (std::string_view path : {"spec.scope", "spec.names.kind", "spec.names.plural"}) {
    if (!has_text(document.value, path)) {
      return complain(file, document.line, std::string(path) + " is missing");
    }
  }
  const json::array& versions = get_array(document.value, "spec.versions");
  if (versions.empty()) return complain(file, document.line, "spec.versions is empty");
  for (const json::value& version : versions) {
    if (!has_text(version, "name") || find(version, "schema.openAPIV3Schema") == nullptr) {
      return complain(file, document.line, "a version needs name and schema.openAPIV3Schema");
    }
  }
  bundle.kinds.push_back(std::move(document.value));
  return true;
}

bool add_definitions(const fs::path& file, YamlDocument& document, Bundle& bundle) {
  const json::value* definitions = find(document.value, "definitions");
  if (definitions == nullptr || !definitions->is_object()) {
    return complain(file, document.line,
                    "neither a CustomResourceDefinition nor a file of definitions");
  }
  for (const auto& [name, schema] : definitions->as_object()) {
    if (bundle.definitions.contains(name)) {
      return complain(file, document.line, "definition " + std::string(name) + " exists already");
    }
    bundle.definitions[name] = schema;
  }
  return true;
}

bool add_file(const fs::path& file, Bundle& bundle) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  Result<std::vector<YamlDocument>> documents = parse_yaml(text.str());
  if (!documents.ok()) return complain(file, 1, documents.status().message());
  for (YamlDocument& document : *documents) {
    if (!document.duplicates.empty()) {
      return complain(file, document.line, "key given twice: " + document.duplicates.front());
    }
    const bool kind = get_string(document.value, "kind") == "CustomResourceDefinition";
    if (!(kind ? add_kind(file, document, bundle) : add_definitions(file, document, bundle))) {
      return false;
    }
  }
  return true;
}

void collect_refs(const json::value& value, std::vector<std::string>& out) {
  if (const json::array* array = value.if_array()) {
    for (const json::value& item : *array) collect_refs(item, out);
    return;
  }
  const json::object* object = value.if_object();
  if (object == nullptr) return;
  for (const auto& [key, member] : *object) {
    if (key == "$ref" && member.is_string()) {
      out.emplace_back(member.as_string());
    } else if (key != "default") {
      collect_refs(member, out);
    }
  }
}

bool check_refs(const Bundle& bundle) {
  bool good = true;
  const auto check = [&](const json::value& value, std::string_view where) {
    std::vector<std::string> refs;
    collect_refs(value, refs);
    for (const std::string& ref : refs) {
      if (bundle.definitions.contains(ref)) continue;
      std::cerr << where << ": $ref to an unknown definition: " << ref << "\n";
      good = false;
    }
  };
  for (const auto& [name, schema] : bundle.definitions) check(schema, name);
  for (const json::value& kind : bundle.kinds) check(kind, get_string(kind, "metadata.name"));
  return good;
}

int write_source(const fs::path& output, std::string_view text) {
  std::ofstream out(output);
  out << "#include \"api/catalog.hpp\"\n\nnamespace coracle::api {\n\n"
      << "std::string_view builtin_bundle() {\n  static constexpr char kText[] =";
  for (std::size_t pos = 0; pos < text.size(); pos += kChunk) {
    out << "\n      R\"~~(" << text.substr(pos, kChunk) << ")~~\"";
  }
  out << ";\n  return {kText, sizeof(kText) - 1};\n}\n\n}  // namespace coracle::api\n";
  out.close();
  if (out.good()) return 0;
  std::cerr << "cannot write " << output << "\n";
  return 1;
}

int run(const fs::path& root, const fs::path& output) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(root, error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() == ".yaml") files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());
  Bundle bundle;
  bool good = true;
  for (const fs::path& file : files) good = add_file(file, bundle) && good;
  good = good && check_refs(bundle);
  if (!good) return 1;
  json::object whole;
  whole["kinds"] = std::move(bundle.kinds);
  whole["definitions"] = std::move(bundle.definitions);
  return write_source(output, to_json(whole));
}

}  // namespace
}  // namespace coracle

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: catalogc SOURCE_DIR OUTPUT.cpp\n";
    return 2;
  }
  return coracle::run(argv[1], argv[2]);
}
