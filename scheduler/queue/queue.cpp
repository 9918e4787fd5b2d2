#include "queue/queue.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace coracle::scheduler {
namespace {

constexpr size_t kMissedMax = 1024;

bool asks_less(const Resources& now, const Resources& before) {
  return now.cpu_milli < before.cpu_milli || now.memory < before.memory ||
         now.ephemeral_storage < before.ephemeral_storage ||
         std::any_of(
             before.scalars.begin(), before.scalars.end(),
             [&](const auto& was) { return now.scalar(was.first) < was.second; });
}

// What of itself a pod changed that a plugin may have rejected it for.
Events own_changes(const PodInfo& before, const PodInfo& now) {
  Events events = 0;
  if (before.labels != now.labels) events |= event::kOwnLabels;
  if (asks_less(now.requests, before.requests)) events |= event::kOwnRequests;
  if (!before.tolerates_as(now)) events |= event::kOwnTolerations;
  if (before.device_claims != now.device_claims) events |= event::kOwnClaims;
  return events;
}

bool helps_one(const std::vector<const Plugin*>& rejected_by, const PodInfo& pod,
               const Change& change) {
  return rejected_by.empty() ||
         std::any_of(rejected_by.begin(), rejected_by.end(), [&](const Plugin* plugin) {
           return (plugin->helped_by() & change.events) != 0 && plugin->helps(pod, change);
         });
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
      count_hopes(entry, -1);
      --sizes_.parked;
      break;
    case Place::kGated:
      gated_.erase(entry.pod->key);
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
      count_hopes(entry, 1);
      ++sizes_.parked;
      break;
    case Place::kGated:
      gated_.insert(entry.pod->key);
      ++sizes_.gated;
      break;
    case Place::kTaken:
      ++sizes_.taken;
      break;
  }
}

void Queue::count_hopes(const Entry& entry, int sign) {
  for (size_t bit = 0; bit < hopes_.size(); ++bit) {
    if ((entry.helped_by >> bit & 1) != 0) hopes_[bit] += static_cast<size_t>(sign);
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
  const Events own = own_changes(*entry.pod, *pod);
  detach(entry);
  entry.pod = std::move(pod);
  if (entry.place == Place::kTaken) {
    entry.own |= own;
    return move(entry, Place::kTaken);
  }
  if (options_.keeps_out(*entry.pod)) return move(entry, Place::kGated);
  move(entry, entry.place);
  if (entry.place == Place::kGated ||
      (entry.place == Place::kParked && (entry.helped_by & own) != 0)) {
    wake(entry, now);
  }
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
  if (sizes_.taken == 0) missed_.clear();
  entry.own = 0;
  entry.called = false;
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
  entry.since = now;
  entry.backoff_until = now + backoff_of(entry.failures);
  ++entry.failures;
  entry.errors = 0;
  set_helpers(entry, std::move(rejected_by));
  entry.due = now + options_.park_max;
  move(entry, Place::kParked);
  if (entry.called || (entry.helped_by & entry.own) != 0 || missed_help(entry)) wake(entry, now);
}

void Queue::set_helpers(Entry& entry, std::vector<const Plugin*> rejected_by) {
  entry.rejected_by = std::move(rejected_by);
  entry.helped_by = 0;
  for (const Plugin* plugin : entry.rejected_by) entry.helped_by |= plugin->helped_by();
  if (entry.rejected_by.empty()) entry.helped_by = ~Events{0};
}

std::vector<PodPtr> Queue::waiting_of(const std::string& group) const {
  std::vector<PodPtr> pods;
  for (const auto& [key, entry] : entries_) {
    const bool waits = entry.place != Place::kTaken && entry.place != Place::kGated;
    if (waits && entry.pod->group == group) pods.push_back(entry.pod);
  }
  return pods;
}

void Queue::hold(const std::string& key, std::vector<const Plugin*> rejected_by, TimePoint now) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (entry.place == Place::kTaken || entry.place == Place::kGated) return;
  detach(entry);
  set_helpers(entry, std::move(rejected_by));
  entry.due = now + options_.park_max;
  move(entry, Place::kParked);
}

void Queue::retry(const std::string& key, TimePoint now) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  CHECK(entry.place == Place::kTaken);
  detach(entry);
  entry.since = now;
  entry.due = entry.backoff_until = now + backoff_of(entry.errors);
  ++entry.errors;
  move(entry, Place::kBackoff);
}

// A change outlives neither its node nor the text of its claim: those are kept by name.
void Queue::keep_for_taken(const Change& change) {
  if (sizes_.taken == 0) return;
  missed_.push_back(
      {change, change.node == nullptr ? "" : change.node->name(), std::string(change.claim)});
  if (missed_.size() > kMissedMax) missed_.pop_front();
}

bool Queue::missed_help(const Entry& entry) const {
  const std::uint64_t first = changes_ - missed_.size();  // that is kept
  if (entry.changes < first) return true;
  return std::any_of(
      missed_.begin() + static_cast<std::ptrdiff_t>(entry.changes - first), missed_.end(),
      [&](const Missed& missed) {
        Change change = missed.change;
        change.claim = missed.claim;
        if (!missed.node.empty()) {
          change.node = change.world == nullptr ? nullptr : change.world->nodes.find(missed.node);
          if (change.node == nullptr) return false;  // it went
        }
        return (entry.helped_by & change.events) != 0 &&
               helps_one(entry.rejected_by, *entry.pod, change);
      });
}

void Queue::put_off_group(const std::string& group, TimePoint now) {
  std::vector<Entry*> members;
  int failures = 0;
  for (auto& [key, entry] : entries_) {
    if (entry.pod->group != group || entry.place == Place::kTaken || entry.place == Place::kGated) {
      continue;
    }
    members.push_back(&entry);
    failures = std::max({failures, entry.failures, entry.errors});
  }
  for (Entry* entry : members) {
    detach(*entry);
    entry->failures = failures;
    entry->due = entry->backoff_until = now + backoff_of(std::max(failures - 1, 0));
    move(*entry, Place::kBackoff);
  }
}

size_t Queue::look_at_gated(TimePoint now) {
  std::vector<std::string> free;
  for (const std::string& key : gated_) {
    if (!options_.keeps_out(*entries_.at(key).pod)) free.push_back(key);
  }
  for (const std::string& key : free) wake(entries_.at(key), now);
  return free.size();
}

void Queue::activate(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (entry.place == Place::kTaken) entry.called = true;
  if (entry.place != Place::kParked && entry.place != Place::kBackoff) return;
  const bool out = entry.place == Place::kParked && options_.keeps_out(*entry.pod);
  detach(entry);
  move(entry, out ? Place::kGated : Place::kActive);
}

size_t Queue::on_change(const Change& change, TimePoint now) {
  if (change.events != 0) {
    keep_for_taken(change);
    ++changes_;
  }
  bool hope = false;
  for (size_t bit = 0; bit < hopes_.size(); ++bit) {
    hope = hope || ((change.events >> bit & 1) != 0 && hopes_[bit] != 0);
  }
  if (!hope) return 0;
  std::vector<std::string> helped;
  for (const std::string& key : parked_) {
    const Entry& entry = entries_.at(key);
    if ((entry.helped_by & change.events) == 0) continue;
    if (helps_one(entry.rejected_by, *entry.pod, change)) helped.push_back(key);
  }
  add_groups_of(helped);
  for (const std::string& key : helped) wake(entries_.at(key), now);
  return helped.size();
}

// One of a group is of no use without the others.
void Queue::add_groups_of(std::vector<std::string>& keys) const {
  std::set<std::string> groups;
  for (const std::string& key : keys) groups.insert(entries_.at(key).pod->group);
  groups.erase("");
  if (groups.empty()) return;
  const std::set<std::string> known(keys.begin(), keys.end());
  for (const std::string& key : parked_) {
    if (groups.contains(entries_.at(key).pod->group) && !known.contains(key)) keys.push_back(key);
  }
}

void Queue::wake(Entry& entry, TimePoint now) {
  const bool out = options_.keeps_out(*entry.pod);
  detach(entry);
  if (out) return move(entry, Place::kGated);
  entry.due = entry.backoff_until;
  move(entry, entry.due > now ? Place::kBackoff : Place::kActive);
}

void Queue::promote(TimePoint now) {
  while (!due_.empty() && due_.begin()->first <= now) {
    Entry& entry = entries_.at(due_.begin()->second);
    const bool out = entry.place == Place::kParked && options_.keeps_out(*entry.pod);
    detach(entry);
    move(entry, out ? Place::kGated : Place::kActive);
  }
}

Duration Queue::backoff_of(int failures) const {
  Duration backoff = options_.backoff_first;
  for (int i = 0; i < failures && backoff < options_.backoff_max; ++i) backoff *= 2;
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
