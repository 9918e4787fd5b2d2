// ContainerMachine: what it makes of what was seen of its process.
#include <fmt/format.h>

#include <algorithm>

#include "kubelet/container_machine.hpp"

namespace coracle::kubelet {
namespace {

constexpr Duration kAskAgain = std::chrono::seconds(10);
constexpr int kCannotStart = 128;
constexpr size_t kMessageBytesMax = 2048, kMessageLinesMax = 80;

}  // namespace

bool ContainerMachine::see(const Seen& seen, Instant now, Effects* out) {
  if (seen.run != runs_) return false;
  for (const PodEvent& event : seen.events) out->events.push_back(event);
  switch (seen.kind) {
    case Seen::Kind::kPrepared:
    case Seen::Kind::kNotPrepared:
      return false;
    case Seen::Kind::kPulled:
      if (phase_ != Phase::kPullAsked) return false;
      if (seen.good) {
        pulled(now, out);
      } else {
        pull_failure_ = PullFailure{"ErrImagePull", seen.message};
        pull_refused(now, out);
      }
      return true;
    case Seen::Kind::kStarted:
    case Seen::Kind::kRefused:
    case Seen::Kind::kBroken:
      return see_start(seen, now, out);
    case Seen::Kind::kExited:
      see_exit(seen, now, out);
      return true;
    case Seen::Kind::kProbe:
      see_probe(seen, now, out);
      return true;
    case Seen::Kind::kHook:
      see_hook(seen, now, out);
      return true;
  }
  return false;
}

bool ContainerMachine::see_start(const Seen& seen, Instant now, Effects* out) {
  if (seen.kind != Seen::Kind::kStarted) alive_ = false;
  if (phase_ == Phase::kStopping) {  // stopped while it was being started
    if (!alive_) phase_ = Phase::kEnded;
    return true;
  }
  if (phase_ != Phase::kCreating) return false;
  if (seen.kind == Seen::Kind::kStarted) {
    run(now, out);
  } else if (seen.kind == Seen::Kind::kRefused) {
    emit(out, true, "Failed", "Error: " + seen.message);
    phase_ = Phase::kConfigError;
    waiting_reason_ = seen.reason;
    waiting_message_ = seen.message;
    due_ = now.now + kAskAgain;
  } else {
    emit(out, false, "Created", fmt::format("Created container: {}", name_));
    emit(out, true, "Failed", "Error: " + seen.message);
    Ended ended{seen.exit_code != 0 ? seen.exit_code : kCannotStart,
                seen.reason,
                seen.message,
                WallTime(),
                now.wall,
                new_container_id(now.wall)};
    started_ = now.now;
    end(now, std::move(ended), out);
  }
  return true;
}

void ContainerMachine::see_exit(const Seen& seen, Instant now, Effects* out) {
  alive_ = false;
  if (phase_ == Phase::kStopping && !ran_) {  // it never ran
    phase_ = Phase::kEnded;
    return;
  }
  if (phase_ != Phase::kRunning && phase_ != Phase::kStopping) return;
  end(now,
      {seen.exit_code, seen.reason, seen.message.substr(0, 4096), started_wall_, now.wall,
       container_id_},
      out);
}

void ContainerMachine::see_probe(const Seen& seen, Instant now, Effects* out) {
  if (!running() || probes_.empty()) return;
  ProbeMachine& probe = probes_[static_cast<size_t>(seen.probe)];
  if (!probe) return;
  if (!seen.good && probe.next() == std::nullopt && phase_ == Phase::kRunning) {
    emit(out, true, "Unhealthy",
         fmt::format("{} probe failed: {}", ProbeMachine::title(seen.probe), seen.message));
  }
  const ProbeMachine::Verdict verdict = probe.result(now.now, seen.good);
  if (phase_ != Phase::kRunning || seen.probe == ProbeKind::kReadiness) return;
  if (verdict == ProbeMachine::Verdict::kFailed) {
    const bool live = seen.probe == ProbeKind::kLiveness;
    restart_for(now, probe.grace().value_or(traits_.grace),
                live ? "failed liveness probe, will be restarted"
                     : "failed startup probe, will be restarted",
                out);
  } else if (verdict == ProbeMachine::Verdict::kPassed && seen.probe == ProbeKind::kStartup) {
    probe.stop();
    startup_passed_ = true;
    start_probes(now.now);
  }
}

void ContainerMachine::see_hook(const Seen& seen, Instant now, Effects* out) {
  if (seen.hook == HookKind::kPostStart) {
    if (post_start_ != HookState::kPending) return;
    post_start_ = HookState::kDone;
    if (phase_ != Phase::kRunning) return;
    if (seen.good) return start_probes(now.now);
    emit(out, true, "FailedPostStartHook", "PostStartHook failed");
    return restart_for(now, traits_.grace, "failed post-start hook", out);
  }
  if (pre_stop_ != HookState::kPending) return;
  pre_stop_ = HookState::kDone;
  if (!seen.good) emit(out, true, "FailedPreStopHook", "PreStopHook failed");
  if (phase_ == Phase::kStopping && !killed_) wish(Wish::Kind::kTerminate, out);
}

// The end of its log, for a termination message: at most 2048 bytes or 80 lines.
std::string ContainerMachine::last_lines() const {
  const size_t first = logs_.size() - std::min(logs_.size(), kMessageLinesMax);
  std::string text;
  for (size_t i = first; i < logs_.size(); ++i) {
    text += logs_[i].text;
    if (logs_[i].whole) text += '\n';
  }
  if (text.size() > kMessageBytesMax) text.erase(0, text.size() - kMessageBytesMax);
  return text;
}

}  // namespace coracle::kubelet
