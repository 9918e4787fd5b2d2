#include "kubelet/container_machine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.hpp"

namespace coracle::kubelet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kBackOffFirst = seconds(10);
constexpr Duration kBackOffMax = seconds(300);
constexpr Duration kBackOffForgotten = std::chrono::minutes(10);
constexpr Duration kPullRefusedShown = milliseconds(500);  // ErrImagePull, then ImagePullBackOff
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

// As Go prints a duration of whole seconds: "40s", "1m20s".
std::string seconds_text(Duration d) {
  const auto s = std::chrono::duration_cast<seconds>(d).count();
  return s < 60 ? fmt::format("{}s", s) : fmt::format("{}m{}s", s / 60, s % 60);
}

std::string milliseconds_text(Duration d) {
  const auto ms = std::chrono::duration_cast<milliseconds>(d).count();
  return ms < 1000 ? fmt::format("{}ms", ms) : fmt::format("{}s", static_cast<double>(ms) / 1000);
}

}  // namespace

ContainerMachine::ContainerMachine(const json::value& spec, const ImageCatalog& catalog,
                                   RestartPolicy policy, std::string pod_id, std::string field_path)
    : name_(get_string(spec, "name")),
      image_(get_string(spec, "image")),
      pod_id_(std::move(pod_id)),
      field_path_(std::move(field_path)),
      behaviour_(catalog.find(image_)),
      pull_error_(catalog.pull_error(image_)),
      policy_(policy) {
  script_ = script_of(behaviour_, strings(spec, "command"), strings(spec, "args"),
                      policy == RestartPolicy::kAlways);
  never_ready_ = !behaviour_.ready_after.has_value();
  ready_delay_ = behaviour_.ready_after.value_or(Duration(0));
  if (find(spec, "readinessProbe") != nullptr) {
    ready_delay_ += seconds(get_int(spec, "readinessProbe.initialDelaySeconds"));
  }
  pull_always_ = get_string(spec, "imagePullPolicy") == "Always";
}

void ContainerMachine::emit(std::vector<PodEvent>* events, bool warning, std::string reason,
                            std::string message) {
  events->push_back({warning, std::move(reason), std::move(message), field_path_});
}

void ContainerMachine::allow(Instant now, std::vector<PodEvent>* events) {
  if (phase_ == Phase::kWaiting) begin_pull(now, events);
}

void ContainerMachine::begin_pull(Instant now, std::vector<PodEvent>* events) {
  if (pulled_ && !pull_always_) {
    emit(events, false, "Pulled",
         fmt::format("Container image \"{}\" already present on machine", image_));
    phase_ = Phase::kStarting;
    due_ = now.now + behaviour_.start;
    return;
  }
  emit(events, false, "Pulling", fmt::format("Pulling image \"{}\"", image_));
  phase_ = Phase::kPulling;
  due_ = now.now + (pulled_ ? Duration(0) : behaviour_.pull);
}

void ContainerMachine::after_pull(Instant now, std::vector<PodEvent>* events) {
  if (!pull_error_) {
    const std::string took = milliseconds_text(pulled_ ? Duration(0) : behaviour_.pull);
    emit(events, false, "Pulled",
         fmt::format("Successfully pulled image \"{}\" in {} ({} including waiting). Image size: "
                     "0 bytes.",
                     image_, took, took));
    pulled_ = true;
    phase_ = Phase::kStarting;
    due_ = now.now + behaviour_.start;
    return;
  }
  emit(events, true, "Failed",
       fmt::format("Failed to pull image \"{}\": {}", image_, *pull_error_));
  emit(events, true, "Failed", "Error: ErrImagePull");
  ++pull_failures_;
  pull_refused_shown_ = false;
  phase_ = Phase::kPullBackOff;
  due_ = now.now + kPullRefusedShown;
}

void ContainerMachine::run(Instant now, std::vector<PodEvent>* events) {
  if (current_end_) {
    last_ = std::move(current_end_);
    current_end_.reset();
    ++restarts_;
  }
  emit(events, false, "Created", fmt::format("Created container: {}", name_));
  emit(events, false, "Started", fmt::format("Started container {}", name_));
  phase_ = Phase::kRunning;
  started_ = now.now;
  started_wall_ = now.wall;
  container_id_ = new_container_id(now.wall);
  ends_at_.reset();
  if (script_.run_for) ends_at_ = now.now + *script_.run_for;
  old_logs_ = std::move(logs_);
  logs_.clear();
  for (const std::string& line : script_.output) logs_.push_back({now.wall, line});
}

void ContainerMachine::end(Instant now, int exit_code, std::vector<PodEvent>* events) {
  const bool stopped = phase_ == Phase::kStopping;
  current_end_ = Ended{exit_code, exit_code == 0 ? "Completed" : "Error", started_wall_, now.wall,
                       container_id_};
  const bool again =
      policy_ == RestartPolicy::kAlways || (policy_ == RestartPolicy::kOnFailure && exit_code != 0);
  if (stopped || !again) {
    phase_ = Phase::kEnded;
    return;
  }
  if (now.now - started_ >= kBackOffForgotten) crashes_ = 0;
  ++crashes_;
  if (crashes_ == 1) return begin_pull(now, events);
  phase_ = Phase::kCrashBackOff;
  due_ = now.now + back_off(crashes_ - 1);
  emit(events, true, "BackOff",
       fmt::format("Back-off restarting failed container {} in pod {}", name_, pod_id_));
}

void ContainerMachine::stop(Instant now, Duration grace, std::vector<PodEvent>* events) {
  if (phase_ == Phase::kStopping) {
    due_ = std::min(due_, now.now + grace);  // a shorter grace came after
    return;
  }
  if (phase_ != Phase::kRunning) {
    phase_ = Phase::kEnded;
    return;
  }
  emit(events, false, "Killing", fmt::format("Stopping container {}", name_));
  const bool obeys = behaviour_.stop <= grace;
  stop_code_ = !obeys ? kKilled : script_.run_for ? kTerminatedBySignal : 0;
  phase_ = Phase::kStopping;
  due_ = now.now + std::min(behaviour_.stop, grace);
}

bool ContainerMachine::step(Instant now, std::vector<PodEvent>* events) {
  bool changed = false;
  for (auto at = next(); at && *at <= now.now; at = next()) {
    const Instant then = now.at(*at);
    changed = true;
    switch (phase_) {
      case Phase::kPulling:
        after_pull(then, events);
        break;
      case Phase::kPullBackOff:
        if (!pull_refused_shown_) {
          pull_refused_shown_ = true;
          emit(events, false, "BackOff", fmt::format("Back-off pulling image \"{}\"", image_));
          emit(events, true, "Failed", "Error: ImagePullBackOff");
          due_ = then.now + back_off(pull_failures_);
        } else {
          begin_pull(then, events);
        }
        break;
      case Phase::kStarting:
        run(then, events);
        break;
      case Phase::kRunning:
        if (ends_at_ && *at >= *ends_at_) {
          end(then, script_.exit_code, events);
        } else {
          due_ = TimePoint();  // the moment it became ready has passed
        }
        break;
      case Phase::kStopping:
        end(then, stop_code_, events);
        break;
      case Phase::kCrashBackOff:
        begin_pull(then, events);
        break;
      case Phase::kWaiting:
      case Phase::kEnded:
        break;
    }
    if (phase_ == Phase::kRunning && *at == started_ && !never_ready_) {
      due_ = started_ + ready_delay_;
    }
  }
  return changed;
}

std::optional<TimePoint> ContainerMachine::next() const {
  switch (phase_) {
    case Phase::kWaiting:
    case Phase::kEnded:
      return std::nullopt;
    case Phase::kRunning: {
      std::optional<TimePoint> at = ends_at_;
      if (due_ > started_ && (!at || due_ < *at)) at = due_;
      return at;
    }
    default:
      return due_;
  }
}

bool ContainerMachine::ready(TimePoint now) const {
  return phase_ == Phase::kRunning && !never_ready_ && now >= started_ + ready_delay_;
}

std::optional<int> ContainerMachine::exit_code() const {
  if (running() || !current_end_) return std::nullopt;
  return current_end_->exit_code;
}

std::string ContainerMachine::new_container_id(WallTime wall) const {
  return "sim://" + hex_encode(sha256(fmt::format("{}/{}/{}/{}", pod_id_, name_, restarts_,
                                                  wall.time_since_epoch().count())));
}

void ContainerMachine::restore(const json::value& status, Instant now) {
  restarts_ = static_cast<int>(get_int(status, "restartCount"));
  const auto time = [](const json::value& v, std::string_view path, WallTime fallback) {
    const auto parsed = parse_time(get_string(v, path));
    return parsed.ok() ? *parsed : fallback;
  };
  const auto read_end = [&](const json::value& v) {
    return Ended{static_cast<int>(get_int(v, "exitCode")), std::string(get_string(v, "reason")),
                 time(v, "startedAt", now.wall), time(v, "finishedAt", now.wall),
                 std::string(get_string(v, "containerID"))};
  };
  if (const json::value* last = find(status, "lastState.terminated")) last_ = read_end(*last);
  if (const json::value* run = find(status, "state.running")) {
    pulled_ = true;
    phase_ = Phase::kRunning;
    started_wall_ = time(*run, "startedAt", now.wall);
    started_ = now.now - std::max(Duration(0), now.wall - started_wall_);
    container_id_ = get_string(status, "containerID");
    if (script_.run_for) ends_at_ = started_ + *script_.run_for;
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
  t["reason"] = ended.reason;
  t["startedAt"] = format_time(ended.started);
  return t;
}

json::value ContainerMachine::state(TimePoint) const {
  json::value out = json::object();
  const auto waiting = [&](std::string reason, std::string message) {
    json::object& w = make_object(out, "waiting");
    if (!message.empty()) w["message"] = std::move(message);
    w["reason"] = std::move(reason);
  };
  switch (phase_) {
    case Phase::kRunning:
    case Phase::kStopping:
      set_path(out, "running.startedAt", json::value(format_time(started_wall_)));
      break;
    case Phase::kEnded:
      if (current_end_)
        make_object(out, "")["terminated"] = terminated(*current_end_);
      else
        waiting("ContainerCreating", "");
      break;
    case Phase::kPullBackOff:
      if (pull_refused_shown_) {
        waiting("ImagePullBackOff", fmt::format("Back-off pulling image \"{}\": ErrImagePull: {}",
                                                image_, *pull_error_));
      } else {
        waiting("ErrImagePull", *pull_error_);
      }
      break;
    case Phase::kCrashBackOff:
      waiting("CrashLoopBackOff",
              fmt::format("back-off {} restarting failed container={} pod={}",
                          seconds_text(back_off(crashes_ - 1)), name_, pod_id_));
      break;
    default:
      waiting("ContainerCreating", "");
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
  s["started"] = running();
  s["state"] = state(now);
  return s;
}

}  // namespace coracle::kubelet
