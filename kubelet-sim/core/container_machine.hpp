// ContainerMachine: one container's life in the scripted runtime, as a state machine over time:
// pull, start, run, end, restart with back-off. Pure: time is an argument, effects are returned.
//
// Owner: its PodMachine. Times are exact: a step at a later time acts as if it had been called at
// each deadline on the way. Back-offs are upstream's: 10 s doubling to 300 s, forgotten after a run
// of 10 minutes; the first restart is at once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "kubelet/command_script.hpp"
#include "kubelet/image_catalog.hpp"

namespace coracle::kubelet {

enum class RestartPolicy { kAlways, kOnFailure, kNever };

struct PodEvent {
  bool warning = false;
  std::string reason, message, field_path;
};

struct LogLine {
  WallTime time;
  std::string text;
};
inline constexpr size_t kLogLinesMax = 10'000;  // a container; older ones are dropped

class ContainerMachine {
 public:
  enum class Phase {
    kWaiting,  // not allowed to start yet
    kPulling,
    kPullBackOff,
    kStarting,
    kRunning,
    kStopping,
    kCrashBackOff,
    kEnded,  // will not start again
  };

  // `spec` is the container of the pod's spec; `pod_id` names the pod in messages.
  ContainerMachine(const json::value& spec, const ImageCatalog& catalog, RestartPolicy policy,
                   std::string pod_id, std::string field_path);

  const std::string& name() const { return name_; }
  Phase phase() const { return phase_; }
  bool running() const { return phase_ == Phase::kRunning || phase_ == Phase::kStopping; }
  bool ended() const { return phase_ == Phase::kEnded; }
  bool ready(TimePoint now) const;
  // Its last end, if it is not running now.
  std::optional<int> exit_code() const;
  int restart_count() const { return restarts_; }

  // May start (its turn has come). Only the first call counts.
  void allow(Instant now, std::vector<PodEvent>* events);
  // SIGTERM now; SIGKILL when the grace is over.
  void stop(Instant now, Duration grace, std::vector<PodEvent>* events);
  // Passes the deadlines up to now. Returns whether anything changed.
  bool step(Instant now, std::vector<PodEvent>* events);
  // When step() has something to do next.
  std::optional<TimePoint> next() const;

  // Continues what an earlier process of ours reported (a status of the API), after a restart.
  void restore(const json::value& status, Instant now);
  // The ContainerStatus.
  json::value status(TimePoint now) const;
  const std::vector<LogLine>& logs(bool previous) const { return previous ? old_logs_ : logs_; }
  bool has_previous() const { return last_.has_value(); }

 private:
  struct Ended {
    int exit_code = 0;
    std::string reason;
    WallTime started, finished;
    std::string container_id;
  };
  void begin_pull(Instant now, std::vector<PodEvent>* events);
  void after_pull(Instant now, std::vector<PodEvent>* events);
  void run(Instant now, std::vector<PodEvent>* events);
  void end(Instant now, int exit_code, std::vector<PodEvent>* events);
  void emit(std::vector<PodEvent>* events, bool warning, std::string reason, std::string message);
  json::value state(TimePoint now) const;
  json::value terminated(const Ended& ended) const;
  std::string new_container_id(WallTime wall) const;

  // Constant after construction.
  std::string name_, image_, pod_id_, field_path_;
  ImageBehaviour behaviour_;
  std::optional<std::string> pull_error_;
  Script script_;
  RestartPolicy policy_;
  Duration ready_delay_{0};
  bool never_ready_ = false, pull_always_ = true;

  Phase phase_ = Phase::kWaiting;
  TimePoint due_;                     // of the phase, where it has one
  std::optional<TimePoint> ends_at_;  // of a running one
  TimePoint started_;
  WallTime started_wall_;
  std::string container_id_;
  bool pulled_ = false, pull_refused_shown_ = false;
  int restarts_ = 0, pull_failures_ = 0, crashes_ = 0;
  int stop_code_ = 0;
  std::optional<Ended> current_end_;  // while it does not run
  std::optional<Ended> last_;         // of the run before
  std::vector<LogLine> logs_, old_logs_;
};

}  // namespace coracle::kubelet
