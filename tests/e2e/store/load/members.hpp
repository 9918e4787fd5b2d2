// The members a load talks to, and what an honest client makes of their answers.
// Thread-safe after construction.
#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "etcd/rpc.grpc.pb.h"

namespace coracle::load {

namespace pb = etcdserverpb;

struct Stubs {
  std::string endpoint;
  std::unique_ptr<pb::KV::Stub> kv;
  std::unique_ptr<pb::Watch::Stub> watch;
  std::unique_ptr<pb::Lease::Stub> lease;
  std::unique_ptr<pb::Maintenance::Stub> maintenance;
};

std::vector<Stubs> connect(const std::vector<std::string>& endpoints);

// How long one call may take; then its outcome is unknown.
inline constexpr std::chrono::milliseconds kCallTime{2500};
void set_time_limit(grpc::ClientContext* context, std::chrono::milliseconds limit = kCallTime);

enum class Outcome {
  kDone,
  kRefused,    // by the state: `error` of the history's format; no effect
  kUnknown,    // may have happened, may happen yet
  kNotSent,    // certainly without effect, and says nothing about the state
  kUnexpected  // no answer a client should get from this load
};
struct Verdict {
  Outcome outcome = Outcome::kDone;
  std::string error;
};
Verdict judge(const grpc::Status& status);

// Ends every loop of a run, at once.
class StopSign {
 public:
  void raise();
  bool raised() const;
  // True when it was raised before the time was over.
  bool wait(Duration limit) const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool raised_ = false;
};

}  // namespace coracle::load
