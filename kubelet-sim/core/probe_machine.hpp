// ProbeMachine: when a container's probe is due and what its results add up to (upstream:
// pkg/kubelet/prober/worker.go). Pure.
//
// Invariant: while a result is awaited nothing is due. Counts start anew with every run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "kubelet/runtime.hpp"

namespace coracle::kubelet {

class ProbeMachine {
 public:
  enum class Verdict { kUnchanged, kPassed, kFailed };

  ProbeMachine() = default;  // no such probe
  ProbeMachine(ProbeKind kind, const json::value* spec);

  explicit operator bool() const { return present_; }
  ProbeKind kind() const { return kind_; }
  // The pod's grace is replaced by this one when the probe ends the container.
  std::optional<Duration> grace() const { return grace_; }

  void start(TimePoint now);  // its container has started, or (liveness, readiness) passed startup
  void stop();
  std::optional<TimePoint> next() const;
  // True: ask for a probe now; result() is awaited.
  bool step(TimePoint now);
  // Passed or failed: the threshold was reached with this result (and not before it).
  Verdict result(TimePoint now, bool good);
  bool passed() const { return passed_; }
  // Results so far, of all runs.
  std::int64_t results(bool good) const { return good ? good_ : bad_; }

  // "Readiness probe failed: ..." of the event Unhealthy.
  static std::string title(ProbeKind kind);

 private:
  bool present_ = false;
  ProbeKind kind_ = ProbeKind::kStartup;
  Duration initial_delay_{0}, period_{0};
  int success_threshold_ = 1, failure_threshold_ = 3;
  std::optional<Duration> grace_;

  bool running_ = false, awaiting_ = false, passed_ = false;
  std::optional<bool> last_;
  int in_a_row_ = 0;
  std::int64_t good_ = 0, bad_ = 0;
  TimePoint due_;
};

}  // namespace coracle::kubelet
