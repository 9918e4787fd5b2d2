#include "mvcc/key_index.hpp"

#include <algorithm>
#include <bit>
#include <new>

#include "base/check.hpp"
#include "base/encoding.hpp"

namespace coracle::mvcc {

// A node ends in as many links as it is high.
struct KeyIndex::Node {
  Entry entry;
  int height = 0;

  Link* links() { return reinterpret_cast<Link*>(this + 1); }
  const Link* links() const { return reinterpret_cast<const Link*>(this + 1); }
};

const VersionRef* KeyIndex::Entry::at(std::int64_t revision) const {
  // Most reads are about the present.
  if (!versions.empty() && versions.back().main <= revision) return &versions.back();
  const auto after =
      std::upper_bound(versions.begin(), versions.end(), revision,
                       [](std::int64_t r, const VersionRef& v) { return r < v.main; });
  return after == versions.begin() ? nullptr : &*(after - 1);
}

int KeyIndex::height_of(std::string_view key) {
  // One level more with chance 1/4. The hash is mixed, as keys differ in few characters.
  std::uint64_t h = fnv32a(key);
  h = (h ^ h >> 15) * 0x9e3779b97f4a7c15u;
  h ^= h >> 32;
  return std::min(1 + std::countr_zero(h | 1ull << 40) / 2, kMaxHeight);
}

KeyIndex::Node* KeyIndex::make_node(std::string_view key, int height) {
  static_assert(alignof(Node) >= alignof(Link) && sizeof(Node) % alignof(Link) == 0);
  void* memory = ::operator new(sizeof(Node) + static_cast<std::size_t>(height) * sizeof(Link));
  Node* node = new (memory) Node;
  node->entry.key = key;
  node->height = height;
  for (int i = 0; i < height; ++i) new (node->links() + i) Link;
  return node;
}

void KeyIndex::free_node(Node* node) {
  node->~Node();
  ::operator delete(node);
}

KeyIndex::KeyIndex() : head_(make_node({}, kMaxHeight)) {}

KeyIndex::~KeyIndex() {
  for (Node* node = head_; node != nullptr;) {
    Node* after = node->links()[0].to;
    free_node(node);
    node = after;
  }
}

KeyIndex::Trace KeyIndex::trace(std::string_view key) const {
  Trace before;
  Node* node = head_;
  for (int level = kMaxHeight - 1; level >= 0; --level) {
    for (Node* to = node->links()[level].to; to != nullptr && to->entry.key < key;
         to = node->links()[level].to) {
      node = to;
    }
    before[static_cast<std::size_t>(level)] = node;
  }
  return before;
}

KeyIndex::Entry* KeyIndex::seek(std::string_view key) {
  Node* node = trace(key)[0]->links()[0].to;
  return node == nullptr ? nullptr : &node->entry;
}

const KeyIndex::Entry* KeyIndex::seek(std::string_view key) const {
  return const_cast<KeyIndex*>(this)->seek(key);
}

KeyIndex::Entry* KeyIndex::find(std::string_view key) {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &found->second->entry;
}

const KeyIndex::Entry* KeyIndex::find(std::string_view key) const {
  return const_cast<KeyIndex*>(this)->find(key);
}

// The entry is a node's first member.
KeyIndex::Entry* KeyIndex::next(Entry& entry) {
  Node* node = reinterpret_cast<Node*>(&entry)->links()[0].to;
  return node == nullptr ? nullptr : &node->entry;
}

const KeyIndex::Entry* KeyIndex::next(const Entry& entry) const {
  return const_cast<KeyIndex*>(this)->next(const_cast<Entry&>(entry));
}

std::size_t KeyIndex::live_before(std::string_view key) const {
  std::size_t live = 0;
  const Node* node = head_;
  for (int level = kMaxHeight - 1; level >= 0; --level) {
    for (const Link* link = node->links() + level; link->to != nullptr && link->to->entry.key < key;
         link = node->links() + level) {
      live += link->live;
      node = link->to;
    }
  }
  return live;
}

KeyIndex::Entry& KeyIndex::find_or_insert(std::string_view key) {
  if (Entry* entry = find(key)) return *entry;
  const Trace before = trace(key);
  Node* fresh = make_node(key, height_of(key));
  const std::size_t rank = live_before(key);
  for (int level = 0; level < fresh->height; ++level) {
    Node* left = before[static_cast<std::size_t>(level)];
    Link& link = left->links()[level];
    // Live entries in (left, key): those before key less those up to left.
    const std::size_t upto_left =
        left == head_ ? 0 : live_before(left->entry.key) + (left->entry.live() ? 1 : 0);
    const auto passed = static_cast<std::uint32_t>(rank - upto_left);
    fresh->links()[level] = {link.to, link.live - passed};
    link = {fresh, passed};
  }
  by_key_.emplace(fresh->entry.key, fresh);
  return fresh->entry;
}

void KeyIndex::erase(std::string_view key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  Node* const node = found->second;
  const Trace before = trace(key);
  if (node->entry.live()) set_live(node->entry, false);
  for (int level = 0; level < node->height; ++level) {
    Link& link = before[static_cast<std::size_t>(level)]->links()[level];
    link = {node->links()[level].to, link.live + node->links()[level].live};
  }
  by_key_.erase(found);  // while its key is there
  free_node(node);
}

void KeyIndex::set_live(Entry& entry, bool live) {
  const Trace before = trace(entry.key);
  for (int level = 0; level < kMaxHeight; ++level) {
    std::uint32_t& count = before[static_cast<std::size_t>(level)]->links()[level].live;
    count = live ? count + 1 : count - 1;
  }
  live_ = live ? live_ + 1 : live_ - 1;
}

void KeyIndex::push_live(Entry& entry, VersionRef ref, std::int64_t create, std::int64_t version,
                         std::int64_t lease) {
  CORACLE_CHECK(version > 0 && !ref.tombstone);
  if (!entry.live()) set_live(entry, true);
  entry.versions.push_back(ref);
  entry.create = create;
  entry.version = version;
  entry.lease = lease;
}

void KeyIndex::push_tombstone(Entry& entry, VersionRef ref) {
  CORACLE_CHECK(ref.tombstone);
  if (entry.live()) set_live(entry, false);
  entry.versions.push_back(ref);
  entry.create = entry.version = entry.lease = 0;
}

std::size_t KeyIndex::count_live(const KeyRange& range) const {
  if (range.single) {
    const Entry* entry = find(range.begin);
    return entry != nullptr && entry->live() ? 1 : 0;
  }
  if (range.empty()) return 0;
  return (range.unbounded ? live_ : live_before(range.end)) - live_before(range.begin);
}

}  // namespace coracle::mvcc
