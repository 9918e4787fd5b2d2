#include "apiserver/chain/documents.hpp"

#include <set>

#include "api/custom_kind.hpp"
#include "api/discovery.hpp"
#include "api/openapi.hpp"
#include "apiserver/chain/request_info.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

std::string etag_of(std::string_view body) {
  std::string hex = hex_encode(sha256(body));
  for (char& c : hex) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return "\"" + hex + "\"";
}

// Some range of the Accept header asks for the aggregated form before plain JSON.
bool wants_aggregated(const net::Request& request) {
  for (const std::string& range : split(request.headers.get("accept"), ',')) {
    const std::string_view text = trim(range);
    if (text.find("as=APIGroupDiscoveryList") != std::string_view::npos &&
        text.find("v=v2;") != std::string_view::npos) {
      return true;
    }
    if (text == "application/json" || text == "*/*") return false;
  }
  return false;
}

json::value version_document() {
  json::object out;
  out["major"] = "1";
  out["minor"] = "36";
  out["gitVersion"] = kGitVersion;
  out["gitCommit"] = "";
  out["gitTreeState"] = "clean";
  out["buildDate"] = "1970-01-01T00:00:00Z";
  out["goVersion"] = "none";
  out["compiler"] = "clang";
  out["platform"] = "linux/amd64";
  return out;
}

json::value path_list(const api::Catalog& catalog) {
  json::array paths;
  paths.emplace_back("/api");
  paths.emplace_back("/api/v1");
  paths.emplace_back("/apis");
  for (const api::GroupInfo& group : catalog.all_groups()) {
    if (group.name.empty()) continue;
    paths.emplace_back("/apis/" + group.name);
    for (const std::string& version : group.versions) {
      paths.emplace_back("/apis/" + group.name + "/" + version);
    }
  }
  for (const char* path :
       {"/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version"}) {
    paths.emplace_back(path);
  }
  json::object out;
  out["paths"] = std::move(paths);
  return out;
}

}  // namespace

Documents::Documents(const api::Catalog& catalog, std::string address)
    : catalog_(catalog), address_(std::move(address)) {}

const Documents::Document* Documents::discovery(const std::string& path, bool aggregated) {
  const std::string key = aggregated ? path + " v2" : path;
  if (const auto known = documents_.find(key); known != documents_.end()) return &known->second;
  const std::vector<std::string> parts = split(std::string_view(path).substr(1), '/');
  Result<json::value> made = not_found(path);
  if (aggregated) {
    made = api::aggregated_discovery(catalog_, path == "/api");
    if (path == "/apis") made = merge_aggregated(*std::move(made), catalog_, remote_);
  } else if (path == "/") {
    made = path_list(catalog_);
  } else if (path == "/version") {
    made = version_document();
  } else if (path == "/api") {
    made = api::core_versions(address_);
  } else if (path == "/apis") {
    made = merge_group_list(api::group_list(catalog_), catalog_, remote_);
  } else if (parts.size() == 2 && parts[0] == "api") {
    made = api::resource_list(catalog_, "", parts[1]);
  } else if (parts.size() == 2 && parts[0] == "apis") {
    const auto own = api::group_document(catalog_, parts[1]);
    json::value group = merge_group(own.ok() ? *own : json::value(), parts[1], remote_);
    if (!group.is_null()) made = std::move(group);
  } else if (parts.size() == 3 && parts[0] == "apis") {
    made = api::resource_list(catalog_, parts[1], parts[2]);
  }
  if (!made.ok()) return nullptr;
  Document document;
  document.type = aggregated ? std::string(api::kAggregatedContentType) : "application/json";
  document.body = net::make_bytes(to_json(*made) + "\n");
  document.etag = etag_of(*document.body);
  return &(documents_[key] = std::move(document));
}

// What depends on custom kinds goes: all discovery, and OpenAPI of groups that are not built in.
void Documents::reset() {
  std::set<std::string, std::less<>> fixed;
  for (const api::GroupInfo& group : catalog_.groups()) fixed.insert(group.name);
  for (const auto& kind : catalog_.custom()) fixed.erase(kind->storage().group);
  const auto keeps = [&](std::string_view path) {
    constexpr std::string_view kGroups = "/openapi/v3/apis/";
    if (path.starts_with("/openapi/v3/api/")) return true;
    if (!path.starts_with(kGroups)) return false;
    path.remove_prefix(kGroups.size());
    return fixed.contains(path.substr(0, path.find('/')));
  };
  std::erase_if(documents_, [&](const auto& entry) { return !keeps(entry.first); });
  std::erase_if(openapi_hashes_, [&](const auto& entry) { return !keeps(entry.first); });
}

void Documents::set_remote(std::vector<RemoteDiscovery> remote) {
  remote_ = std::move(remote);
  reset();
}

void Documents::build_openapi() {
  std::vector<api::OpenApiDocument> all;
  for (const api::GroupInfo& group : catalog_.all_groups()) {
    for (const std::string& version : group.versions) {
      const std::string path = (group.name.empty() ? "api/" : "apis/" + group.name + "/") + version;
      const auto known = openapi_hashes_.find("/openapi/v3/" + path);
      if (known != openapi_hashes_.end()) {
        all.push_back({path, "", known->second});
        continue;
      }
      all.push_back(api::make_openapi_document(catalog_, group.name, version));
      Document document;
      document.type = "application/json";
      document.body = net::make_bytes(std::move(all.back().body));
      document.etag = "\"" + all.back().hash + "\"";
      documents_["/openapi/v3/" + path] = std::move(document);
      openapi_hashes_["/openapi/v3/" + path] = all.back().hash;
    }
  }
  for (const RemoteDiscovery& one : remote_) {
    const std::string path = "apis/" + one.group + "/" + one.version;
    if (one.available && !one.openapi_hash.empty()) all.push_back({path, "", one.openapi_hash});
  }
  Document index;
  index.type = "application/json";
  index.body = net::make_bytes(to_json(api::openapi_index(all)));
  index.etag = etag_of(*index.body);
  documents_["/openapi/v3"] = std::move(index);
}

// Everything in one document: JSON, or the protobuf that kubectl asks for where v3 is not enough.
std::optional<net::Response> Documents::openapi_v2(const net::Request& request) {
  const bool protobuf =
      request.headers.get("accept").find("proto-openapi") != std::string_view::npos;
  const std::string key = protobuf ? "/openapi/v2 protobuf" : "/openapi/v2";
  auto known = documents_.find(key);
  if (known == documents_.end()) {
    const json::value made = api::openapi_v2(catalog_);
    Document document;
    document.type = protobuf ? "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
                             : "application/json";
    document.body = net::make_bytes(protobuf ? api::openapi_v2_protobuf(made) : to_json(made));
    document.etag = etag_of(*document.body);
    known = documents_.emplace(key, std::move(document)).first;
  }
  net::Response response;
  response.headers.add("Content-Type", known->second.type);
  response.headers.add("ETag", known->second.etag);
  response.headers.add("Vary", "Accept");
  if (request.headers.get("if-none-match") == known->second.etag) {
    response.status = 304;
    return response;
  }
  response.chunks = {known->second.body};
  return response;
}

std::optional<net::Response> Documents::openapi(const net::Request& request,
                                                const std::string& path) {
  if (!documents_.contains("/openapi/v3")) build_openapi();
  const auto found = documents_.find(path);
  if (found == documents_.end()) return std::nullopt;
  net::Response response;
  response.headers.add("Content-Type", found->second.type);
  response.headers.add("ETag", found->second.etag);
  response.headers.add("Vary", "Accept");
  const auto hash = openapi_hashes_.find(path);
  if (hash != openapi_hashes_.end() && request.query.get("hash") == hash->second) {
    response.headers.add("Cache-Control", "public, immutable");
  } else {
    response.headers.add("Cache-Control", "no-cache, private");
  }
  if (request.headers.get("if-none-match") == found->second.etag) {
    response.status = 304;
    return response;
  }
  response.chunks = {found->second.body};
  return response;
}

std::optional<net::Response> Documents::get(const net::Request& request, const std::string& path) {
  if (path == "/openapi/v2") return openapi_v2(request);
  if (path.starts_with("/openapi/v3")) return openapi(request, path);
  const bool root = path == "/api" || path == "/apis";
  const Document* document = discovery(path, root && wants_aggregated(request));
  if (document == nullptr) return std::nullopt;
  net::Response response;
  response.headers.add("Content-Type", document->type);
  response.headers.add("Cache-Control", root ? "public" : "no-cache, private");
  response.headers.add("ETag", document->etag);
  response.headers.add("Vary", "Accept");
  if (root && request.headers.get("if-none-match") == document->etag) {
    response.status = 304;
    return response;
  }
  response.chunks = {document->body};
  return response;
}

}  // namespace coracle::apiserver
