// What the registry's parts share: the machinery of the server, and one request on its way.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/catalog.hpp"
#include "api/hooks.hpp"
#include "apiserver/cache/feed.hpp"
#include "apiserver/chain/user.hpp"
#include "base/rng.hpp"
#include "net/server.hpp"

namespace coracle::apiserver {

// Everything outlives every request.
struct Machinery {
  Executor& executor;
  client::Store& store;
  const api::Catalog& catalog;
  const api::HookTable& hooks;
  StoreFeed& feed;
  Rng& rng;
};

// In which shape the client wants the answer.
struct Format {
  enum class Shape { kObject, kTable, kPartial };
  Shape shape = Shape::kObject;
  bool yaml = false;
  bool pretty = false;
  std::string meta_version = "v1";  // of Table and PartialObjectMetadata

  // The stored bytes can be sent as they are.
  bool plain() const { return shape == Shape::kObject && !yaml && !pretty; }
};

struct Context {
  net::Request request;
  std::shared_ptr<net::Exchange> exchange;
  RequestInfo info;
  UserInfo user;
  const api::ResourceInfo* resource = nullptr;  // as asked for
  const api::ResourceInfo* storage = nullptr;   // as stored
  const api::Subresource* sub = nullptr;
  ResourceCache* cache = nullptr;
  // Custom kinds come and go: what keeps `resource`, `storage` and `cache` alive.
  std::shared_ptr<const api::CustomKind> hold_kind;
  std::shared_ptr<ResourceCache> hold_cache;
  Format format;
  bool dry_run = false;
  std::vector<std::string> warnings;

  api::GroupName group_name() const { return {resource->group, resource->plural}; }
  api::GroupName group_kind() const { return {resource->group, resource->kind}; }
  // Below the storage prefix.
  std::string key() const { return resource->namespaced ? info.ns + "/" + info.name : info.name; }
};

using Reply = Outcome<net::Response>;

}  // namespace coracle::apiserver
