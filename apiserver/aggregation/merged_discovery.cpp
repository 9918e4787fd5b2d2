#include "apiserver/aggregation/merged_discovery.hpp"

#include <algorithm>
#include <map>

#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

constexpr int kCustomGroup = 1000, kCustomVersion = 100;  // as registered (registration.cpp)
constexpr int kBuiltinGroup = 100000;                     // before all others, in their order

using Remote = std::vector<const RemoteDiscovery*>;

std::map<std::string, Remote> by_group(const std::vector<RemoteDiscovery>& remote, bool all) {
  std::map<std::string, Remote> out;
  for (const RemoteDiscovery& one : remote) {
    if (all || one.available) out[one.group].push_back(&one);
  }
  for (auto& [group, versions] : out) {
    std::ranges::stable_sort(versions, [](const auto* a, const auto* b) {
      return a->version_priority > b->version_priority;
    });
  }
  return out;
}

int group_priority(const Remote& versions) {
  int out = 0;
  for (const RemoteDiscovery* one : versions) out = std::max(out, one->group_priority);
  return out;
}

bool is_builtin(const api::Catalog& catalog, std::string_view group) {
  return std::ranges::any_of(catalog.groups(),
                             [&](const api::GroupInfo& info) { return info.name == group; });
}

// Ours in their order, theirs by priority among the custom groups, equals by name.
struct Ranked {
  int priority = 0;
  std::string name;
  json::value item;
};
json::array ranked_items(std::vector<Ranked> items) {
  std::ranges::stable_sort(items, [](const Ranked& a, const Ranked& b) {
    if (a.priority != b.priority) return a.priority > b.priority;
    return a.priority != kBuiltinGroup && a.name < b.name;
  });
  json::array out;
  for (Ranked& one : items) out.push_back(std::move(one.item));
  return out;
}

// Puts a version behind those of at least its priority; ours have that of custom ones.
void insert_version(json::array& versions, json::value entry, int priority) {
  const bool first = priority > kCustomVersion;
  versions.insert(first ? versions.begin() : versions.end(), std::move(entry));
}

json::value aggregated_version(const RemoteDiscovery& one) {
  json::object out;
  out["version"] = one.version;
  out["resources"] = one.resources;
  out["freshness"] = one.available ? "Current" : "Stale";
  return out;
}

json::value legacy_version(const RemoteDiscovery& one) {
  json::object out;
  out["groupVersion"] = one.group + "/" + one.version;
  out["version"] = one.version;
  return out;
}

json::value legacy_group(const std::string& name, const Remote& versions) {
  json::object out;
  out["name"] = name;
  json::array& list = out["versions"].emplace_array();
  for (const RemoteDiscovery* one : versions) list.push_back(legacy_version(*one));
  const json::value preferred = list.front();
  out["preferredVersion"] = preferred;
  return out;
}

using MakeVersion = json::value (*)(const RemoteDiscovery&);

// Adds the versions of a group that we serve other versions of.
void add_versions(json::value& item, const Remote& versions, MakeVersion make) {
  json::array& list = item.get_object()["versions"].get_array();
  for (const RemoteDiscovery* one : versions) {
    const bool known = std::ranges::any_of(
        list, [&](const json::value& have) { return get_string(have, "version") == one->version; });
    if (!known) insert_version(list, make(*one), one->version_priority);
  }
}

// `name_at`: where an item says its group.
void merge_items(json::array& items, const char* name_at, const api::Catalog& catalog,
                 std::map<std::string, Remote> remote, MakeVersion make,
                 json::value (*make_group)(const std::string&, const Remote&)) {
  std::vector<Ranked> ranked;
  for (json::value& item : items) {
    Ranked one{kCustomGroup, std::string(get_string(item, name_at)), std::move(item)};
    if (is_builtin(catalog, one.name)) one.priority = kBuiltinGroup;
    if (const auto also = remote.find(one.name); also != remote.end()) {
      add_versions(one.item, also->second, make);
      remote.erase(also);
    }
    ranked.push_back(std::move(one));
  }
  for (const auto& [name, versions] : remote) {
    ranked.push_back({group_priority(versions), name, make_group(name, versions)});
  }
  items = ranked_items(std::move(ranked));
}

json::value aggregated_group(const std::string& name, const Remote& versions) {
  json::object out;
  out["metadata"] = json::object{{"name", name}};
  json::array& list = out["versions"].emplace_array();
  for (const RemoteDiscovery* one : versions) list.push_back(aggregated_version(*one));
  return out;
}

}  // namespace

json::value merge_aggregated(json::value document, const api::Catalog& catalog,
                             const std::vector<RemoteDiscovery>& remote) {
  merge_items(document.get_object()["items"].get_array(), "metadata.name", catalog,
              by_group(remote, true), aggregated_version, aggregated_group);
  return document;
}

json::value merge_group_list(json::value document, const api::Catalog& catalog,
                             const std::vector<RemoteDiscovery>& remote) {
  merge_items(document.get_object()["groups"].get_array(), "name", catalog, by_group(remote, false),
              legacy_version, legacy_group);
  return document;
}

json::value merge_group(json::value own, std::string_view group,
                        const std::vector<RemoteDiscovery>& remote) {
  const auto all = by_group(remote, false);
  const auto found = all.find(std::string(group));
  if (found == all.end()) return own;
  if (!own.is_null()) {
    add_versions(own, found->second, legacy_version);
    return own;
  }
  json::object out;
  out["kind"] = "APIGroup";
  out["apiVersion"] = "v1";
  const json::value made = legacy_group(found->first, found->second);
  for (const auto& [key, value] : made.get_object()) out[key] = value;
  return out;
}

json::array aggregated_resources(const json::value& resource_list) {
  json::array out;
  const auto [group, version] = api::split_api_version(get_string(resource_list, "groupVersion"));
  const auto kind_of_entry = [&](const json::value& entry) {
    json::object kind;
    kind["group"] = get_string(entry, "group", group);
    kind["version"] = get_string(entry, "version", version);
    kind["kind"] = get_string(entry, "kind");
    return kind;
  };
  for (const json::value& entry : get_array(resource_list, "resources")) {
    const std::string name(get_string(entry, "name"));
    const std::size_t slash = name.find('/');
    if (slash == std::string::npos) {
      json::object one;
      one["resource"] = name;
      one["responseKind"] = kind_of_entry(entry);
      one["scope"] = get_bool(entry, "namespaced") ? "Namespaced" : "Cluster";
      one["singularResource"] = get_string(entry, "singularName");
      one["verbs"] = get_array(entry, "verbs");
      for (const char* key : {"shortNames", "categories"}) {
        if (!get_array(entry, key).empty()) one[key] = get_array(entry, key);
      }
      out.push_back(std::move(one));
      continue;
    }
    for (json::value& parent : out) {
      if (get_string(parent, "resource") != name.substr(0, slash)) continue;
      json::object sub;
      sub["subresource"] = name.substr(slash + 1);
      sub["responseKind"] = kind_of_entry(entry);
      sub["verbs"] = get_array(entry, "verbs");
      json::value& list = parent.get_object()["subresources"];
      if (!list.is_array()) list.emplace_array();
      list.get_array().push_back(std::move(sub));
    }
  }
  return out;
}

}  // namespace coracle::apiserver
