#include "client/object_cache.hpp"

#include "base/check.hpp"

namespace coracle::client {

std::string object_key(const json::value& object) {
  const std::string name(get_string(object, "metadata.name"));
  const std::string ns(get_string(object, "metadata.namespace"));
  return ns.empty() ? name : ns + "/" + name;
}

namespace {

std::vector<std::string> one_unless_empty(std::string_view text) {
  if (text.empty()) return {};
  return {std::string(text)};
}

}  // namespace

std::vector<std::string> index_by_namespace(const json::value& object) {
  return one_unless_empty(get_string(object, "metadata.namespace"));
}

std::vector<std::string> index_by_node_name(const json::value& object) {
  return one_unless_empty(get_string(object, "spec.nodeName"));
}

std::vector<std::string> index_by_owner_uid(const json::value& object) {
  std::vector<std::string> uids;
  for (const json::value& owner : get_array(object, "metadata.ownerReferences")) {
    uids.emplace_back(get_string(owner, "uid"));
  }
  return uids;
}

std::vector<std::string> index_by_controller_uid(const json::value& object) {
  for (const json::value& owner : get_array(object, "metadata.ownerReferences")) {
    if (get_bool(owner, "controller")) return one_unless_empty(get_string(owner, "uid"));
  }
  return {};
}

ObjectCache::ObjectCache() { add_index(kNamespaceIndex, index_by_namespace); }

void ObjectCache::add_index(const std::string& name, IndexFunction function) {
  const auto [index, added] = indexes_.try_emplace(name);
  if (!added) return;
  index->second.function = std::move(function);
  for (Place place = objects_.begin(); place != objects_.end(); ++place) {
    for (const std::string& value : index->second.function(*place->second)) {
      index->second.places[value].insert(place);
    }
  }
}

void ObjectCache::reindex(Place place, const ObjectPtr& before, const ObjectPtr& after) {
  for (auto& [name, index] : indexes_) {
    const auto old = before ? index.function(*before) : std::vector<std::string>();
    const auto now = after ? index.function(*after) : std::vector<std::string>();
    if (old == now) continue;  // most updates
    for (const std::string& value : old) {
      const auto bucket = index.places.find(value);
      if (bucket == index.places.end()) continue;
      bucket->second.erase(place);
      if (bucket->second.empty()) index.places.erase(bucket);
    }
    for (const std::string& value : now) index.places[value].insert(place);
  }
}

ObjectPtr ObjectCache::put(const std::string& key, ObjectPtr object) {
  const Objects::iterator slot = objects_.try_emplace(key).first;
  ObjectPtr before = std::exchange(slot->second, std::move(object));
  reindex(slot, before, slot->second);
  return before;
}

ObjectPtr ObjectCache::erase(const std::string& key) {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return nullptr;
  ObjectPtr before = std::move(found->second);
  reindex(found, before, nullptr);
  objects_.erase(found);
  return before;
}

ObjectPtr ObjectCache::get(const std::string& key) const {
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : found->second;
}

ObjectPtr ObjectCache::get(const std::string& ns, const std::string& name) const {
  return get(ns.empty() ? name : ns + "/" + name);
}

const ObjectCache::Index& ObjectCache::index_named(const std::string& name) const {
  const auto found = indexes_.find(name);
  CHECK_MSG(found != indexes_.end(), "no index " << name);
  return found->second;
}

std::vector<ObjectPtr> ObjectCache::by_index(const std::string& index,
                                             const std::string& value) const {
  const auto& places = index_named(index).places;
  std::vector<ObjectPtr> objects;
  const auto bucket = places.find(value);
  if (bucket == places.end()) return objects;
  objects.reserve(bucket->second.size());
  for (const Place place : bucket->second) objects.push_back(place->second);
  return objects;
}

size_t ObjectCache::count(const std::string& index, const std::string& value) const {
  const auto& places = index_named(index).places;
  const auto bucket = places.find(value);
  return bucket == places.end() ? 0 : bucket->second.size();
}

std::vector<ObjectPtr> ObjectCache::first_of(const std::string& index, size_t most) const {
  std::vector<ObjectPtr> objects;
  for (const auto& [value, bucket] : index_named(index).places) {
    for (const Place place : bucket) {
      if (objects.size() == most) return objects;
      objects.push_back(place->second);
    }
  }
  return objects;
}

std::vector<ObjectPtr> ObjectCache::all() const {
  std::vector<ObjectPtr> objects;
  objects.reserve(objects_.size());
  for (const auto& [key, object] : objects_) objects.push_back(object);
  return objects;
}

}  // namespace coracle::client
