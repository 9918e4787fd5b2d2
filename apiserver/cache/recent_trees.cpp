#include "apiserver/cache/recent_trees.hpp"

#include <utility>

#include "base/check.hpp"

namespace coracle::apiserver {

namespace {

// Equal, numbers of the same kind included, which == does not ask for.
bool same_tree(const json::value& a, const json::value& b) {
  if (a.kind() != b.kind()) return false;
  if (const json::array* items = a.if_array()) {
    const json::array& others = b.get_array();
    if (items->size() != others.size()) return false;
    for (std::size_t i = 0; i < items->size(); ++i) {
      if (!same_tree((*items)[i], others[i])) return false;
    }
    return true;
  }
  const json::object* members = a.if_object();
  if (members == nullptr) return a == b;
  if (members->size() != b.get_object().size()) return false;
  for (const auto& member : *members) {
    const json::value* other = find_member(b.get_object(), member.key());
    if (other == nullptr || !same_tree(member.value(), *other)) return false;
  }
  return true;
}

}  // namespace

void RecentTrees::keep(std::string key, std::string stored, json::value tree, bool once) {
  if (const auto old = index_.find(key); old != index_.end()) drop(old->second);
  if (stored.size() > kBytesMax) return;
  // What encode_stored() leaves out.
  if (json::value* metadata = find_member(tree.get_object(), "metadata")) {
    if (json::object* members = metadata->if_object()) {
      erase_key(*members, "resourceVersion");
      erase_key(*members, "selfLink");
    }
  }
  bytes_ += stored.size();
  entries_.push_back({std::move(key), std::move(stored), std::move(tree), 0, once});
  index_.emplace(entries_.back().key, std::prev(entries_.end()));
  while (bytes_ > kBytesMax) drop(entries_.begin());
}

const json::value* RecentTrees::seen(std::string_view key, std::string_view stored,
                                     std::int64_t revision) {
  last_.reset();
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  Entry& entry = *found->second;
  if (entry.stored != stored) return nullptr;  // another write came first, or ours is yet to come
  if (compare_each) {
    const auto parsed = parse_json(stored);
    CHECK_MSG(parsed.ok() && same_tree(entry.tree, *parsed),
              "the tree of " << key << " is not what was stored: " << to_json(entry.tree) << " and "
                             << stored);
  }
  entry.revision = revision;
  if (!entry.once) return &entry.tree;
  last_ = std::move(entry.tree);
  drop(found->second);
  return &*last_;
}

std::optional<json::value> RecentTrees::take(std::string_view key, std::int64_t revision) {
  const auto found = index_.find(key);
  if (found == index_.end() || revision == 0 || found->second->revision != revision) {
    return std::nullopt;
  }
  json::value tree = std::move(found->second->tree);
  drop(found->second);
  return tree;
}

void RecentTrees::drop(Entries::iterator entry) {
  bytes_ -= entry->stored.size();
  index_.erase(entry->key);
  entries_.erase(entry);
}

}  // namespace coracle::apiserver
