#include "store_load/members.hpp"

#include <utility>

namespace coracle::load {

std::vector<Stubs> connect(const std::vector<std::string>& endpoints) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 6000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 2000);
  std::vector<Stubs> all;
  for (const std::string& endpoint : endpoints) {
    const auto channel =
        grpc::CreateCustomChannel(endpoint, grpc::InsecureChannelCredentials(), arguments);
    all.push_back({endpoint, pb::KV::NewStub(channel), pb::Watch::NewStub(channel),
                   pb::Lease::NewStub(channel), pb::Maintenance::NewStub(channel)});
  }
  return all;
}

void set_time_limit(grpc::ClientContext* context, std::chrono::milliseconds limit) {
  context->set_deadline(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                     gpr_time_from_millis(limit.count(), GPR_TIMESPAN)));
}

Verdict judge(const grpc::Status& status) {
  if (status.ok()) return {};
  static const std::pair<const char*, const char*> kRefusals[] = {
      {"required revision has been compacted", "compacted"},
      {"required revision is a future revision", "future"},
      {"requested lease not found", "lease not found"},
      {"lease already exists", "lease exists"},
      {"etcdserver: key not found", "key not found"},
  };
  const std::string& text = status.error_message();
  for (const auto& [part, error] : kRefusals) {
    if (text.find(part) != std::string::npos) return {Outcome::kRefused, error};
  }
  if (text.find("too many requests") != std::string::npos ||
      text.find("failed to connect to all addresses") != std::string::npos) {
    return {Outcome::kNotSent, text};
  }
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
      return {Outcome::kUnknown, text};
    default:
      return {Outcome::kUnexpected, std::to_string(status.error_code()) + " " + text};
  }
}

void StopSign::raise() {
  {
    const std::lock_guard lock(mutex_);
    raised_ = true;
  }
  changed_.notify_all();
}

bool StopSign::raised() const {
  const std::lock_guard lock(mutex_);
  return raised_;
}

bool StopSign::wait(Duration limit) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [this] { return raised_; });
}

}  // namespace coracle::load
