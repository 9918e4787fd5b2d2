// KeyIndex: every key that has a version left, in order, with its history and, for a live key,
// the facts compares and counts need. A skip list whose links know how many live keys they pass,
// so counting a range is O(log n) like finding a place in it; a key itself is found by its hash,
// because every write asks for its key several times and the walk misses the processor's caches.
//
// Thread:    one owner. An Entry stays where it is until erase(); links are never exposed.
// Invariant: versions ascend; an entry is live iff its last version is no tombstone.
// Chance:    none: an entry's height follows from its key, so all members build the same list.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mvcc/key_range.hpp"

namespace coracle::mvcc {

// Where one version of a key lies, and how many bytes its record takes (key and value).
struct VersionRef {
  std::int64_t main = 0;
  std::uint32_t sub : 31 = 0;
  std::uint32_t tombstone : 1 = 0;
  std::uint32_t bytes = 0;
  friend bool operator==(const VersionRef&, const VersionRef&) = default;
};

class KeyIndex {
 public:
  struct Entry {
    std::string key;
    std::vector<VersionRef> versions;
    std::int64_t create = 0;  // these three: of the live version, 0 if deleted
    std::int64_t version = 0;
    std::int64_t lease = 0;

    bool live() const { return version > 0; }
    std::int64_t mod() const { return versions.back().main; }
    // The newest version at or before a revision; nullptr if none. It may be a tombstone.
    const VersionRef* at(std::int64_t revision) const;
  };

  KeyIndex();
  ~KeyIndex();
  KeyIndex(const KeyIndex&) = delete;
  KeyIndex& operator=(const KeyIndex&) = delete;

  std::size_t size() const { return by_key_.size(); }
  std::size_t live_size() const { return live_; }

  const Entry* find(std::string_view key) const;
  Entry* find(std::string_view key);
  Entry& find_or_insert(std::string_view key);  // a new entry has no versions and is not live
  void erase(std::string_view key);             // no effect if absent

  // First entry at or after key; nullptr at the end.
  const Entry* seek(std::string_view key) const;
  Entry* seek(std::string_view key);
  const Entry* next(const Entry& entry) const;
  Entry* next(Entry& entry);

  // Appends a version that makes the entry live with these facts, or a tombstone.
  void push_live(Entry& entry, VersionRef ref, std::int64_t create, std::int64_t version,
                 std::int64_t lease);
  void push_tombstone(Entry& entry, VersionRef ref);

  std::size_t count_live(const KeyRange& range) const;

 private:
  static constexpr int kMaxHeight = 16;
  struct Node;
  struct Link {
    Node* to = nullptr;
    std::uint32_t live = 0;  // live entries in (from, to], or to the end of the list
  };
  using Trace = std::array<Node*, kMaxHeight>;

  static int height_of(std::string_view key);
  static Node* make_node(std::string_view key, int height);
  static void free_node(Node* node);
  // The last node before `key` on every level.
  Trace trace(std::string_view key) const;
  std::size_t live_before(std::string_view key) const;
  void set_live(Entry& entry, bool live);

  Node* head_;
  std::unordered_map<std::string_view, Node*> by_key_;  // views of the entries; never walked
  std::size_t live_ = 0;
};

}  // namespace coracle::mvcc
