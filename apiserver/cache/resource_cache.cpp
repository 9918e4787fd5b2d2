#include "apiserver/cache/resource_cache.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace coracle::apiserver {

namespace {

std::size_t weight(const CacheEvent& event) {
  std::size_t bytes = 200;
  if (event.now()) bytes += event.now()->tail()->size();
  if (event.before()) bytes += event.before()->tail()->size();
  return bytes;
}

}  // namespace

const ObjectPtr& CacheEvent::gone() const {
  if (!gone_) gone_ = before_->at_revision(revision_);
  return gone_;
}

Bytes CacheEvent::memo(int form, const std::function<Bytes()>& make) const {
  for (const auto& [known, bytes] : memo_) {
    if (known == form) return bytes;
  }
  memo_.emplace_back(form, make());
  return memo_.back().second;
}

ResourceCache::ResourceCache(ObjectShape shape, CacheLimits limits)
    : shape_(std::move(shape)), node_field_(shape_.node_field()), limits_(limits) {}

// Watchers are told nothing of a value that cannot be read: it is neither gone nor known.
Status ResourceCache::put(std::string key, const client::KeyValue& kv, const json::value* known) {
  if (kv.form == client::KeyValue::Form::kUnreadable) {
    unreadable_[std::move(key)] = kv.value;
    return data_loss(kv.value);
  }
  if (!unreadable_.empty()) unreadable_.erase(key);
  auto parsed =
      CachedObject::parse(shape_, key, kv.value, kv.mod_revision, kv.create_revision, known);
  RETURN_IF_ERROR(parsed.status());
  ObjectPtr object = *std::move(parsed);
  ObjectPtr& slot = objects_[std::move(key)];
  ObjectPtr before = std::exchange(slot, object);
  append(std::make_shared<CacheEvent>(kv.mod_revision, std::move(object), std::move(before)));
  return {};
}

void ResourceCache::remove(const std::string& key, std::int64_t revision) {
  if (!unreadable_.empty()) unreadable_.erase(key);
  const auto at = objects_.find(key);
  if (at == objects_.end()) return;
  ObjectPtr before = std::move(at->second);
  objects_.erase(at);
  append(std::make_shared<CacheEvent>(revision, nullptr, std::move(before)));
}

void ResourceCache::replace(std::vector<std::pair<std::string, client::KeyValue>> all,
                            std::int64_t revision) {
  const bool first = last_change_ == 0 && oldest_ == 0;
  std::vector<EventPtr> changes;
  std::map<std::string, ObjectPtr, std::less<>> next;
  unreadable_.clear();
  for (auto& [key, kv] : all) {
    const auto old = objects_.find(key);
    ObjectPtr before = old == objects_.end() ? nullptr : old->second;
    if (kv.form == client::KeyValue::Form::kUnreadable) {
      log::error("{}", kv.value);
      unreadable_[key] = std::move(kv.value);
      if (before) next.emplace_hint(next.end(), key, std::move(before));
      continue;
    }
    if (before && before->revision() == kv.mod_revision) {
      next.emplace_hint(next.end(), key, std::move(before));
      continue;
    }
    auto parsed = CachedObject::parse(shape_, key, kv.value, kv.mod_revision, kv.create_revision);
    if (!parsed.ok()) {
      log::error("{}", parsed.status().to_string());
      continue;
    }
    if (before && before->create_revision() != kv.create_revision) {  // deleted in between
      changes.push_back(
          std::make_shared<CacheEvent>(kv.create_revision - 1, nullptr, std::move(before)));
      before = nullptr;
    }
    if (!first) {
      changes.push_back(std::make_shared<CacheEvent>(kv.mod_revision, *parsed, std::move(before)));
    }
    next.emplace_hint(next.end(), key, *std::move(parsed));
  }
  for (const auto& [key, object] : objects_) {
    if (!next.contains(key)) {
      changes.push_back(std::make_shared<CacheEvent>(revision, nullptr, object));
    }
  }
  std::sort(changes.begin(), changes.end(),
            [](const EventPtr& a, const EventPtr& b) { return a->revision() < b->revision(); });
  objects_ = std::move(next);
  if (first) oldest_ = last_change_ = revision;
  for (EventPtr& event : changes) append(std::move(event));
}

ObjectPtr ResourceCache::find(std::string_view key) const {
  const auto at = objects_.find(key);
  return at == objects_.end() ? nullptr : at->second;
}

const std::string* ResourceCache::unreadable(std::string_view key) const {
  if (unreadable_.empty()) return nullptr;
  const auto at = unreadable_.find(key);
  return at == unreadable_.end() ? nullptr : &at->second;
}

const std::string* ResourceCache::unreadable_in(std::string_view ns) const {
  if (unreadable_.empty()) return nullptr;
  const std::string prefix = ns.empty() ? std::string() : std::string(ns) + "/";
  const auto at = unreadable_.lower_bound(prefix);
  return at == unreadable_.end() || !at->first.starts_with(prefix) ? nullptr : &at->second;
}

void ResourceCache::scan(std::string_view ns, std::string_view from,
                         const std::function<bool(const ObjectPtr&)>& fn) const {
  const std::string prefix = ns.empty() ? std::string() : std::string(ns) + "/";
  for (auto at = objects_.lower_bound(std::max<std::string_view>(from, prefix));
       at != objects_.end() && std::string_view(at->first).starts_with(prefix); ++at) {
    if (!fn(at->second)) return;
  }
}

std::string ResourceCache::bucket_of(const WatchScope& scope) const {
  if (!scope.name.empty() && (!shape_.namespaced || !scope.ns.empty())) {
    return "k:" + (shape_.namespaced ? scope.ns + "/" + scope.name : scope.name);
  }
  if (!scope.node.empty() && node_field_ >= 0) return "n:" + scope.node;
  if (!scope.ns.empty()) return "s:" + scope.ns;
  return "*";
}

std::string_view ResourceCache::node_of(const ObjectPtr& object) const {
  return object && node_field_ >= 0 ? object->field(static_cast<std::size_t>(node_field_))
                                    : std::string_view();
}

bool ResourceCache::in_scope(const WatchScope& scope, const CacheEvent& event) const {
  const ObjectPtr& any = event.now() ? event.now() : event.before();
  if (!scope.ns.empty() && any->ns() != scope.ns) return false;
  if (!scope.name.empty() && any->name() != scope.name) return false;
  if (!scope.node.empty() && node_field_ >= 0) {
    return node_of(event.now()) == scope.node || node_of(event.before()) == scope.node;
  }
  return true;
}

Result<ResourceCache::WatcherId> ResourceCache::watch(const WatchScope& scope,
                                                      std::int64_t after_revision,
                                                      WatchClient* client) {
  if (after_revision < oldest_) {
    return out_of_range("too old resource version: " + std::to_string(after_revision) + " (" +
                        std::to_string(oldest_ + 1) + ")");
  }
  auto entry = std::make_shared<Entry>(Entry{next_id_++, client, after_revision});
  std::string home = bucket_of(scope);
  buckets_[home].push_back(entry);
  homes_[entry->id] = std::move(home);
  if (after_revision < last_change_) {
    const auto first = std::upper_bound(
        ring_.begin(), ring_.end(), after_revision,
        [](std::int64_t rev, const EventPtr& event) { return rev < event->revision(); });
    const std::vector<EventPtr> missed(first, ring_.end());
    // What comes while these are handed out is newer than all of them and is not offered twice.
    entry->after = std::max(after_revision, last_change_);
    for (const EventPtr& event : missed) {
      if (entry->client == nullptr) break;
      if (in_scope(scope, *event)) client->on_event(event);
    }
  }
  return entry->id;
}

void ResourceCache::unwatch(WatcherId id) {
  const auto home = homes_.find(id);
  if (home == homes_.end()) return;
  for (auto& entry : buckets_[home->second]) {
    if (entry->id == id) entry->client = nullptr;
  }
  dirty_.push_back(home->second);
  homes_.erase(home);
  if (dispatching_ == 0) sweep();
}

void ResourceCache::sweep() {
  for (const std::string& name : dirty_) {
    const auto at = buckets_.find(name);
    if (at == buckets_.end()) continue;
    std::erase_if(at->second, [](const auto& entry) { return entry->client == nullptr; });
    if (at->second.empty()) buckets_.erase(at);
  }
  dirty_.clear();
}

void ResourceCache::append(EventPtr event) {
  last_change_ = std::max(last_change_, event->revision());
  ring_bytes_ += weight(*event);
  ring_.push_back(event);
  while (ring_.size() > limits_.events_max || ring_bytes_ > limits_.event_bytes_max) {
    ring_bytes_ -= weight(*ring_.front());
    oldest_ = std::max(oldest_, ring_.front()->revision());
    ring_.pop_front();
  }
  const ObjectPtr& any = event->now() ? event->now() : event->before();
  ++dispatching_;
  offer("*", event);
  offer("k:" + any->key(), event);
  if (shape_.namespaced) offer("s:" + std::string(any->ns()), event);
  const std::string_view now = node_of(event->now()), before = node_of(event->before());
  if (!now.empty()) offer("n:" + std::string(now), event);
  if (!before.empty() && before != now) offer("n:" + std::string(before), event);
  if (--dispatching_ == 0 && !dirty_.empty()) sweep();
}

void ResourceCache::offer(const std::string& bucket, const EventPtr& event) {
  const auto at = buckets_.find(bucket);
  if (at == buckets_.end()) return;
  Bucket& entries = at->second;
  const std::size_t count = entries.size();  // those who join now have seen this event in the ring
  for (std::size_t i = 0; i < count; ++i) {
    const std::shared_ptr<Entry> entry = entries[i];
    if (entry->client != nullptr && entry->after < event->revision()) {
      entry->client->on_event(event);
    }
  }
}

}  // namespace coracle::apiserver
