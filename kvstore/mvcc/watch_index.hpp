// WatchIndex: which watchers does a key concern? Exact keys and prefixes (nearly all there is) are
// found by hash, any other range by walking the distinct ranges that begin at or before the key.
// Thread: one owner. The hash maps are looked up, never walked, so results come in a fixed order.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mvcc/key_range.hpp"
#include "mvcc/watch_types.hpp"

namespace coracle::mvcc {

using WatcherKey = std::pair<StreamId, std::int64_t>;  // stream and watch id
struct Watcher;                                        // watch_hub.cpp

class WatchIndex {
 public:
  void add(const KeyRange& range, WatcherKey id, Watcher* watcher);
  void remove(const KeyRange& range, WatcherKey id);
  // Appends the watchers of `key`, each once.
  void match(std::string_view key, std::vector<Watcher*>& found) const;

 private:
  using Group = std::map<WatcherKey, Watcher*>;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  using Groups = std::unordered_map<std::string, Group, Hash, std::equal_to<>>;

  Groups exact_;
  Groups prefix_;
  std::map<std::size_t, std::size_t> prefix_lengths_;  // length -> groups of it
  std::map<std::pair<std::string, std::string>, std::pair<KeyRange, Group>> other_;
};

}  // namespace coracle::mvcc
