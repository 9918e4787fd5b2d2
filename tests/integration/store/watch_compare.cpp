#include "differential/watch_compare.hpp"

#include <algorithm>
#include <set>

#include "differential/compare.hpp"

namespace coracle::differential {
namespace {

using Responses = std::vector<pb::WatchResponse>;

bool is_progress(const pb::WatchResponse& r) {
  return r.watch_id() == -1 && !r.created() && !r.canceled() && r.events().empty();
}

std::int64_t last_revision(const pb::WatchResponse& r) {
  return r.events(r.events_size() - 1).kv().mod_revision();
}

// One answer carries on where the other ended, with nothing in between that a client could see.
bool continues(const pb::WatchResponse& before, const pb::WatchResponse& after) {
  return before.events_size() > 0 && after.events_size() > 0 && !before.fragment() &&
         !after.fragment() && before.header().revision() == after.header().revision() &&
         last_revision(before) < after.events(0).kv().mod_revision();
}

template <class Predicate>
void drop_events(pb::WatchResponse* response, Predicate predicate) {
  auto& events = *response->mutable_events();
  events.erase(std::remove_if(events.begin(), events.end(), predicate), events.end());
}

// Puts of the canary tell when to compare, so those of the moment may be in or out.
bool is_canary(const mvccpb::Event& event) {
  return event.type() == mvccpb::Event::PUT && event.kv().key() == kCanaryKey;
}

bool is_refused_start(const pb::WatchResponse& r) {
  return r.watch_id() == -1 && r.created() && r.canceled() && r.compact_revision() == 0 &&
         r.events().empty() &&
         r.cancel_reason() == "etcdserver: mvcc: required revision has been compacted";
}

// Takes the refusals of negative starts out of ours.
std::optional<std::string> broken_refusals(const StreamExpectation& expected, Responses* ours) {
  std::vector<std::int64_t> told;
  std::erase_if(*ours, [&](const pb::WatchResponse& r) {
    if (is_refused_start(r)) told.push_back(r.header().revision());
    return is_refused_start(r);
  });
  if (told == expected.refused) return std::nullopt;
  return "negative starts: " + std::to_string(expected.refused.size()) + " asked, " +
         std::to_string(told.size()) + " refused, or with another header revision";
}

// By watcher, comparable: its responses in order.
std::map<std::int64_t, Responses> by_watcher(const StreamExpectation& expected, Responses all) {
  std::map<std::int64_t, Responses> out;
  for (pb::WatchResponse& response : all) {
    if (is_progress(response)) continue;
    response.mutable_header()->clear_cluster_id();
    response.mutable_header()->clear_member_id();
    response.mutable_header()->clear_raft_term();
    const bool had_events = response.events_size() > 0;
    const auto start = expected.starts.find(response.watch_id());
    if (start != expected.starts.end() && start->second == expected.compacted) {
      drop_events(&response, [&](const mvccpb::Event& event) {
        return event.type() == mvccpb::Event::DELETE &&
               event.kv().mod_revision() == expected.compacted;
      });
    }
    if (response.watch_id() != kCanaryWatcher) drop_events(&response, is_canary);
    if (had_events && response.events().empty()) continue;
    Responses& kept = out[response.watch_id()];
    if (!kept.empty() && continues(kept.back(), response)) {
      kept.back().mutable_events()->MergeFrom(response.events());
    } else {
      kept.push_back(std::move(response));
    }
  }
  return out;
}

// A progress answer says: everything up to its revision is out, and nothing of it comes later.
std::optional<std::string> broken_progress(const StreamExpectation& expected,
                                           const Responses& ours) {
  std::vector<std::int64_t> told;
  std::set<std::int64_t> created_since;
  for (const pb::WatchResponse& r : ours) {
    if (is_progress(r)) {
      told.push_back(r.header().revision());
      created_since.clear();
    }
    if (r.created()) created_since.insert(r.watch_id());
    if (told.empty() || r.events().empty() || created_since.contains(r.watch_id())) continue;
    if (r.events(0).kv().mod_revision() <= told.back()) {
      return "after progress to " + std::to_string(told.back()) + " came " + brief(r);
    }
  }
  if (told == expected.progress) return std::nullopt;
  std::string text = "progress answers: expected";
  for (const std::int64_t revision : expected.progress) text += " " + std::to_string(revision);
  text += ", told";
  for (const std::int64_t revision : told) text += " " + std::to_string(revision);
  return text;
}

std::string list(const Responses& responses) {
  std::string text;
  for (const pb::WatchResponse& response : responses) text += "  " + brief(response) + "\n";
  return text;
}

}  // namespace

std::optional<std::string> differ_streams(const StreamExpectation& expected, Responses reference,
                                          Responses ours) {
  if (auto broken = broken_progress(expected, ours)) return broken;
  if (auto broken = broken_refusals(expected, &ours)) return broken;
  const auto theirs = by_watcher(expected, std::move(reference));
  const auto mine = by_watcher(expected, std::move(ours));
  static const Responses kNone;
  std::set<std::int64_t> ids;
  for (const auto& [id, responses] : theirs) ids.insert(id);
  for (const auto& [id, responses] : mine) ids.insert(id);
  for (const std::int64_t id : ids) {
    const auto a = theirs.find(id);
    const auto b = mine.find(id);
    const Responses& x = a == theirs.end() ? kNone : a->second;
    const Responses& y = b == mine.end() ? kNone : b->second;
    const std::string watcher = "watcher " + std::to_string(id) + ": ";
    if (x.size() != y.size()) {
      return watcher + "etcd sends\n" + list(x) + "we send\n" + list(y);
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (const std::string report = field_differences(x[i], y[i]); !report.empty()) {
        return watcher + report;
      }
    }
  }
  return std::nullopt;
}

}  // namespace coracle::differential
