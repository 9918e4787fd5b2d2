// flow_limits: how many requests may be under way at once, reads and writes apart, and how many of
// them one user's. What is over it is answered 429 and told when to come again.
//
// Thread: apiserver strand. Long-running requests do not count; members of system:masters are
// never refused. While less than half of a limit is in use, everybody may have all of it; beyond
// that nobody may have more than half: one busy program cannot shut the others out.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "apiserver/chain/user.hpp"

namespace coracle::apiserver {

struct FlowLimits {
  int reads = 400;
  int writes = 200;
};

class FlowControl {
 public:
  explicit FlowControl(FlowLimits limits = {}) : limits_(limits) {}
  void set_limits(FlowLimits limits) { limits_ = limits; }

  // A place, given back when it dies.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(FlowControl* owner, bool write, std::string user)
        : owner_(owner), write_(write), user_(std::move(user)) {}
    Ticket(Ticket&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)),
          write_(other.write_),
          user_(std::move(other.user_)) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (owner_ != nullptr) owner_->leave(write_, user_);
    }

   private:
    FlowControl* owner_ = nullptr;
    bool write_ = false;
    std::string user_;
  };
  Outcome<Ticket> enter(const UserInfo& user, const RequestInfo& request);

 private:
  struct Lane {
    int busy = 0;
    std::map<std::string, int> by_user;
  };
  void leave(bool write, const std::string& user);

  FlowLimits limits_;  // 0: none
  Lane reads_, writes_;
};

}  // namespace coracle::apiserver
