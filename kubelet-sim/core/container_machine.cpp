#include "kubelet/container_machine.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace coracle::kubelet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kBackOffFirst = seconds(10);
constexpr Duration kBackOffMax = seconds(300);
constexpr Duration kBackOffForgotten = std::chrono::minutes(10);
constexpr Duration kPullRefusedShown = milliseconds(500);  // ErrImagePull, then ImagePullBackOff
constexpr Duration kAskAgain = seconds(10);                // upstream's pod worker, after an error
constexpr int kKilled = 137, kTerminatedBySignal = 143;

Duration back_off(int failures) {
  Duration wait = kBackOffFirst;
  for (int i = 1; i < failures && wait < kBackOffMax; ++i) wait *= 2;
  return std::min(wait, kBackOffMax);
}

std::vector<std::string> strings(const json::value& spec, std::string_view key) {
  std::vector<std::string> out;
  for (const json::value& v : get_array(spec, key)) {
    if (v.is_string()) out.emplace_back(v.get_string());
  }
  return out;
}

std::string milliseconds_text(Duration d) {
  const auto ms = std::chrono::duration_cast<milliseconds>(d).count();
  return ms < 1000 ? fmt::format("{}ms", ms) : fmt::format("{}s", static_cast<double>(ms) / 1000);
}

}  // namespace

// As Go prints a duration of whole seconds: "40s", "1m20s".
std::string ContainerMachine::back_off_text(int failures) {
  const auto s = std::chrono::duration_cast<seconds>(back_off(failures)).count();
  return s < 60 ? fmt::format("{}s", s) : fmt::format("{}m{}s", s / 60, s % 60);
}

ContainerMachine::ContainerMachine(const json::value& spec, const ImageCatalog& catalog,
                                   ContainerTraits traits)
    : traits_(std::move(traits)),
      name_(get_string(spec, "name")),
      pull_policy_(get_string(spec, "imagePullPolicy")),
      load_(spec, catalog.find(get_string(spec, "image"))) {
  take_image(spec, catalog);
  logs_tell_ = get_string(spec, "terminationMessagePolicy") == "FallbackToLogsOnError";
  if (!traits_.real) return;
  traits_.asks = true;
  has_post_start_ = find(spec, "lifecycle.postStart") != nullptr;
  has_pre_stop_ = find(spec, "lifecycle.preStop") != nullptr;
  for (const auto& [kind, key] : {std::pair{ProbeKind::kStartup, "startupProbe"},
                                  std::pair{ProbeKind::kLiveness, "livenessProbe"},
                                  std::pair{ProbeKind::kReadiness, "readinessProbe"}}) {
    probes_.emplace_back(kind, find(spec, key));
  }
}

void ContainerMachine::take_image(const json::value& spec, const ImageCatalog& catalog) {
  image_ = get_string(spec, "image");
  behaviour_ = &catalog.find(image_);
  pull_failure_ = catalog.pull_failure(image_);
  load_ = ScriptedLoad(spec, *behaviour_);
  script_ = script_of(*behaviour_, strings(spec, "command"), strings(spec, "args"),
                      traits_.policy == RestartPolicy::kAlways);
  never_ready_ = !behaviour_->ready_after.has_value();
  ready_delay_ = behaviour_->ready_after.value_or(Duration(0));
  if (find(spec, "readinessProbe") != nullptr) {
    ready_delay_ += seconds(get_int(spec, "readinessProbe.initialDelaySeconds"));
  }
}

void ContainerMachine::change_image(const json::value& spec, const ImageCatalog& catalog,
                                    Instant now, Effects* out) {
  if (get_string(spec, "image") == image_) return;
  take_image(spec, catalog);
  pulled_ = false;
  pull_failures_ = crashes_ = 0;
  switch (phase_) {
    case Phase::kWaiting:
    case Phase::kStopping:  // it goes, or comes back with the new one
    case Phase::kCreating:  // run() looks
    case Phase::kPullAsked:
    case Phase::kEnded:
      return;
    case Phase::kRunning:
      changed_ = true;
      return restart_for(now, traits_.grace, "definition changed, will be restarted", out);
    default:
      return begin_pull(now, out);
  }
}

void ContainerMachine::emit(Effects* out, bool warning, std::string reason,
                            std::string message) const {
  out->events.push_back({warning, std::move(reason), std::move(message), traits_.field_path});
}

void ContainerMachine::wish(Wish::Kind kind, Effects* out) const {
  out->wishes.push_back({.kind = kind, .container = name_, .run = runs_});
}

void ContainerMachine::allow(Instant now, Effects* out) {
  if (phase_ == Phase::kWaiting) begin_pull(now, out);
}

void ContainerMachine::begin_pull(Instant now, Effects* out) {
  if (!behaviour_->credentials.empty()) pull_failure_.reset();  // it is asked for each time
  if (pull_policy_ == "Never" && pull_failure_ && pull_failure_->reason == "ErrImagePull") {
    pull_failure_ = PullFailure{
        "ErrImageNeverPull",
        fmt::format("Container image \"{}\" is not present with pull policy of Never", image_)};
  }
  if (pull_failure_ && !pull_failure_->asks_registry()) return pull_refused(now, out);
  if ((pulled_ && pull_policy_ != "Always") || pull_policy_ == "Never") {
    emit(out, false, "Pulled",
         fmt::format("Container image \"{}\" already present on machine", image_));
    pulled_ = true;
    phase_ = Phase::kStarting;
    due_ = now.now + behaviour_->start + lag_;
    return;
  }
  emit(out, false, "Pulling", fmt::format("Pulling image \"{}\"", image_));
  phase_ = Phase::kPulling;
  due_ = now.now + pull_time();
}

void ContainerMachine::after_pull(Instant now, Effects* out) {
  if (pull_failure_) return pull_refused(now, out);
  if (!behaviour_->credentials.empty()) {
    phase_ = Phase::kPullAsked;
    return wish(Wish::Kind::kPull, out);
  }
  pulled(now, out);
}

void ContainerMachine::pulled(Instant now, Effects* out) {
  const std::string took = milliseconds_text(pull_time());
  emit(out, false, "Pulled",
       fmt::format("Successfully pulled image \"{}\" in {} ({} including waiting). Image size: "
                   "0 bytes.",
                   image_, took, took));
  pulled_ = true;
  phase_ = Phase::kStarting;
  due_ = now.now + behaviour_->start + lag_;
}

void ContainerMachine::pull_refused(Instant now, Effects* out) {
  const PullFailure& why = *pull_failure_;
  if (why.asks_registry()) {
    emit(out, true, "Failed", fmt::format("Failed to pull image \"{}\": {}", image_, why.message));
  } else {
    emit(out, true, why.reason == "InvalidImageName" ? "InspectFailed" : why.reason, why.message);
  }
  emit(out, true, "Failed", "Error: " + why.reason);
  ++pull_failures_;
  phase_ = Phase::kPullRefused;
  due_ = now.now + (why.asks_registry() ? kPullRefusedShown : kAskAgain);
}

void ContainerMachine::launch(Instant now, Effects* out) {
  ++runs_;
  killed_ = again_ = ran_ = changed_ = false;
  launched_image_ = image_;
  if (!traits_.asks) return run(now, out);
  phase_ = Phase::kCreating;
  alive_ = traits_.real;
  wish(Wish::Kind::kStart, out);
}

void ContainerMachine::run(Instant now, Effects* out) {
  if (current_end_) {
    last_ = std::move(current_end_);
    current_end_.reset();
    ++restarts_;
  }
  emit(out, false, "Created", fmt::format("Created container: {}", name_));
  emit(out, false, "Started", fmt::format("Started container {}", name_));
  phase_ = Phase::kRunning;
  started_ = now.now;
  started_wall_ = now.wall;
  container_id_ = new_container_id(now.wall);
  ran_ = true;
  startup_passed_ = false;
  post_start_ = pre_stop_ = HookState::kNone;
  ends_at_.reset();
  old_logs_ = std::move(logs_);
  logs_.clear();
  if (launched_image_ != image_) {
    changed_ = true;
    return restart_for(now, traits_.grace, "definition changed, will be restarted", out);
  }
  if (traits_.real) {
    due_ = TimePoint();
    if (!has_post_start_) return start_probes(now.now);
    post_start_ = HookState::kPending;
    return wish(Wish::Kind::kHook, out);
  }
  plan_end();
  for (const std::string& line : script_.output) logs_.push_back({now.wall, line});
}

// Of a scripted run: by its script, or when its memory is over the limit.
void ContainerMachine::plan_end() {
  const auto memory = load_.out_of_memory_after();
  out_of_memory_ = memory && (!script_.run_for || *memory < *script_.run_for);
  const auto lasts = out_of_memory_ ? memory : script_.run_for;
  if (lasts) ends_at_ = started_ + *lasts;
}

std::optional<ScriptedLoad::Use> ContainerMachine::scripted_use(TimePoint now) const {
  if (!running() || traits_.real) return std::nullopt;
  return load_.at(now - started_);
}

void ContainerMachine::start_probes(TimePoint now) {
  ProbeMachine& startup = probes_[static_cast<int>(ProbeKind::kStartup)];
  if (startup && !startup_passed_) return startup.start(now);
  startup_passed_ = true;
  for (const auto kind : {ProbeKind::kLiveness, ProbeKind::kReadiness}) {
    probes_[static_cast<int>(kind)].start(now);
  }
}

void ContainerMachine::end(Instant now, Ended ended, Effects* out) {
  const bool stopped = phase_ == Phase::kStopping && !again_;
  const int exit_code = ended.exit_code;
  for (ProbeMachine& probe : probes_) probe.stop();
  if (ended.reason.empty()) ended.reason = exit_code == 0 ? "Completed" : "Error";
  if (ended.message.empty() && logs_tell_ && exit_code != 0) ended.message = last_lines();
  if (phase_ == Phase::kCreating && current_end_) {  // it never ran: still a run of its own
    last_ = std::move(current_end_);
    ++restarts_;
  }
  current_end_ = std::move(ended);
  const bool restart = changed_ || traits_.policy == RestartPolicy::kAlways ||
                       (traits_.policy == RestartPolicy::kOnFailure && exit_code != 0);
  if (stopped || !restart) {
    phase_ = Phase::kEnded;
    return;
  }
  if (now.now - started_ >= kBackOffForgotten) crashes_ = 0;
  ++crashes_;
  if (crashes_ == 1) return begin_pull(now, out);
  phase_ = Phase::kCrashBackOff;
  due_ = now.now + back_off(crashes_ - 1);
  emit(out, true, "BackOff",
       fmt::format("Back-off restarting failed container {} in pod {}", name_, traits_.pod_id));
}

void ContainerMachine::stop(Instant now, Duration grace, Effects* out) {
  again_ = false;
  if (phase_ == Phase::kStopping) {
    due_ = std::min(due_, now.now + grace);  // a shorter grace came after
    return;
  }
  if (phase_ == Phase::kCreating && alive_) {  // its end will be seen
    phase_ = Phase::kStopping;
    due_ = now.now + grace;
    return wish(Wish::Kind::kTerminate, out);
  }
  if (phase_ != Phase::kRunning) {
    phase_ = Phase::kEnded;
    return;
  }
  emit(out, false, "Killing", fmt::format("Stopping container {}", name_));
  begin_stop(now, grace, out);
}

void ContainerMachine::begin_stop(Instant now, Duration grace, Effects* out) {
  phase_ = Phase::kStopping;
  for (ProbeMachine& probe : probes_) {
    if (probe.kind() != ProbeKind::kReadiness) probe.stop();
  }
  if (!traits_.real) {
    const bool obeys = behaviour_->stop <= grace;
    stop_code_ = !obeys ? kKilled : script_.run_for ? kTerminatedBySignal : 0;
    due_ = now.now + std::min(behaviour_->stop, grace);
    return;
  }
  due_ = now.now + grace;
  if (has_pre_stop_ && grace > Duration(0)) {
    pre_stop_ = HookState::kPending;
    out->wishes.push_back(
        {.kind = Wish::Kind::kHook, .container = name_, .run = runs_, .hook = HookKind::kPreStop});
    return;
  }
  wish(Wish::Kind::kTerminate, out);
}

// Ends a container that must start again: `why` follows "Container NAME ".
void ContainerMachine::restart_for(Instant now, Duration grace, const std::string& why,
                                   Effects* out) {
  emit(out, false, "Killing", fmt::format("Container {} {}", name_, why));
  again_ = true;
  begin_stop(now, grace, out);
}

bool ContainerMachine::step(Instant now, Effects* out) {
  bool changed = false;
  for (auto at = next(); at && *at <= now.now; at = next()) {
    const Instant then = now.at(*at);
    changed = true;
    switch (phase_) {
      case Phase::kPulling:
        after_pull(then, out);
        break;
      case Phase::kPullRefused:
        if (!pull_failure_->asks_registry()) {
          begin_pull(then, out);
          break;
        }
        phase_ = Phase::kPullBackOff;
        emit(out, false, "BackOff", fmt::format("Back-off pulling image \"{}\"", image_));
        emit(out, true, "Failed", "Error: ImagePullBackOff");
        due_ = then.now + back_off(pull_failures_);
        break;
      case Phase::kStarting:
        launch(then, out);
        break;
      case Phase::kConfigError:
        emit(out, false, "Pulled",
             fmt::format("Container image \"{}\" already present on machine", image_));
        launch(then, out);
        break;
      case Phase::kRunning:
        if (ends_at_ && *at >= *ends_at_) {
          end(then,
              {out_of_memory_ ? kKilled : script_.exit_code, out_of_memory_ ? "OOMKilled" : "", "",
               started_wall_, then.wall, container_id_},
              out);
        } else {
          due_ = TimePoint();  // the moment it became ready has passed
        }
        for (ProbeMachine& probe : probes_) {
          if (!probe.step(then.now)) continue;
          out->wishes.push_back({.kind = Wish::Kind::kProbe,
                                 .container = name_,
                                 .run = runs_,
                                 .probe = probe.kind()});
        }
        break;
      case Phase::kStopping:
        if (traits_.real) {
          killed_ = true;
          wish(Wish::Kind::kKill, out);
        } else {
          end(then, {stop_code_, "", "", started_wall_, then.wall, container_id_}, out);
        }
        break;
      case Phase::kPullBackOff:
      case Phase::kCrashBackOff:
        begin_pull(then, out);
        break;
      case Phase::kWaiting:
      case Phase::kPullAsked:
      case Phase::kCreating:
      case Phase::kEnded:
        break;
    }
    if (!traits_.real && phase_ == Phase::kRunning && *at == started_ && !never_ready_) {
      due_ = started_ + ready_delay_;
    }
  }
  return changed;
}

std::optional<TimePoint> ContainerMachine::next() const {
  switch (phase_) {
    case Phase::kWaiting:
    case Phase::kPullAsked:
    case Phase::kCreating:
    case Phase::kEnded:
      return std::nullopt;
    case Phase::kStopping:
      if (killed_) return std::nullopt;  // its end will be seen
      return due_;
    case Phase::kRunning: {
      std::optional<TimePoint> at = ends_at_;
      if (!traits_.real && due_ > started_ && (!at || due_ < *at)) at = due_;
      for (const ProbeMachine& probe : probes_) {
        if (const auto due = probe.next(); due && (!at || *due < *at)) at = due;
      }
      return at;
    }
    default:
      return due_;
  }
}

}  // namespace coracle::kubelet
