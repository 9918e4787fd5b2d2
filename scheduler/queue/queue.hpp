// Queue: the pods that wait for a node. Pure: time is an argument. One owner.
//
//   active   next in line, in the order of the QueueSort plugin
//   backoff  tried and failed lately: back to active at its time, 1 s, 2 s, 4 s .. 10 s
//   parked   fits nowhere: waits for an event that helps a plugin which rejected it, or kParkMax
//   gated    a PreEnqueue plugin keeps it out: waits for an update
//   taken    given out by take(): being placed
//
// Invariant: a pod (by key) is in exactly one of them. Bound: the cluster's unplaced pods, one
// entry each. While pods are taken the newest kMissedMax changes are kept for them; whoever may
// have missed more is looked at again.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "framework/plugin.hpp"

namespace coracle::scheduler {

struct QueueOptions {
  Duration backoff_first = std::chrono::seconds(1);
  Duration backoff_max = std::chrono::seconds(10);
  Duration park_max = std::chrono::minutes(5);
  // Of QueueSort; null: higher priority first, then who came, or was tried in vain, first.
  const Plugin* sort = nullptr;
  // Of PreEnqueue: whether the pod is kept out.
  std::function<bool(const PodInfo&)> keeps_out = [](const PodInfo& pod) {
    return !pod.gates.empty();
  };
};

class Queue {
 public:
  explicit Queue(QueueOptions options = {})
      : options_(std::move(options)), active_(Before{options_.sort}) {}

  // A new pod, or a newer version of one that waits. An update of a parked pod that may help a
  // plugin which rejected it makes it wait no longer than its back-off.
  void put(PodPtr pod, TimePoint now);
  // It was placed, or is gone. Ends a take() as well.
  void remove(const std::string& key);

  // The next pod; it is taken until done with by remove(), park() or retry().
  PodPtr take(TimePoint now);
  // It fits nowhere, by the verdicts of these plugins. None (there was no node): any event may
  // help. It is not parked if something that happened since it was taken helps.
  void park(const std::string& key, std::vector<const Plugin*> rejected_by, TimePoint now);
  // Something went wrong that is not the cluster's state: try again after the back-off.
  void retry(const std::string& key, TimePoint now);

  // Of the group: those that are not taken or gated.
  std::vector<PodPtr> waiting_of(const std::string& group) const;
  // It need not be tried: parks one that waits as if these plugins had rejected it.
  void hold(const std::string& key, std::vector<const Plugin*> rejected_by, TimePoint now);
  // Those of the group that are not taken or gated wait for the longest of their back-offs, so that
  // they are tried together.
  void put_off_group(const std::string& group, TimePoint now);
  // What PreEnqueue plugins know has changed: those they let in now wait no longer than their
  // back-off. How many.
  size_t look_at_gated(TimePoint now);
  // It may have a chance now: next in line, whatever its back-off, unless a PreEnqueue plugin keeps
  // it out. One that is taken is looked at again when it is parked.
  void activate(const std::string& key);
  // Wakes the parked pods that the change may help, and those of their groups. How many.
  size_t on_change(const Change& change, TimePoint now);

  // When take() may have more than it has now: the end of a back-off, or of parking.
  std::optional<TimePoint> next_due() const;

  struct Sizes {
    size_t active = 0, backoff = 0, parked = 0, gated = 0, taken = 0;
    friend bool operator==(const Sizes&, const Sizes&) = default;
  };
  Sizes sizes() const;
  PodPtr find(const std::string& key) const;

 private:
  enum class Place { kActive, kBackoff, kParked, kGated, kTaken };
  struct Entry {
    PodPtr pod;
    Place place = Place::kActive;
    TimePoint since;  // first seen, or tried in vain last: as upstream's Timestamp
    std::uint64_t sequence = 0;
    int failures = 0;  // how often it was rejected
    int errors = 0;    // what went wrong since; their back-off is counted anew
    TimePoint due;     // of kBackoff and kParked
    TimePoint backoff_until;
    std::vector<const Plugin*> rejected_by;
    Events helped_by = 0;       // of kParked: any of them
    Events own = 0;             // of kTaken: what of the pod itself changed
    bool called = false;        // of kTaken: by activate()
    std::uint64_t changes = 0;  // of kTaken: changes_ when it was taken
  };
  // A change that taken pods may want to know of; what it points to is found again by name.
  struct Missed {
    Change change;
    std::string node, claim;
  };
  using Entries = std::map<std::string, Entry>;
  struct ActiveKey {
    QueuedPod queued;
    std::uint64_t sequence = 0;
  };
  struct Before {
    const Plugin* sort;
    bool operator()(const ActiveKey& a, const ActiveKey& b) const;
  };

  static ActiveKey active_key(const Entry& entry);
  void move(Entry& entry, Place place);
  void count_hopes(const Entry& entry, int sign);
  void detach(Entry& entry);
  void set_helpers(Entry& entry, std::vector<const Plugin*> rejected_by);
  void keep_for_taken(const Change& change);
  bool missed_help(const Entry& entry) const;
  void add_groups_of(std::vector<std::string>& keys) const;  // the parked ones
  // To active or, if its back-off lasts, to backoff; to gated if it is kept out.
  void wake(Entry& entry, TimePoint now);
  void promote(TimePoint now);
  Duration backoff_of(int failures) const;

  const QueueOptions options_;
  std::uint64_t next_sequence_ = 0;
  std::uint64_t changes_ = 0;  // of the cluster that on_change was told of
  std::deque<Missed> missed_;  // the last of them, while pods are taken
  Entries entries_;
  std::set<ActiveKey, Before> active_;
  std::set<std::pair<TimePoint, std::string>> due_;  // backoff and parked
  std::set<std::string> parked_, gated_;
  // How many of the parked each event may help: most events help none.
  std::array<size_t, 32> hopes_{};
  Sizes sizes_;
};

}  // namespace coracle::scheduler
