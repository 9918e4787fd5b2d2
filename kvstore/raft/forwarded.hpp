// ForwardedProposals: what was sent to the leader and not answered yet. An answer may come late or
// twice, so each attempt has a number; one that refused an earlier attempt says nothing of the
// last.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace coracle::raft {

class ForwardedProposals {
 public:
  std::size_t size() const { return waiting_.size(); }
  // The number of this attempt.
  std::uint64_t add(std::uint64_t request, std::uint64_t deadline) {
    waiting_[request] = {deadline, ++last_attempt_};
    return last_attempt_;
  }
  // False: not what is waited for.
  bool take(std::uint64_t request, std::uint64_t attempt) {
    const auto found = waiting_.find(request);
    if (found == waiting_.end() || found->second.attempt != attempt) return false;
    waiting_.erase(found);
    return true;
  }
  // The requests whose deadline is not after `now`.
  std::vector<std::uint64_t> take_expired(std::uint64_t now) {
    std::vector<std::uint64_t> out;
    std::erase_if(waiting_, [&](const auto& w) {
      if (w.second.deadline > now) return false;
      out.push_back(w.first);
      return true;
    });
    return out;
  }
  std::vector<std::uint64_t> take_all() { return take_expired(UINT64_MAX); }

 private:
  struct Waiting {
    std::uint64_t deadline = 0, attempt = 0;
  };
  std::map<std::uint64_t, Waiting> waiting_;  // by request
  std::uint64_t last_attempt_ = 0;
};

}  // namespace coracle::raft
