// ObjectCache: the objects an informer holds, by "namespace/name" (or "name"), with indexes kept up
// to date. Pure; one owner. Iteration is in key order, so that deciders may walk it.
//
// Invariant: every index holds exactly the keys of the objects its function names.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace coracle::client {

using ObjectPtr = std::shared_ptr<const json::value>;
// The values of an index for an object: none, one or several.
using IndexFunction = std::function<std::vector<std::string>(const json::value&)>;

// "default/web" or "node-1", from metadata.
std::string object_key(const json::value& object);

// Indexes everybody wants. "namespace" is always there.
inline constexpr const char* kNamespaceIndex = "namespace";
std::vector<std::string> index_by_namespace(const json::value& object);
std::vector<std::string> index_by_node_name(const json::value& object);  // spec.nodeName
std::vector<std::string> index_by_owner_uid(const json::value& object);  // every owner reference
std::vector<std::string> index_by_controller_uid(const json::value& object);

class ObjectCache {
 public:
  ObjectCache();
  // Existing objects are indexed at once. A name is added once.
  void add_index(const std::string& name, IndexFunction function);

  // What was there before, or null.
  ObjectPtr put(const std::string& key, ObjectPtr object);
  ObjectPtr erase(const std::string& key);

  ObjectPtr get(const std::string& key) const;
  ObjectPtr get(const std::string& ns, const std::string& name) const;
  const std::map<std::string, ObjectPtr>& objects() const { return objects_; }
  // In key order. An unknown index is a CHECK.
  std::vector<ObjectPtr> by_index(const std::string& index, const std::string& value) const;
  // How many by_index() would give. O(log of the index's values).
  size_t count(const std::string& index, const std::string& value) const;
  // The objects of the index's least values, in the order of values and then of keys; `most` at
  // most. An object that has several values comes with each.
  std::vector<ObjectPtr> first_of(const std::string& index, size_t most) const;
  std::vector<ObjectPtr> all() const;
  size_t size() const { return objects_.size(); }

 private:
  using Objects = std::map<std::string, ObjectPtr>;
  using Place = Objects::const_iterator;  // stays valid until the object goes
  struct ByKey {
    bool operator()(const Place& a, const Place& b) const { return a->first < b->first; }
  };
  struct Index {
    IndexFunction function;
    std::map<std::string, std::set<Place, ByKey>> places;
  };
  const Index& index_named(const std::string& name) const;
  void reindex(Place place, const ObjectPtr& before, const ObjectPtr& after);

  Objects objects_;
  std::map<std::string, Index> indexes_;
};

}  // namespace coracle::client
