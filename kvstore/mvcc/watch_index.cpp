#include "mvcc/watch_index.hpp"

#include <optional>

namespace coracle::mvcc {
namespace {

// The prefix a range stands for, if it does.
std::optional<std::string> prefix_of(const KeyRange& range) {
  if (range.single) return std::nullopt;
  if (range.unbounded) {
    // Keys are not empty, so everything from "\0" on is everything.
    if (range.begin.empty() || range.begin == std::string(1, '\0')) return std::string();
    return std::nullopt;
  }
  return prefix_end(range.begin) == range.end ? std::optional(range.begin) : std::nullopt;
}

void add_all(const std::map<WatcherKey, Watcher*>& group, std::vector<Watcher*>& found) {
  for (const auto& [id, watcher] : group) found.push_back(watcher);
}

}  // namespace

void WatchIndex::add(const KeyRange& range, WatcherKey id, Watcher* watcher) {
  if (range.single) {
    exact_[range.begin].emplace(id, watcher);
  } else if (const auto prefix = prefix_of(range)) {
    Group& group = prefix_[*prefix];
    if (group.empty()) ++prefix_lengths_[prefix->size()];
    group.emplace(id, watcher);
  } else {
    auto& [kept, group] = other_[{range.begin, range.end}];
    kept = range;
    group.emplace(id, watcher);
  }
}

void WatchIndex::remove(const KeyRange& range, WatcherKey id) {
  if (range.single) {
    const auto it = exact_.find(range.begin);
    it->second.erase(id);
    if (it->second.empty()) exact_.erase(it);
  } else if (const auto prefix = prefix_of(range)) {
    const auto it = prefix_.find(*prefix);
    it->second.erase(id);
    if (!it->second.empty()) return;
    prefix_.erase(it);
    const auto length = prefix_lengths_.find(prefix->size());
    if (--length->second == 0) prefix_lengths_.erase(length);
  } else {
    const auto it = other_.find({range.begin, range.end});
    it->second.second.erase(id);
    if (it->second.second.empty()) other_.erase(it);
  }
}

void WatchIndex::match(std::string_view key, std::vector<Watcher*>& found) const {
  if (const auto it = exact_.find(key); it != exact_.end()) add_all(it->second, found);
  for (const auto& [length, groups] : prefix_lengths_) {
    if (length > key.size()) break;
    const auto it = prefix_.find(key.substr(0, length));
    if (it != prefix_.end()) add_all(it->second, found);
  }
  for (const auto& [bounds, entry] : other_) {
    if (bounds.first > key) break;
    if (entry.first.contains(key)) add_all(entry.second, found);
  }
}

}  // namespace coracle::mvcc
