// RecentTrees: what this apiserver wrote a moment ago, as the tree that its stored text parses to.
// The watch event of the write and whoever changes the object next (a binding follows a create, a
// status a binding) take the tree instead of parsing the text again, which is the dearest step of
// either.
//
// Thread: apiserver strand only. Pure: no I/O, no clock. StoreFeed owns it.
// A tree is given only for the very bytes it belongs to: a write by somebody else, or one that
// failed, makes what is kept useless and never wrong. Bound: kBytesMax of stored text, the oldest
// go first; a tree takes about four times its text. Each operation is one lookup by hash.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/json.hpp"

namespace coracle::apiserver {

class RecentTrees {
 public:
  // Some 40 pods: trees that leave are then still in the processor's cache, where memory is slow
  // that is worth more than the few that are taken later.
  static constexpr std::size_t kBytesMax = 96 << 10;

  // To be told before the write: its event may come before its answer. `key` is the store's;
  // `stored` is what encode_stored() made of `tree`, an object. once: nobody will change it, so
  // that it goes when its event was seen.
  void keep(std::string key, std::string stored, json::value tree, bool once);
  // The tree of what the store told under that revision; null when it is not known. Until the next
  // call of anything here.
  const json::value* seen(std::string_view key, std::string_view stored, std::int64_t revision);
  // Hands over the tree of what was seen under that revision.
  std::optional<json::value> take(std::string_view key, std::int64_t revision);

  std::size_t bytes() const { return bytes_; }

  // Tests have every tree that is given compared with what its text parses to.
  static inline bool compare_each = false;

 private:
  struct Entry {
    std::string key, stored;
    json::value tree;
    std::int64_t revision = 0;  // 0: not seen yet
    bool once = false;
  };
  using Entries = std::list<Entry>;

  void drop(Entries::iterator entry);

  Entries entries_;                                                // oldest first
  std::unordered_map<std::string_view, Entries::iterator> index_;  // by keys of entries_
  std::optional<json::value> last_;  // given by seen(), and no longer kept
  std::size_t bytes_ = 0;
};

}  // namespace coracle::apiserver
