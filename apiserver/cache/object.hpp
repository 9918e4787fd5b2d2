// CachedObject: one stored object as the watch cache keeps it: its serialised bytes, shared by
// every reader, and the few parsed fields that selectors and watch indexes need.
//
// Invariants: immutable once made. Served JSON is the resource's head `{"kind":K,"apiVersion":V,`
// and then the object's tail `"metadata":{"resourceVersion":"N",...}`. Only tails are kept: GET is
// head + tail, a list element is "{" + tail, another revision is a splice, never a parse.
// Errors: DataLoss for bytes that are not an object (names the key).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/json_parts.hpp"
#include "base/status.hpp"

namespace coracle::api {
struct ResourceInfo;
}

namespace coracle::apiserver {

using Bytes = std::shared_ptr<const std::string>;
// What the cache must know of a resource.
struct ObjectShape {
  std::string storage_prefix;  // "pods", "services/specs"
  std::string kind;
  std::string api_version;
  bool namespaced = true;
  std::vector<std::string> field_paths;  // selectable, beyond metadata.name and metadata.namespace

  std::string head() const;  // {"kind":K,"apiVersion":V,
  // Reads of a stored object what the cache must know.
  const JsonParts& parts() const;
  int node_field() const;  // index of spec.nodeName in field_paths, or -1

  mutable std::shared_ptr<const JsonParts> known_parts = nullptr;  // of parts(), once asked
};
ObjectShape shape_of(const api::ResourceInfo& info);

class CachedObject {
 public:
  // `key` is "namespace/name", or "name" for cluster scope; `stored` is what the store holds, and
  // `known`, if it is not null, the tree it parses to.
  static Result<std::shared_ptr<const CachedObject>> parse(const ObjectShape& shape,
                                                           std::string key, std::string_view stored,
                                                           std::int64_t revision,
                                                           std::int64_t create_revision,
                                                           const json::value* known = nullptr);
  // The same object under another revision: what DELETED events carry.
  std::shared_ptr<const CachedObject> at_revision(std::int64_t revision) const;

  const std::string& key() const { return key_; }
  std::string_view ns() const;
  std::string_view name() const;
  std::int64_t revision() const { return revision_; }
  std::int64_t create_revision() const { return create_revision_; }
  const Bytes& tail() const { return tail_; }
  // The whole object, parsed once and kept: for the few that many requests ask about.
  std::shared_ptr<const json::value> kept_tree() const;
  const json::object& labels() const { return labels_; }
  // The apiVersion it was stored in, when that is not the shape's; else null.
  const Bytes& other_version() const { return other_version_; }
  // The value of shape.field_paths[index].
  std::string_view field(std::size_t index) const;

 private:
  CachedObject() = default;

  std::string key_;
  std::size_t slash_ = std::string::npos;
  std::int64_t revision_ = 0;
  std::int64_t create_revision_ = 0;
  Bytes tail_, other_version_;
  json::object labels_;
  // Where each text begins and where the last one ends (4 bytes each), and then the texts: an Event
  // has a dozen, and a large cluster hundreds of thousands of Events.
  std::string fields_;
  mutable std::shared_ptr<const json::value> tree_;  // once asked for
};

using ObjectPtr = std::shared_ptr<const CachedObject>;

// Stored JSON (no resourceVersion) to the tail under a revision; empty when `stored` does not begin
// as we write it (another server's key order).
std::string tail_of(std::string_view head, std::string_view stored, std::int64_t revision);
// Another revision into a tail.
std::string retail(std::string_view tail, std::int64_t revision);
// The text of a selectable field: strings as they are, numbers and booleans printed; what is absent
// is "", "false" or "0" as upstream has it for that path.
std::string selectable_field(const json::value& object, std::string_view path);

}  // namespace coracle::apiserver
