#include "linearize/search.hpp"

#include <algorithm>

#include "linearize/situation.hpp"

namespace coracle::linearize {
namespace {

struct Event {
  std::int64_t at;
  bool is_return;
  std::size_t op;
};

// What was called at the moment another returned may overlap it.
std::vector<Event> events_of(const History& history) {
  std::vector<Event> events;
  for (std::size_t i = 0; i < history.size(); ++i) {
    events.push_back({history[i].call, false, i});
    if (history[i].answer) {
      events.push_back({std::max(history[i].call, history[i].returned), true, i});
    }
  }
  std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return std::tie(a.at, a.is_return) < std::tie(b.at, b.is_return);
  });
  return events;
}

// The doubly linked list of what is not explained yet: calls and returns in time.
class Pending {
 public:
  Pending(const std::vector<Event>& events, std::size_t count, std::size_t operations)
      : call_(operations, 0), return_(operations, 0), nodes_(1) {
    for (std::size_t i = 0; i < count; ++i) {
      const Event& e = events[i];
      const std::size_t node = nodes_.size();
      nodes_.push_back({node - 1, 0, e.op, e.is_return});
      nodes_[node - 1].next = node;
      (e.is_return ? return_ : call_)[e.op] = node;
      if (e.is_return) ++unexplained_;
    }
    nodes_[0].previous = nodes_.size() - 1;
  }

  std::size_t first() const { return nodes_[0].next; }
  std::size_t after(std::size_t node) const { return nodes_[node].next; }
  std::size_t operation(std::size_t node) const { return nodes_[node].op; }
  bool blocks(std::size_t node) const { return nodes_[node].is_return; }
  bool returned(std::size_t op) const { return return_[op] != 0; }
  std::size_t unexplained() const { return unexplained_; }

  void lift(std::size_t op) {
    unlink(call_[op]);
    if (return_[op] == 0) return;
    unlink(return_[op]);
    --unexplained_;
  }
  void put_back(std::size_t op) {
    if (return_[op] != 0) {
      link(return_[op]);
      ++unexplained_;
    }
    link(call_[op]);
  }

 private:
  struct Node {
    std::size_t previous = 0, next = 0, op = 0;
    bool is_return = false;
  };
  void unlink(std::size_t node) {
    nodes_[nodes_[node].previous].next = nodes_[node].next;
    nodes_[nodes_[node].next].previous = nodes_[node].previous;
  }
  void link(std::size_t node) {
    nodes_[nodes_[node].previous].next = node;
    nodes_[nodes_[node].next].previous = node;
  }

  std::vector<std::size_t> call_, return_;  // nodes by operation; 0: none
  std::vector<Node> nodes_;                 // 0 is the end
  std::size_t unexplained_ = 0;             // operations with an answer
};

// One search over a prefix.
class Search {
 public:
  Search(const History& history, const std::vector<Event>& events, std::size_t count,
         std::uint64_t steps_max)
      : history_(history), pending_(events, count, history.size()), steps_max_(steps_max) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t op = events[i].op;
      if (events[i].is_return) situation_.expect(op, history[op]);
      if (!events[i].is_return && !pending_.returned(op)) {
        situation_.expect_unknown(op, history[op]);
      }
    }
  }

  Kind run();
  std::uint64_t steps() const { return steps_; }
  std::int64_t furthest() const { return furthest_; }

 private:
  struct Frame {
    std::size_t node;
    bool unknowns;
    bool changed;  // else it needs no way back
  };

  // True if the operation was taken.
  bool take(std::size_t node, bool unknowns);
  // To the last choice there is; false if there is none.
  bool back(std::size_t& node, bool& unknowns);

  const History& history_;
  Pending pending_;
  Situation situation_;
  std::vector<Frame> path_;
  std::uint64_t steps_ = 0;
  std::uint64_t steps_max_;
  std::int64_t furthest_ = 0;
};

bool Search::take(std::size_t node, bool unknowns) {
  const std::size_t op = pending_.operation(node);
  if (pending_.returned(op) == unknowns) return false;
  ++steps_;
  const auto outcome = unknowns ? situation_.take_unknown(op, history_[op])
                                : situation_.take_known(op, history_[op]);
  if (outcome == Situation::Outcome::kMisfit) return false;
  const bool changed = outcome == Situation::Outcome::kChanged;
  path_.push_back({node, unknowns, changed});
  pending_.lift(op);
  furthest_ = std::max(furthest_, situation_.revision());
  return true;
}

bool Search::back(std::size_t& node, bool& unknowns) {
  while (!path_.empty()) {
    const Frame last = path_.back();
    path_.pop_back();
    const std::size_t op = pending_.operation(last.node);
    pending_.put_back(op);
    situation_.take_back(op, last.changed);
    if (!last.changed) continue;
    node = pending_.after(last.node);
    unknowns = last.unknowns;
    return true;
  }
  return false;
}

Kind Search::run() {
  std::size_t node = pending_.first();
  bool unknowns = false;
  while (pending_.unexplained() > 0) {
    if (steps_ > steps_max_) return Kind::kUndecided;
    if (node != 0 && !pending_.blocks(node)) {
      if (take(node, unknowns)) {
        node = pending_.first();
        unknowns = false;
      } else {
        node = pending_.after(node);
      }
    } else if (!unknowns) {
      node = pending_.first();
      unknowns = true;
    } else if (!back(node, unknowns)) {
      return Kind::kViolation;
    }
  }
  return Kind::kOk;
}

}  // namespace

Verdict check(const History& history, const Limits& limits) {
  const std::vector<Event> events = events_of(history);
  Verdict verdict;
  const auto search = [&](std::size_t count, std::int64_t* furthest) {
    Search one(history, events, count, limits.steps_max);
    const Kind kind = one.run();
    verdict.steps += one.steps();
    if (furthest) *furthest = one.furthest();
    return kind;
  };
  verdict.kind = search(events.size(), nullptr);
  if (verdict.kind != Kind::kViolation) return verdict;
  // A prefix of what can be explained can be explained, so the border is found by halving. What is
  // undecided counts as explained: the prefix found is then not the smallest, but a true one.
  std::size_t good = 0, bad = events.size();
  while (good + 1 < bad) {
    const std::size_t middle = (good + bad) / 2;
    (search(middle, nullptr) == Kind::kViolation ? bad : good) = middle;
  }
  std::int64_t furthest = 0;
  search(bad, &furthest);
  verdict.events = bad;
  verdict.culprit = events[bad - 1].op;
  verdict.explanation =
      "no order explains the history once operation " + std::to_string(verdict.culprit) +
      " has returned; the longest try came to revision " + std::to_string(furthest);
  return verdict;
}

}  // namespace coracle::linearize
