#include "api/object.hpp"
#include "api/warnings/warnings.hpp"
#include "base/strings.hpp"

namespace coracle::api::warnings {
namespace {

struct Place {
  std::string path, source;

  std::string text() const {
    return source.empty() ? quoted(path) : quoted(path) + " (" + source + ")";
  }
  friend bool operator==(const Place&, const Place&) = default;
};

struct Gone {
  std::string_view key, text;
};

constexpr Gone kGone[] = {
    {"photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"},
    {"gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"},
    {"scaleIO", "deprecated in v1.16, non-functional in v1.22+"},
    {"flocker", "deprecated in v1.22, non-functional in v1.25+"},
    {"storageos", "deprecated in v1.22, non-functional in v1.25+"},
    {"quobyte", "deprecated in v1.22, non-functional in v1.25+"},
    {"glusterfs", "deprecated in v1.25, non-functional in v1.26+"},
    {"cephfs", "deprecated in v1.28, non-functional in v1.31+"},
    {"rbd", "deprecated in v1.28, non-functional in v1.31+"},
};

std::vector<Place> items_of(const json::value& source, std::string_view described) {
  std::vector<Place> out;
  for (const json::value& item : get_array(source, "items")) {
    out.push_back({std::string(get_string(item, "path")), std::string(described)});
  }
  return out;
}

// The sources that hold it already or are inside it.
std::vector<Place> overlaps(const std::vector<Place>& earlier, const Place& place) {
  std::vector<Place> out;
  if (place.path.empty()) return out;
  for (const Place& other : earlier) {
    if (other.path.empty()) continue;
    const std::string mine = place.path + "/", theirs = other.path + "/";
    if (other == place || theirs.starts_with(mine) || mine.starts_with(theirs)) {
      out.push_back(other);
    }
  }
  return out;
}

// Of the places of one volume, in order; `all` has those before.
void check(std::vector<Place>& all, std::vector<Place> more, std::string_view name,
           std::string_view described, Texts& out) {
  for (Place& place : more) {
    while (place.path.ends_with('/')) place.path.pop_back();
    for (const Place& other : overlaps(all, place)) {
      out.push_back("volume " + quoted(name) + " (" + std::string(described) +
                    "): overlapping paths: " + place.text() + " with " + other.text());
    }
    all.push_back(std::move(place));
  }
}

std::string described(std::string_view kind, std::string_view name) {
  return std::string(kind) + " " + quoted(name);
}

std::vector<Place> projection(const json::value& source) {
  if (const json::value* map = find(source, "configMap")) {
    return items_of(*map, described("ConfigMap", get_string(*map, "name")));
  }
  if (const json::value* secret = find(source, "secret")) {
    return items_of(*secret, described("Secret", get_string(*secret, "name")));
  }
  if (const json::value* downward = find(source, "downwardAPI")) {
    return items_of(*downward, "DownwardAPI");
  }
  if (const json::value* token = find(source, "serviceAccountToken")) {
    return {{std::string(get_string(*token, "path")), "ServiceAccountToken"}};
  }
  if (const json::value* bundle = find(source, "clusterTrustBundle")) {
    const std::string_view name = get_string(*bundle, "name");
    return {
        {std::string(get_string(*bundle, "path")),
         described("ClusterTrustBundle", name.empty() ? get_string(*bundle, "signerName") : name)}};
  }
  return {};
}

void overlapping(const json::value& volume, Texts& out) {
  const std::string_view name = get_string(volume, "name");
  std::vector<Place> all;
  if (const json::value* map = find(volume, "configMap")) {
    check(all, items_of(*map, ""), name, described("ConfigMap", get_string(*map, "name")), out);
  }
  if (const json::value* secret = find(volume, "secret")) {
    check(all, items_of(*secret, ""), name, described("Secret", get_string(*secret, "secretName")),
          out);
  }
  if (const json::value* downward = find(volume, "downwardAPI")) {
    check(all, items_of(*downward, ""), name, "DownwardAPI", out);
  }
  for (const json::value& source : get_array(volume, "projected.sources")) {
    if (source.is_object() && source.get_object().empty()) {
      out.push_back("volume " + quoted(name) + " (Projected) has no sources provided");
      continue;
    }
    check(all, projection(source), name, "Projected", out);
  }
}

}  // namespace

void claim_spec(const json::value& spec, const FieldPath& path, Texts& out) {
  for (const std::string_view list : {"requests", "limits"}) {
    if (const json::value* amounts = find(spec, "resources." + std::string(list))) {
      whole_bytes(*amounts, "storage", path.child("resources", list), out);
    }
  }
}

void pod_volumes(const json::value& spec, const FieldPath& path, Texts& out) {
  std::size_t index = 0;
  for (const json::value& volume : get_array(spec, "volumes")) {
    const FieldPath here = path.child("volumes").index(index++);
    for (const Gone& gone : kGone) {
      if (find(volume, gone.key) != nullptr) at(here.child(gone.key), gone.text, out);
    }
    if (const json::value* claim = find(volume, "ephemeral.volumeClaimTemplate.spec")) {
      claim_spec(*claim, here.child("ephemeral", "volumeClaimTemplate").child("spec"), out);
    }
  }
  for (const json::value& volume : get_array(spec, "volumes")) overlapping(volume, out);
}

}  // namespace coracle::api::warnings
