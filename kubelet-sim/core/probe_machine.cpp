#include "kubelet/probe_machine.hpp"

#include <algorithm>

namespace coracle::kubelet {
namespace {

using std::chrono::seconds;

}  // namespace

ProbeMachine::ProbeMachine(ProbeKind kind, const json::value* spec)
    : present_(spec != nullptr && spec->is_object()), kind_(kind) {
  if (!present_) return;
  initial_delay_ = seconds(std::max<std::int64_t>(0, get_int(*spec, "initialDelaySeconds")));
  period_ = seconds(std::max<std::int64_t>(1, get_int(*spec, "periodSeconds", 10)));
  success_threshold_ = std::max(1, static_cast<int>(get_int(*spec, "successThreshold", 1)));
  failure_threshold_ = std::max(1, static_cast<int>(get_int(*spec, "failureThreshold", 3)));
  if (const std::int64_t grace = get_int(*spec, "terminationGracePeriodSeconds", -1); grace >= 0) {
    grace_ = seconds(grace);
  }
}

void ProbeMachine::start(TimePoint now) {
  if (!present_) return;
  running_ = true;
  awaiting_ = false;
  passed_ = kind_ == ProbeKind::kLiveness;  // alive until it is found not to be
  last_.reset();
  in_a_row_ = 0;
  due_ = now + initial_delay_;
}

void ProbeMachine::stop() {
  running_ = awaiting_ = false;
  passed_ = false;
}

std::optional<TimePoint> ProbeMachine::next() const {
  if (!running_ || awaiting_) return std::nullopt;
  return due_;
}

bool ProbeMachine::step(TimePoint now) {
  if (!running_ || awaiting_ || now < due_) return false;
  awaiting_ = true;
  return true;
}

ProbeMachine::Verdict ProbeMachine::result(TimePoint now, bool good) {
  if (!running_ || !awaiting_) return Verdict::kUnchanged;
  awaiting_ = false;
  ++(good ? good_ : bad_);
  due_ = std::max(due_ + period_, now);
  in_a_row_ = last_ == good ? in_a_row_ + 1 : 1;
  last_ = good;
  if (good) {
    if (in_a_row_ < success_threshold_) return Verdict::kUnchanged;
    const bool before = std::exchange(passed_, true);
    return before ? Verdict::kUnchanged : Verdict::kPassed;
  }
  if (in_a_row_ < failure_threshold_) return Verdict::kUnchanged;
  // A container that failed liveness or startup is ended: every further failure says so again.
  const bool before = std::exchange(passed_, false);
  return before || kind_ != ProbeKind::kReadiness ? Verdict::kFailed : Verdict::kUnchanged;
}

std::string ProbeMachine::title(ProbeKind kind) {
  switch (kind) {
    case ProbeKind::kStartup:
      return "Startup";
    case ProbeKind::kLiveness:
      return "Liveness";
    case ProbeKind::kReadiness:
      break;
  }
  return "Readiness";
}

}  // namespace coracle::kubelet
