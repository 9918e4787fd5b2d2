// ContainerMachine: what it tells of itself.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "kubelet/container_machine.hpp"

namespace coracle::kubelet {
namespace {

// As containerd reports a container that did not live through a reboot.
constexpr int kLostCode = 255;

}  // namespace

bool ContainerMachine::started() const {
  if (phase_ != Phase::kRunning && phase_ != Phase::kStopping) return false;
  if (!traits_.real) return true;
  return startup_passed_;
}

bool ContainerMachine::ready(TimePoint now) const {
  if (phase_ != Phase::kRunning) return false;
  if (!traits_.real) return !never_ready_ && now >= started_ + ready_delay_;
  const ProbeMachine& readiness = probes_[static_cast<int>(ProbeKind::kReadiness)];
  return started() && (!readiness || readiness.passed());
}

std::optional<int> ContainerMachine::exit_code() const {
  if (running() || !current_end_) return std::nullopt;
  return current_end_->exit_code;
}

std::string ContainerMachine::new_container_id(WallTime wall) const {
  return "sim://" + hex_encode(sha256(fmt::format("{}/{}/{}/{}", traits_.pod_id, name_, restarts_,
                                                  wall.time_since_epoch().count())));
}

void ContainerMachine::restore(const json::value& status, Instant now) {
  restarts_ = static_cast<int>(get_int(status, "restartCount"));
  const auto time = [](const json::value& v, std::string_view path, WallTime fallback) {
    const auto parsed = parse_time(get_string(v, path));
    return parsed.ok() ? *parsed : fallback;
  };
  const auto read_end = [&](const json::value& v) {
    return Ended{
        static_cast<int>(get_int(v, "exitCode")), std::string(get_string(v, "reason")),
        std::string(get_string(v, "message")),    time(v, "startedAt", now.wall),
        time(v, "finishedAt", now.wall),          std::string(get_string(v, "containerID"))};
  };
  if (const json::value* last = find(status, "lastState.terminated")) last_ = read_end(*last);
  if (const json::value* run = find(status, "state.running")) {
    pulled_ = true;
    phase_ = Phase::kRunning;
    started_wall_ = time(*run, "startedAt", now.wall);
    started_ = now.now - std::max(Duration(0), now.wall - started_wall_);
    container_id_ = get_string(status, "containerID");
    // Processes end with the program that started them.
    if (traits_.real || traits_.lost) {
      Effects unseen;
      end(now, {kLostCode, "Unknown", "", started_wall_, now.wall, container_id_}, &unseen);
      if (phase_ != Phase::kEnded) phase_ = Phase::kWaiting;  // for its turn, and the volumes
      return;
    }
    plan_end();
    if (!never_ready_) due_ = started_ + ready_delay_;
    for (const std::string& line : script_.output) logs_.push_back({started_wall_, line});
  } else if (const json::value* over = find(status, "state.terminated")) {
    pulled_ = true;
    current_end_ = read_end(*over);
    phase_ = Phase::kEnded;
  }
}

json::value ContainerMachine::terminated(const Ended& ended) const {
  json::object t;
  t["containerID"] = ended.container_id;
  t["exitCode"] = ended.exit_code;
  t["finishedAt"] = format_time(ended.finished);
  if (!ended.message.empty()) t["message"] = ended.message;
  t["reason"] = ended.reason;
  t["startedAt"] = format_time(ended.started);
  return t;
}

json::value ContainerMachine::state() const {
  json::value out = json::object();
  const auto waiting = [&](std::string reason, std::string message) {
    json::object& w = make_object(out, "waiting");
    if (!message.empty()) w["message"] = std::move(message);
    w["reason"] = std::move(reason);
  };
  const char* const creating = traits_.after_inits ? "PodInitializing" : "ContainerCreating";
  switch (phase_) {
    case Phase::kRunning:
    case Phase::kStopping:
      set_path(out, "running.startedAt", json::value(format_time(started_wall_)));
      break;
    case Phase::kEnded:
      if (current_end_)
        make_object(out, "")["terminated"] = terminated(*current_end_);
      else
        waiting(creating, "");
      break;
    case Phase::kPullRefused:
      waiting(pull_failure_->reason, pull_failure_->message);
      break;
    case Phase::kPullBackOff:
      waiting("ImagePullBackOff", fmt::format("Back-off pulling image \"{}\": ErrImagePull: {}",
                                              image_, pull_failure_->message));
      break;
    case Phase::kConfigError:
      waiting(waiting_reason_, waiting_message_);
      break;
    case Phase::kCrashBackOff:
      waiting("CrashLoopBackOff", fmt::format("back-off {} restarting failed container={} pod={}",
                                              back_off_text(crashes_ - 1), name_, traits_.pod_id));
      break;
    default:
      waiting(creating, "");
  }
  return out;
}

json::value ContainerMachine::status(TimePoint now) const {
  json::object s;
  if (running())
    s["containerID"] = container_id_;
  else if (current_end_)
    s["containerID"] = current_end_->container_id;
  s["image"] = image_;
  s["imageID"] = "";
  json::value last = json::object();
  // A container between two runs shows its last end as the last state, once it waits again.
  const bool waits = !running() && phase_ != Phase::kEnded;
  if (waits && current_end_)
    make_object(last, "")["terminated"] = terminated(*current_end_);
  else if (last_)
    make_object(last, "")["terminated"] = terminated(*last_);
  s["lastState"] = std::move(last);
  s["name"] = name_;
  s["ready"] = ready(now);
  s["restartCount"] = restarts_;
  s["started"] = started();
  s["state"] = state();
  return s;
}

}  // namespace coracle::kubelet
