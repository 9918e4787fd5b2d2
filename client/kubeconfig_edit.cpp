// Changing, showing and writing kubeconfigs: the half that `kubectl config` uses.
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "base/yaml.hpp"
#include "client/kubeconfig.hpp"
#include "client/kubeconfig_entries.hpp"

namespace coracle::client {

std::string inner_name(const std::string& section) { return section.substr(0, section.size() - 1); }

json::array& entry_array(json::value& tree, const std::string& section) {
  json::value& list = tree.as_object()[section];
  return list.is_array() ? list.as_array() : list.emplace_array();
}

json::object* inner_object(json::value& named, const std::string& section) {
  json::object* outer = named.if_object();
  json::value* inner = outer ? find_member(*outer, inner_name(section)) : nullptr;
  return inner ? inner->if_object() : nullptr;
}

const json::object* find_entry(const json::value& tree, const std::string& section,
                               const std::string& name) {
  for (const json::value& named : get_array(tree, section)) {
    if (get_string(named, "name") != name) continue;
    return &get_object(named, inner_name(section));
  }
  return nullptr;
}

json::object* find_entry(json::value& tree, const std::string& section, const std::string& name) {
  for (json::value& named : entry_array(tree, section)) {
    if (get_string(named, "name") != name) continue;
    return &make_object(named, inner_name(section));
  }
  return nullptr;
}

json::value Kubeconfig::redacted() const {
  json::value copy = merged_;
  const auto blot = [&](const char* section, const char* field, const char* with) {
    for (json::value& named : entry_array(copy, section)) {
      json::object* inner = inner_object(named, section);
      if (inner && inner->contains(field)) (*inner)[field] = with;
    }
  };
  blot("clusters", "certificate-authority-data", "DATA+OMITTED");
  blot("users", "client-certificate-data", "DATA+OMITTED");
  blot("users", "client-key-data", "DATA+OMITTED");
  blot("users", "token", "REDACTED");
  blot("users", "password", "REDACTED");
  return copy;
}

Result<json::value> Kubeconfig::minified(const std::string& context) const {
  const std::string name = context.empty() ? current_context() : context;
  if (name.empty()) {
    return invalid_argument("current-context must exist in order to minify");
  }
  const json::object* chosen = entry("contexts", name);
  if (!chosen) return invalid_argument("cannot locate context " + name);
  const json::value whole = *chosen;
  json::value copy = merged_;
  copy.as_object()["current-context"] = name;
  const auto keep_only = [&](const char* section, const std::string& kept) {
    json::array list;
    for (const json::value& named : get_array(merged_, section)) {
      if (get_string(named, "name") == kept) list.push_back(named);
    }
    copy.as_object()[section] = list;
  };
  keep_only("contexts", name);
  keep_only("clusters", std::string(get_string(whole, "cluster")));
  keep_only("users", std::string(get_string(whole, "user")));
  return copy;
}

Result<json::value> Kubeconfig::flattened() const {
  json::value copy = merged_;
  for (const auto& [section, field] : kPathFields) {
    if (std::string_view(field) == "tokenFile") continue;
    for (json::value& named : entry_array(copy, section)) {
      json::object* inner = inner_object(named, section);
      json::value* path = inner ? find_member(*inner, field) : nullptr;
      if (!path || !path->is_string()) continue;
      const std::string data_field = std::string(field) + "-data";
      if (!inner->contains(data_field)) {
        const std::string name(path->as_string());
        std::ifstream file(name, std::ios::binary);
        if (!file) return not_found("open " + name + ": no such file or directory");
        std::stringstream text;
        text << file.rdbuf();
        (*inner)[data_field] = base64_encode(text.str());
      }
      erase_key(*inner, field);
    }
  }
  return copy;
}

std::string Kubeconfig::default_path() const {
  for (const File& file : files_) {
    if (file.exists) return file.path;
  }
  return files_.empty() ? "" : files_.back().path;
}

Kubeconfig::File& Kubeconfig::first_file() {
  for (File& file : files_) {
    if (file.exists) return file;
  }
  return files_.back();
}

Kubeconfig::File& Kubeconfig::home_of(const std::string& section, const std::string& name) {
  for (File& file : files_) {
    if (find_entry(file.tree, section, name)) return file;
  }
  return first_file();
}

json::object& Kubeconfig::changed_entry(const std::string& section, const std::string& name) {
  File& file = home_of(section, name);
  file.changed = true;
  if (json::object* found = find_entry(file.tree, section, name)) return *found;
  json::object named;
  // The order in which kubectl writes them: the inner object, then its name.
  named[inner_name(section)] = json::object();
  named["name"] = name;
  json::array& list = entry_array(file.tree, section);
  list.push_back(std::move(named));
  return *inner_object(list.back(), section);
}

void Kubeconfig::set_entry(const std::string& section, const std::string& name,
                           const json::object& fields) {
  json::object& inner = changed_entry(section, name);
  for (const auto& [key, value] : fields) {
    if (value.is_null()) {
      erase_key(inner, key);
    } else {
      inner[key] = value;
    }
  }
  merge();
}

bool Kubeconfig::remove_entry(const std::string& section, const std::string& name) {
  bool removed = false;
  for (File& file : files_) {
    json::array& list = entry_array(file.tree, section);
    const auto found = std::find_if(list.begin(), list.end(), [&](const json::value& named) {
      return get_string(named, "name") == name;
    });
    if (found == list.end()) continue;
    list.erase(found);
    file.changed = removed = true;
    break;
  }
  merge();
  return removed;
}

Status Kubeconfig::rename_context(const std::string& from, const std::string& to) {
  if (!has("contexts", from)) {
    return not_found("cannot rename the context \"" + from + "\", it's not in " + default_path());
  }
  if (has("contexts", to)) {
    return already_exists("cannot rename the context \"" + from + "\", the context \"" + to +
                          "\" already exists in " + default_path());
  }
  const bool was_current = current_context() == from;
  File& file = home_of("contexts", from);
  for (json::value& named : entry_array(file.tree, "contexts")) {
    if (get_string(named, "name") == from) named.as_object()["name"] = to;
  }
  file.changed = true;
  merge();
  if (was_current) return use_context(to);
  return {};
}

Status Kubeconfig::use_context(const std::string& name) {
  if (!has("contexts", name)) return not_found("no context exists with the name: \"" + name + "\"");
  return set_property("current-context", name);
}

namespace {

bool is_bool_field(std::string_view field) {
  return field == "insecure-skip-tls-verify" || field == "disable-compression" || field == "colors";
}

// "users.first.last.token": names may hold dots, fields of the three sections do not.
bool split_property(const std::string& dotted, std::string* section, std::string* name,
                    std::string* field) {
  const size_t first = dotted.find('.');
  const size_t last = dotted.rfind('.');
  if (first == std::string::npos) return false;
  *section = dotted.substr(0, first);
  if (last == first) {
    *field = dotted.substr(first + 1);
    name->clear();
    return true;
  }
  *name = dotted.substr(first + 1, last - first - 1);
  *field = dotted.substr(last + 1);
  return true;
}

bool known_section(const std::string& section) {
  return std::find(std::begin(kSections), std::end(kSections), section) != std::end(kSections);
}

}  // namespace

Status Kubeconfig::set_property(const std::string& dotted, const std::string& text) {
  std::string section, name, field;
  if (dotted == "current-context") {
    // The file that has one keeps it; it would hide a value in a later file.
    File* target = &first_file();
    for (File& file : files_) {
      if (!get_string(file.tree, "current-context").empty()) {
        target = &file;
        break;
      }
    }
    target->tree.as_object()["current-context"] = text;
    target->changed = true;
    merge();
    return {};
  }
  if (!split_property(dotted, &section, &name, &field)) {
    return invalid_argument("unable to parse property name " + coracle::quoted(dotted));
  }
  json::value value = text.c_str();
  if (is_bool_field(field)) {
    if (text != "true" && text != "false") {
      return invalid_argument("strconv.ParseBool: parsing " + coracle::quoted(text) +
                              ": invalid syntax");
    }
    value = text == "true";
  }
  if (section == "preferences" && name.empty()) {
    File& file = first_file();
    make_object(file.tree, "preferences")[field] = value;
    file.changed = true;
    merge();
    return {};
  }
  if (!known_section(section) || name.empty()) {
    return invalid_argument("unknown property " + coracle::quoted(dotted));
  }
  set_entry(section, name, json::object{{field, value}});
  return {};
}

Status Kubeconfig::unset_property(const std::string& dotted) {
  std::string section, name, field;
  if (dotted == "current-context") return set_property(dotted, "");
  if (known_section(dotted)) {
    for (File& file : files_) {
      entry_array(file.tree, dotted).clear();
      file.changed = true;
    }
    merge();
    return {};
  }
  if (!split_property(dotted, &section, &name, &field)) {
    return invalid_argument("unable to parse property name " + coracle::quoted(dotted));
  }
  if (section == "preferences" && name.empty()) {
    File& file = first_file();
    erase_key(make_object(file.tree, "preferences"), field);
    file.changed = true;
    merge();
    return {};
  }
  if (!known_section(section))
    return invalid_argument("unknown property " + coracle::quoted(dotted));
  // "contexts.name" alone removes the whole entry.
  if (name.empty()) {
    if (!remove_entry(section, field))
      return not_found("current map key `" + field + "` is invalid");
    return {};
  }
  if (!has(section, name)) {
    if (remove_entry(section, name + "." + field)) return {};
    return not_found("current map key `" + name + "` is invalid");
  }
  set_entry(section, name, json::object{{field, nullptr}});
  return {};
}

Status Kubeconfig::save() {
  namespace fs = std::filesystem;
  for (File& file : files_) {
    if (!file.changed) continue;
    std::error_code failed;
    const fs::path parent = fs::path(file.path).parent_path();
    if (!parent.empty()) fs::create_directories(parent, failed);
    if (failed) return internal_error("mkdir " + parent.string() + ": " + failed.message());
    json::object& tree = file.tree.as_object();
    if (!tree.contains("apiVersion")) tree["apiVersion"] = "v1";
    if (!tree.contains("kind")) tree["kind"] = "Config";
    const std::string temporary = file.path + ".new";
    {
      std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
      if (out) chmod(temporary.c_str(), 0600);
      out << to_yaml(sorted_keys(file.tree));
      out.flush();
      if (!out) return internal_error("open " + file.path + ": cannot be written");
    }
    if (std::rename(temporary.c_str(), file.path.c_str()) != 0) {
      std::remove(temporary.c_str());
      return internal_error("rename " + temporary + ": cannot replace " + file.path);
    }
    file.changed = false;
    file.exists = true;
  }
  return {};
}

}  // namespace coracle::client
