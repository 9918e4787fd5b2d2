// What the registry's parts share: the machinery of the server, and one request on its way.
#pragma once

#include <map>
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

struct Context;
struct FlowIdentity;
using Reply = Outcome<net::Response>;

// What a write needs beyond the permission for its verb: asked with the object as it would be,
// after admission and before it is checked. Several times maybe. `old` is null on create.
class WriteGuard {
 public:
  virtual ~WriteGuard() = default;
  virtual Outcome<Done> check_write(const Context& c, const json::value& next,
                                    const json::value* old) const = 0;
};

// Answers creates of kinds that are questions and are never stored (SubjectAccessReview, ...).
class ReviewPort {
 public:
  virtual ~ReviewPort() = default;
  virtual Reply review(Context& c) = 0;
};

class HookClient;
struct AdmissionConfig;

// Everything outlives every request.
struct Machinery {
  Executor& executor;
  client::Store& store;
  const api::Catalog& catalog;
  const api::HookTable& hooks;
  StoreFeed& feed;
  Rng& rng;
  const WriteGuard* guard = nullptr;  // none: nothing more is asked
  ReviewPort* reviews = nullptr;
  const Authorizer* authorizer = nullptr;  // whom policies ask; none: everything is denied them
  HookClient* webhooks = nullptr;  // none: what needs a webhook fails as if it did not answer
  const AdmissionConfig* admission = nullptr;  // none: the defaults
};

// In which shape the client wants the answer.
struct Format {
  enum class Shape { kObject, kTable, kPartial };
  Shape shape = Shape::kObject;
  bool yaml = false;
  bool protobuf = false;  // kObject and kPartial only
  bool pretty = false;
  std::string meta_version = "v1";  // of Table and PartialObjectMetadata

  // The stored bytes can be sent as they are.
  bool plain() const { return shape == Shape::kObject && !yaml && !pretty && !protobuf; }
};

struct Context {
  net::Request request;
  std::shared_ptr<net::Exchange> exchange;
  RequestInfo info;
  TimePoint since{};       // it came
  WallTime received{};     // the same, for people
  bool timed_out = false;  // answered already: what comes of it is dropped
  UserInfo user;
  std::shared_ptr<const UserInfo> asker;  // by whose credentials `user` is impersonated, else null
  std::string decision, reason;  // of the authoriser: "allow", "forbid"; "" when it was not asked
  const api::ResourceInfo* resource = nullptr;  // as asked for
  const api::ResourceInfo* storage = nullptr;   // as stored
  const api::Subresource* sub = nullptr;
  ResourceCache* cache = nullptr;
  // Custom kinds come and go: what keeps `resource`, `storage` and `cache` alive.
  std::shared_ptr<const api::CustomKind> hold_kind;
  std::shared_ptr<ResourceCache> hold_cache;
  std::shared_ptr<const FlowIdentity> flow;  // null: flow control does not count it
  Format format;
  bool dry_run = false;
  std::vector<std::string> warnings;
  std::map<std::string, std::string> audit_annotations;
  // Objects of kinds that a webhook converts, as served, by the address of their stored bytes: put
  // in before an answer is made (conversion.hpp).
  std::shared_ptr<std::map<const void*, json::value>> converted;

  api::GroupName group_name() const { return {resource->group, resource->plural}; }
  api::GroupName group_kind() const { return {resource->group, resource->kind}; }
  // Below the storage prefix.
  std::string key() const { return resource->namespaced ? info.ns + "/" + info.name : info.name; }
};

}  // namespace coracle::apiserver
