// World: what a controller sees of the cluster: one cache a resource, kept equal to the apiserver
// by informers. Read-only for reconcilers. In tests it is filled by hand.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/object_cache.hpp"
#include "client/resource.hpp"

namespace coracle::controllers {

class World {
 public:
  using Source = std::function<const client::ObjectCache&(const client::Gvr&)>;
  using Version = std::function<std::int64_t(const client::Gvr&)>;
  using Follows = std::function<bool(const client::Gvr&)>;
  using Memory = std::function<const json::value*(const std::string& key)>;
  World(Source source, Version version, Follows follows, Memory memory)
      : source_(std::move(source)),
        version_(std::move(version)),
        follows_(std::move(follows)),
        memory_(std::move(memory)) {}

  const client::ObjectCache& of(const client::Gvr& gvr) const { return source_(gvr); }
  // The resource version up to which that cache is complete.
  std::int64_t version(const client::Gvr& gvr) const { return version_(gvr); }
  // Whether there is a cache of that (custom) resource; of() answers an empty one if not.
  bool follows(const client::Gvr& gvr) const { return follows_(gvr); }
  // What the last plan for that key wanted to remember; null when nothing.
  json::value memory(const std::string& key) const {
    const json::value* found = memory_(key);
    return found == nullptr ? json::value() : *found;
  }
  // Null when it is not there.
  client::ObjectPtr get(const client::Gvr& gvr, const std::string& ns,
                        const std::string& name) const {
    return of(gvr).get(ns, name);
  }
  std::vector<client::ObjectPtr> in_namespace(const client::Gvr& gvr, const std::string& ns) const {
    return of(gvr).by_index(client::kNamespaceIndex, ns);
  }

 private:
  Source source_;
  Version version_;
  Follows follows_;
  Memory memory_;
};

// A World filled by hand, for tests and what-if questions.
class FixedWorld {
 public:
  FixedWorld() = default;
  void put(const client::Gvr& gvr, const json::value& object);
  std::int64_t version = 1'000'000;  // of every cache
  std::map<std::string, json::value> memory;
  World view() {
    return World([this](const client::Gvr& gvr) -> const client::ObjectCache& { return at(gvr); },
                 [this](const client::Gvr&) { return version; },
                 [](const client::Gvr&) { return true; },
                 [this](const std::string& key) -> const json::value* {
                   const auto found = memory.find(key);
                   return found == memory.end() ? nullptr : &found->second;
                 });
  }

 private:
  client::ObjectCache& at(const client::Gvr& gvr);
  std::map<std::string, std::unique_ptr<client::ObjectCache>> caches_;
};

}  // namespace coracle::controllers
