// ContainerMachine: one container's life as a state machine over time: pull, start, run, end,
// restart with back-off. Pure: time and what was seen are arguments, effects are returned.
//
// Two kinds. A scripted container's start, end and readiness are guessed from its image and
// command. A real one (a process) is asked for by wishes and told of by see(): nothing about it is
// guessed. `asks`: a scripted one whose start the runtime may refuse (its sources may be missing).
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
#include "kubelet/container_traits.hpp"
#include "kubelet/image_catalog.hpp"
#include "kubelet/log_buffer.hpp"
#include "kubelet/probe_machine.hpp"
#include "kubelet/runtime.hpp"
#include "kubelet/scripted_load.hpp"

namespace coracle::kubelet {

class ContainerMachine {
 public:
  enum class Phase {
    kWaiting,  // not allowed to start yet
    kPulling,
    kPullAsked,    // kPull was wished
    kPullRefused,  // its reason is shown for a moment, then the back-off
    kPullBackOff,
    kStarting,
    kCreating,     // kStart was wished
    kConfigError,  // kRefused; asks again
    kRunning,
    kStopping,
    kCrashBackOff,
    kEnded,  // will not start again
  };

  // `spec` is the container of the pod's spec; the catalog must outlive it.
  ContainerMachine(const json::value& spec, const ImageCatalog& catalog, ContainerTraits traits);

  const std::string& name() const { return name_; }
  const std::string& image() const { return image_; }
  Phase phase() const { return phase_; }
  bool real() const { return traits_.real; }
  bool running() const { return phase_ == Phase::kRunning || phase_ == Phase::kStopping; }
  bool ended() const { return phase_ == Phase::kEnded; }
  bool ready(TimePoint now) const;
  bool started() const;                  // passed its startup probe and its postStart hook
  std::optional<int> exit_code() const;  // of its last end, if it is not running now
  int restart_count() const { return restarts_; }

  // The image of a newer spec: one that is another is pulled at once, and what runs is started anew
  // with it, whatever the restart policy says.
  void change_image(const json::value& spec, const ImageCatalog& images, Instant now, Effects* out);
  void allow(Instant now, Effects* out);  // its turn has come; only the first call counts
  // SIGTERM now (after the preStop hook); SIGKILL when the grace is over.
  void stop(Instant now, Duration grace, Effects* out);
  // Passes the deadlines up to now. Returns whether anything changed.
  bool step(Instant now, Effects* out);
  std::optional<TimePoint> next() const;  // when step() has something to do
  // What a wish of this container was answered, or its end. Returns whether anything changed.
  bool see(const Seen& seen, Instant now, Effects* out);
  // How much longer than the catalog says its pulls and starts take, from now on.
  void set_lag(Duration lag) { lag_ = lag; }
  void print(LogLine line) { logs_.push_back(std::move(line)); }  // by the process

  // Continues what an earlier process of ours reported (a status of the API), after a restart.
  void restore(const json::value& status, Instant now);
  json::value status(TimePoint now) const;  // the ContainerStatus
  // What a scripted one uses by now in this run; nothing of one that does not run, or is real.
  std::optional<ScriptedLoad::Use> scripted_use(TimePoint now) const;
  const std::vector<ProbeMachine>& probes() const { return probes_; }
  WallTime started_at() const { return started_wall_; }
  const LogBuffer& logs(bool previous) const { return previous ? old_logs_ : logs_; }
  bool has_previous() const { return last_.has_value(); }

 private:
  struct Ended {
    int exit_code = 0;
    std::string reason, message;
    WallTime started, finished;
    std::string container_id;
  };
  enum class HookState { kNone, kPending, kDone };

  void take_image(const json::value& spec, const ImageCatalog& catalog);
  Duration pull_time() const { return (pulled_ ? Duration(0) : behaviour_->pull) + lag_; }
  void begin_pull(Instant now, Effects* out);
  void after_pull(Instant now, Effects* out);
  void pulled(Instant now, Effects* out);
  void pull_refused(Instant now, Effects* out);
  void launch(Instant now, Effects* out);
  void run(Instant now, Effects* out);
  void start_probes(TimePoint now);
  void plan_end();
  void end(Instant now, Ended ended, Effects* out);
  void restart_for(Instant now, Duration grace, const std::string& why, Effects* out);
  void begin_stop(Instant now, Duration grace, Effects* out);
  void see_probe(const Seen& seen, Instant now, Effects* out);
  void see_hook(const Seen& seen, Instant now, Effects* out);
  bool see_start(const Seen& seen, Instant now, Effects* out);
  void see_exit(const Seen& seen, Instant now, Effects* out);
  void wish(Wish::Kind kind, Effects* out) const;
  void emit(Effects* out, bool warning, std::string reason, std::string message) const;
  std::string last_lines() const;
  static std::string back_off_text(int failures);
  json::value state() const;
  json::value terminated(const Ended& ended) const;
  std::string new_container_id(WallTime wall) const;

  // Constant after construction.
  ContainerTraits traits_;
  std::string name_, pull_policy_, image_;  // the image: of the newest spec, and what follows
  const ImageBehaviour* behaviour_;         // of the catalog
  std::optional<PullFailure> pull_failure_;
  Script script_;
  ScriptedLoad load_;
  Duration ready_delay_{0}, lag_{0};
  bool never_ready_ = false, has_post_start_ = false, has_pre_stop_ = false, logs_tell_ = false;

  Phase phase_ = Phase::kWaiting;
  TimePoint due_;                     // of the phase, where it has one
  std::optional<TimePoint> ends_at_;  // of a running scripted one
  TimePoint started_;
  WallTime started_wall_;
  std::string container_id_;
  bool pulled_ = false;
  int runs_ = 0, restarts_ = 0, pull_failures_ = 0, crashes_ = 0, stop_code_ = 0;
  bool out_of_memory_ = false;  // a scripted one will end so
  HookState post_start_ = HookState::kNone, pre_stop_ = HookState::kNone;
  bool alive_ = false;                    // a real one: its process is there, or will be
  bool again_ = false, changed_ = false;  // it stops to start again; for another image: surely
  std::string launched_image_;
  bool killed_ = false, ran_ = false, startup_passed_ = false;  // in this run
  std::string waiting_reason_, waiting_message_;                // of kConfigError
  std::vector<ProbeMachine> probes_;                            // of a real one, by kind
  std::optional<Ended> current_end_;                            // while it does not run
  std::optional<Ended> last_;                                   // of the run before
  LogBuffer logs_, old_logs_;
};

}  // namespace coracle::kubelet
