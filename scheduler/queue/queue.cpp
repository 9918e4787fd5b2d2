#include "queue/queue.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace coracle::scheduler {
namespace {

// What an update must change for a rejected pod to be worth another look.
bool decides_alike(const PodInfo& a, const PodInfo& b) {
  return a.labels == b.labels && a.requests == b.requests && a.priority == b.priority &&
         a.tolerations.size() == b.tolerations.size() && a.gates == b.gates && a.uid == b.uid;
}

}  // namespace

Queue::ActiveKey Queue::active_key(const Entry& entry) {
  return {{entry.pod.get(), entry.since}, entry.sequence};
}

bool Queue::Before::operator()(const ActiveKey& a, const ActiveKey& b) const {
  if (sort != nullptr) {
    if (sort->less(a.queued, b.queued)) return true;
    if (sort->less(b.queued, a.queued)) return false;
  } else {
    const auto rank = [](const QueuedPod& q) { return std::pair(-q.pod->priority, q.since); };
    if (rank(a.queued) != rank(b.queued)) return rank(a.queued) < rank(b.queued);
  }
  return a.sequence < b.sequence;
}

void Queue::detach(Entry& entry) {
  switch (entry.place) {
    case Place::kActive:
      active_.erase(active_key(entry));
      --sizes_.active;
      break;
    case Place::kBackoff:
      due_.erase({entry.due, entry.pod->key});
      --sizes_.backoff;
      break;
    case Place::kParked:
      due_.erase({entry.due, entry.pod->key});
      parked_.erase(entry.pod->key);
      --sizes_.parked;
      break;
    case Place::kGated:
      --sizes_.gated;
      break;
    case Place::kTaken:
      --sizes_.taken;
      break;
  }
}

// After detach(); `due` is set for the places that have one.
void Queue::move(Entry& entry, Place place) {
  entry.place = place;
  switch (place) {
    case Place::kActive:
      active_.insert(active_key(entry));
      ++sizes_.active;
      break;
    case Place::kBackoff:
      due_.insert({entry.due, entry.pod->key});
      ++sizes_.backoff;
      break;
    case Place::kParked:
      due_.insert({entry.due, entry.pod->key});
      parked_.insert(entry.pod->key);
      ++sizes_.parked;
      break;
    case Place::kGated:
      ++sizes_.gated;
      break;
    case Place::kTaken:
      ++sizes_.taken;
      break;
  }
}

void Queue::put(PodPtr pod, TimePoint now) {
  const auto found = entries_.find(pod->key);
  if (found != entries_.end() && found->second.pod->uid != pod->uid) {
    remove(pod->key);  // another pod of that name
    return put(std::move(pod), now);
  }
  if (found == entries_.end()) {
    Entry& entry = entries_[pod->key];
    entry.pod = std::move(pod);
    entry.since = now;
    entry.sequence = next_sequence_++;
    return move(entry, options_.keeps_out(*entry.pod) ? Place::kGated : Place::kActive);
  }
  Entry& entry = found->second;
  const bool alike = decides_alike(*entry.pod, *pod);
  detach(entry);
  entry.pod = std::move(pod);
  if (entry.place == Place::kTaken) {
    entry.changed = entry.changed || !alike;
    return move(entry, Place::kTaken);
  }
  if (options_.keeps_out(*entry.pod)) return move(entry, Place::kGated);
  if (entry.place == Place::kGated) return move(entry, Place::kActive);
  if (entry.place == Place::kParked && !alike) {
    move(entry, Place::kParked);
    return wake(entry, now);
  }
  move(entry, entry.place);
}

void Queue::remove(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  detach(found->second);
  entries_.erase(found);
}

PodPtr Queue::take(TimePoint now) {
  promote(now);
  if (active_.empty()) return nullptr;
  const auto found = entries_.find(active_.begin()->queued.pod->key);
  CHECK(found != entries_.end());
  Entry& entry = found->second;
  detach(entry);
  entry.changed = false;
  entry.changes = changes_;
  move(entry, Place::kTaken);
  return entry.pod;
}

void Queue::park(const std::string& key, std::vector<const Plugin*> rejected_by, TimePoint now) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;  // deleted while it was tried
  Entry& entry = found->second;
  CHECK(entry.place == Place::kTaken);
  detach(entry);
  entry.backoff_until = now + backoff_of(entry);
  ++entry.failures;
  entry.rejected_by = std::move(rejected_by);
  entry.due = now + options_.park_max;
  move(entry, Place::kParked);
  if (entry.changed || entry.changes != changes_) wake(entry, now);
}

void Queue::retry(const std::string& key, TimePoint now) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  CHECK(entry.place == Place::kTaken);
  detach(entry);
  entry.due = entry.backoff_until = now + backoff_of(entry);
  ++entry.failures;
  move(entry, Place::kBackoff);
}

void Queue::activate(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (entry.place != Place::kParked && entry.place != Place::kBackoff) return;
  detach(entry);
  move(entry, Place::kActive);
}

size_t Queue::on_change(const Change& change, TimePoint now) {
  if (change.events != 0) ++changes_;
  if (parked_.empty() || change.events == 0) return 0;
  std::vector<std::string> helped;
  for (const std::string& key : parked_) {
    const Entry& entry = entries_.at(key);
    const bool helps =
        std::any_of(entry.rejected_by.begin(), entry.rejected_by.end(), [&](const Plugin* plugin) {
          return (plugin->helped_by() & change.events) != 0 && plugin->helps(*entry.pod, change);
        });
    if (helps) helped.push_back(key);
  }
  for (const std::string& key : helped) wake(entries_.at(key), now);
  return helped.size();
}

void Queue::wake(Entry& entry, TimePoint now) {
  detach(entry);
  entry.due = entry.backoff_until;
  move(entry, entry.due > now ? Place::kBackoff : Place::kActive);
}

void Queue::promote(TimePoint now) {
  while (!due_.empty() && due_.begin()->first <= now) {
    Entry& entry = entries_.at(due_.begin()->second);
    detach(entry);
    move(entry, Place::kActive);
  }
}

Duration Queue::backoff_of(const Entry& entry) const {
  Duration backoff = options_.backoff_first;
  for (int i = 0; i < entry.failures && backoff < options_.backoff_max; ++i) backoff *= 2;
  return std::min(backoff, options_.backoff_max);
}

std::optional<TimePoint> Queue::next_due() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

Queue::Sizes Queue::sizes() const { return sizes_; }

PodPtr Queue::find(const std::string& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : found->second.pod;
}

}  // namespace coracle::scheduler
