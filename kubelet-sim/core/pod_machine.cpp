#include "kubelet/pod_machine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.hpp"

namespace coracle::kubelet {
namespace {

RestartPolicy policy_of(const json::value& pod) {
  const std::string_view text = get_string(pod, "spec.restartPolicy", "Always");
  if (text == "Never") return RestartPolicy::kNever;
  return text == "OnFailure" ? RestartPolicy::kOnFailure : RestartPolicy::kAlways;
}

const json::value* status_of(const json::value& pod, std::string_view list, std::string_view name) {
  for (const json::value& status : get_array(pod, list)) {
    if (get_string(status, "name") == name) return &status;
  }
  return nullptr;
}

// What keeps the pod's readiness gates shut: conditions that others set. Empty: nothing.
std::string shut_gates(const json::value& pod) {
  std::vector<std::string> shut;
  for (const json::value& gate : get_array(pod, "spec.readinessGates")) {
    const std::string_view type = get_string(gate, "conditionType");
    const json::array& conditions = get_array(pod, "status.conditions");
    const auto* const found = std::ranges::find_if(
        conditions, [&](const json::value& c) { return get_string(c, "type") == type; });
    if (found == conditions.end()) {
      shut.push_back(fmt::format(
          "corresponding condition of pod readiness gate \"{}\" does not exist.", type));
    } else if (get_string(*found, "status") != "True") {
      shut.push_back(fmt::format("the status of pod readiness gate \"{}\" is not \"True\", but {}",
                                 type, get_string(*found, "status")));
    }
  }
  return join(shut, ", ");
}

// Upstream's back-off of volume operations.
constexpr Duration kPrepareFirst = std::chrono::milliseconds(500);
constexpr Duration kPrepareMax = std::chrono::seconds(122);

}  // namespace

PodMachine::PodMachine(const json::value& pod, PodPlace place, const ImageCatalog& catalog,
                       Instant now, PodTraits traits)
    : place_(std::move(place)),
      catalog_(catalog),
      traits_(std::move(traits)),
      policy_(policy_of(pod)),
      id_(fmt::format("{}_{}({})", get_string(pod, "metadata.name"),
                      get_string(pod, "metadata.namespace"), get_string(pod, "metadata.uid"))),
      grace_(std::chrono::seconds(get_int(pod, "spec.terminationGracePeriodSeconds", 30))),
      start_time_(now.wall) {
  if (!traits_.prepare) prepared_ = Prepare::kDone;
  prepare_due_ = now.now;
  if (const auto started = parse_time(get_string(pod, "status.startTime")); started.ok()) {
    start_time_ = *started;
  }
  set_deadline(pod);
  gates_shut_ = shut_gates(pod);
  for (const json::value& spec : get_array(pod, "spec.initContainers")) {
    const bool sidecar = get_string(spec, "restartPolicy") == "Always";
    sidecars_.push_back(sidecar);
    // An init container that must succeed is tried again unless the pod may never restart.
    const RestartPolicy policy = sidecar                            ? RestartPolicy::kAlways
                                 : policy_ == RestartPolicy::kNever ? RestartPolicy::kNever
                                                                    : RestartPolicy::kOnFailure;
    inits_.emplace_back(spec, catalog, traits_of(spec, "initContainers", policy));
    if (const auto* s = status_of(pod, "status.initContainerStatuses", inits_.back().name())) {
      inits_.back().restore(*s, now);
    }
  }
  for (const json::value& spec : get_array(pod, "spec.containers")) {
    mains_.emplace_back(spec, catalog, traits_of(spec, "containers", policy_));
    if (const auto* s = status_of(pod, "status.containerStatuses", mains_.back().name())) {
      mains_.back().restore(*s, now);
    }
  }
  add_ephemeral(pod, now);
  since_initialized_ = since_ready_ = since_containers_ready_ = now.wall;
}

void PodMachine::set_deadline(const json::value& pod) {
  if (const auto limit = get_int(pod, "spec.activeDeadlineSeconds", -1); limit >= 0) {
    deadline_ = std::chrono::seconds(limit);
  }
}

void PodMachine::see_gates(const json::value& pod, PodStep* step) {
  std::string shut = shut_gates(pod);
  if (shut == gates_shut_) return;
  gates_shut_ = std::move(shut);
  step->changed = true;
}

ContainerTraits PodMachine::traits_of(const json::value& spec, const char* list,
                                      RestartPolicy policy) const {
  const ContainerKind kind = traits_.kind_of ? traits_.kind_of(spec) : ContainerKind::kScripted;
  return {.policy = policy,
          .asks = kind != ContainerKind::kScripted,
          .real = kind == ContainerKind::kReal,
          .pod_id = id_,
          .field_path = fmt::format("spec.{}{{{}}}", list, get_string(spec, "name")),
          .grace = grace_,
          .after_inits = !sidecars_.empty(),
          .lost = traits_.lost};
}

// Ephemeral containers are never restarted and say nothing about the pod.
void PodMachine::add_ephemeral(const json::value& pod, Instant now) {
  for (const json::value& spec : get_array(pod, "spec.ephemeralContainers")) {
    if (find_container(get_string(spec, "name")) != nullptr) continue;
    ephemerals_.emplace_back(spec, catalog_,
                             traits_of(spec, "ephemeralContainers", RestartPolicy::kNever));
    const auto* s = status_of(pod, "status.ephemeralContainerStatuses", get_string(spec, "name"));
    if (s != nullptr) ephemerals_.back().restore(*s, now);
  }
}

// Whether the pod's volumes and files are there.
bool PodMachine::prepare(Instant now, PodStep* step) {
  if (prepared_ == Prepare::kNotYet && now.now >= prepare_due_) {
    prepared_ = Prepare::kWished;
    step->wishes.push_back({.kind = Wish::Kind::kPrepare});
  }
  return prepared_ == Prepare::kDone;
}

void PodMachine::see(const Seen& seen, Instant now, PodStep* step) {
  if (seen.kind == Seen::Kind::kPrepared) {
    prepared_ = Prepare::kDone;
    step->changed = true;
  } else if (seen.kind == Seen::Kind::kNotPrepared) {
    for (const PodEvent& event : seen.events) step->events.push_back(event);
    prepared_ = Prepare::kNotYet;
    Duration wait = kPrepareFirst;
    for (int i = 0; i < prepare_failures_ && wait < kPrepareMax; ++i) wait *= 2;
    ++prepare_failures_;
    prepare_due_ = now.now + std::min(wait, kPrepareMax);
    step->changed = true;
  } else if (ContainerMachine* c = find_container(seen.container)) {
    step->changed = c->see(seen, now, step) || step->changed;
  }
}

void PodMachine::set_lag(Duration lag) {
  for (auto* group : {&inits_, &mains_, &ephemerals_}) {
    for (ContainerMachine& c : *group) c.set_lag(lag);
  }
}

void PodMachine::print(std::string_view container, LogLine line) {
  if (ContainerMachine* c = find_container(container)) c->print(std::move(line));
}

bool PodMachine::init_done() const {
  for (size_t i = 0; i < inits_.size(); ++i) {
    const bool passed = sidecar(i) ? inits_[i].started() : inits_[i].exit_code() == 0;
    if (!passed) return false;
  }
  return true;
}

void PodMachine::advance(Instant now, PodStep* step) {
  if (stopped_ || !prepare(now, step)) return;
  for (ContainerMachine& c : ephemerals_) c.allow(now, step);
  for (size_t i = 0; i < inits_.size(); ++i) {
    inits_[i].allow(now, step);
    const bool passed = sidecar(i) ? inits_[i].started() : inits_[i].exit_code() == 0;
    if (!passed) return;
  }
  for (ContainerMachine& c : mains_) c.allow(now, step);
  // Sidecars end when the last container has.
  const bool over =
      std::all_of(mains_.begin(), mains_.end(), [](const auto& c) { return c.ended(); });
  if (!over) return;
  for (size_t i = 0; i < inits_.size(); ++i) {
    if (sidecar(i) && !inits_[i].ended()) {
      inits_[i].stop(now, std::chrono::seconds(30), step);
    }
  }
}

PodStep PodMachine::step(Instant now) {
  PodStep out;
  out.changed = first_;
  first_ = false;
  // One container's progress can let another begin: go on until nothing moves at this time.
  for (bool moved = true; moved;) {
    advance(now, &out);
    moved = false;
    for (auto* group : {&inits_, &mains_, &ephemerals_}) {
      for (ContainerMachine& c : *group) moved = c.step(now, &out) || moved;
    }
    stop_sidecars(now, &out);
    out.changed = out.changed || moved;
  }
  if (deadline_ && !stopped_ && failed_reason_.empty()) {
    const TimePoint over = now.now + (start_time_ + *deadline_ - now.wall);
    if (now.now < over) {
      out.next = over;
    } else if (!all_ended()) {
      out.events.push_back({false, "DeadlineExceeded",
                            "Pod was active on the node longer than the specified deadline", ""});
      fail(now, "DeadlineExceeded", "Pod was active on the node longer than the specified deadline",
           &out);
      out.changed = true;
    }
  }
  out.changed = out.changed || !out.events.empty();
  note_transitions(now);
  if (prepared_ == Prepare::kNotYet && !stopped_ && (!out.next || prepare_due_ < *out.next)) {
    out.next = prepare_due_;
  }
  for (const auto* group : {&inits_, &mains_, &ephemerals_}) {
    for (const ContainerMachine& c : *group) {
      const auto at = c.next();
      if (at && (!out.next || *at < *out.next)) out.next = at;
    }
  }
  if (sidecars_until_ && !all_ended() && now.now < *sidecars_until_ &&
      (!out.next || *sidecars_until_ < *out.next)) {
    out.next = sidecars_until_;
  }
  out.finished = deleting_ && all_ended();
  return out;
}

void PodMachine::observe(const json::value& pod, Instant now, PodStep* step) {
  set_deadline(pod);
  see_gates(pod, step);
  if (find(pod, "metadata.deletionTimestamp") == nullptr) {
    change_images(pod, now, step);
    return add_ephemeral(pod, now);
  }
  deleting_ = true;
  const auto grace = std::chrono::seconds(get_int(pod, "metadata.deletionGracePeriodSeconds"));
  stop_all(now, std::max<Duration>(grace, Duration(0)), step);
}

// The one thing of a running pod's containers that may be changed.
void PodMachine::change_images(const json::value& pod, Instant now, PodStep* step) {
  if (stopped_) return;
  for (const char* list : {"spec.initContainers", "spec.containers"}) {
    for (const json::value& spec : get_array(pod, list)) {
      ContainerMachine* const c = find_container(get_string(spec, "name"));
      if (c == nullptr || c->image() == get_string(spec, "image")) continue;
      c->change_image(spec, catalog_, now, step);
      step->changed = true;
    }
  }
}

void PodMachine::stop_all(Instant now, Duration grace, PodStep* step) {
  stopped_ = true;
  const TimePoint until = now.now + grace;
  sidecars_until_ = sidecars_until_ ? std::min(*sidecars_until_, until) : until;
  for (auto* group : {&mains_, &ephemerals_}) {
    for (ContainerMachine& c : *group) {
      if (!c.ended()) c.stop(now, grace, step);
    }
  }
  for (size_t i = 0; i < inits_.size(); ++i) {
    if (!sidecar(i) && !inits_[i].ended()) inits_[i].stop(now, grace, step);
  }
  stop_sidecars(now, step);
}

// Sidecars serve the others to their end; what is left of the grace is theirs, the last one first.
void PodMachine::stop_sidecars(Instant now, PodStep* step) {
  if (!sidecars_until_) return;
  const bool others_run =
      std::any_of(mains_.begin(), mains_.end(), [](const auto& c) { return !c.ended(); });
  if (others_run && now.now < *sidecars_until_) return;
  const Duration left = std::max<Duration>(*sidecars_until_ - now.now, Duration(0));
  for (size_t i = inits_.size(); i-- > 0;) {
    if (!sidecar(i) || inits_[i].ended()) continue;
    if (inits_[i].phase() != ContainerMachine::Phase::kStopping) inits_[i].stop(now, left, step);
    if (!inits_[i].ended() && now.now < *sidecars_until_) return;
  }
}

void PodMachine::fail(Instant now, std::string reason, std::string message, PodStep* step,
                      Duration grace, bool disrupted) {
  failed_reason_ = std::move(reason);
  failed_message_ = std::move(message);
  if (disrupted) disrupted_ = now.wall;
  stop_all(now, grace, step);
}

bool PodMachine::all_ended() const {
  const auto ended = [](const ContainerMachine& c) { return c.ended(); };
  return std::all_of(inits_.begin(), inits_.end(), ended) &&
         std::all_of(mains_.begin(), mains_.end(), ended) &&
         std::all_of(ephemerals_.begin(), ephemerals_.end(), ended);
}

std::string PodMachine::phase() const {
  if (!failed_reason_.empty()) return "Failed";
  for (size_t i = 0; i < inits_.size(); ++i) {
    const auto code = inits_[i].exit_code();
    if (!sidecar(i) && inits_[i].ended() && code && *code != 0) return "Failed";
  }
  // A sidecar that starts anew or is done does not take back what began after it.
  const bool begun = std::ranges::any_of(
      mains_, [](const ContainerMachine& c) { return c.running() || c.exit_code(); });
  if (!init_done() && !stopped_ && !begun) return "Pending";
  size_t waiting = 0, succeeded = 0, failed = 0;
  for (const ContainerMachine& c : mains_) {
    if (c.running()) continue;
    const auto code = c.exit_code();
    if (!code)
      ++waiting;
    else if (c.ended())
      ++(*code == 0 ? succeeded : failed);
  }
  if (waiting > 0) return "Pending";
  if (succeeded + failed < mains_.size()) return "Running";  // some run, or will again
  // Only a deleted pod ends although its containers would be restarted.
  if (policy_ == RestartPolicy::kAlways && !deleting_) return "Running";
  // Nor is it over while a sidecar still stops.
  if (std::ranges::any_of(inits_, &ContainerMachine::running)) return "Running";
  return failed > 0 ? "Failed" : "Succeeded";
}

std::vector<std::string> PodMachine::unready(TimePoint now) const {
  std::vector<std::string> names;
  for (const ContainerMachine& c : mains_) {
    if (!c.ready(now)) names.push_back(c.name());
  }
  return names;
}

PodMachine::Conditions PodMachine::conditions(TimePoint now) const {
  Conditions c;
  const std::string p = phase();
  c.initialized = init_done() || p == "Succeeded" || p == "Running";
  c.containers_ready = unready(now).empty() && p != "Succeeded" && p != "Failed";
  c.ready = c.containers_ready && gates_shut_.empty();
  return c;
}

void PodMachine::note_transitions(Instant now) {
  const Conditions c = conditions(now.now);
  if (c.initialized != shown_.initialized) since_initialized_ = now.wall;
  if (c.ready != shown_.ready) since_ready_ = now.wall;
  if (c.containers_ready != shown_.containers_ready) since_containers_ready_ = now.wall;
  shown_ = c;
}

json::value PodMachine::condition(const char* type, bool value, WallTime since) const {
  json::object c;
  c["lastProbeTime"] = nullptr;
  c["lastTransitionTime"] = format_time(since);
  c["status"] = value ? "True" : "False";
  c["type"] = type;
  return c;
}

json::array PodMachine::all_conditions(TimePoint now) const {
  const Conditions c = conditions(now);
  const std::string p = phase();
  const auto not_ready = [&](json::value condition, const std::vector<std::string>& names) {
    const bool over = p == "Succeeded" || p == "Failed";
    json::object& o = condition.get_object();
    if (over) {
      o["reason"] = p == "Succeeded" ? "PodCompleted" : "PodFailed";
    } else {
      o["message"] = fmt::format("containers with unready status: [{}]", join(names, " "));
      o["reason"] = "ContainersNotReady";
    }
    return condition;
  };
  json::array conditions;
  if (disrupted_) {
    json::value disruption = condition("DisruptionTarget", true, *disrupted_);
    disruption.get_object()["reason"] = "TerminationByKubelet";
    disruption.get_object()["message"] = failed_message_;
    conditions.push_back(std::move(disruption));
  }
  conditions.push_back(condition("PodReadyToStartContainers",
                                 prepared_ == Prepare::kDone && !(stopped_ && all_ended()) &&
                                     p != "Succeeded" && p != "Failed",
                                 start_time_));
  json::value initialized = condition("Initialized", c.initialized, since_initialized_);
  if (!c.initialized) {
    std::vector<std::string> names;
    for (size_t i = 0; i < inits_.size(); ++i) {
      const bool passed = sidecar(i) ? inits_[i].started() : inits_[i].exit_code() == 0;
      if (!passed) names.push_back(inits_[i].name());
    }
    initialized.get_object()["message"] =
        fmt::format("containers with incomplete status: [{}]", join(names, " "));
    initialized.get_object()["reason"] = "ContainersNotInitialized";
  }
  conditions.push_back(std::move(initialized));
  const auto names = unready(now);
  json::value ready = condition("Ready", c.ready, since_ready_);
  if (!c.containers_ready) {
    ready = not_ready(std::move(ready), names);
  } else if (!c.ready) {
    ready.get_object()["reason"] = "ReadinessGatesNotReady";
    ready.get_object()["message"] = gates_shut_;
  }
  conditions.push_back(std::move(ready));
  json::value all = condition("ContainersReady", c.containers_ready, since_containers_ready_);
  conditions.push_back(c.containers_ready ? std::move(all) : not_ready(std::move(all), names));
  conditions.push_back(condition("PodScheduled", true, start_time_));
  return conditions;
}

json::value PodMachine::status(Instant now) const {
  const std::string p = phase();
  json::object s;
  s["conditions"] = all_conditions(now.now);
  json::array containers, inits, ephemerals;
  for (const ContainerMachine& m : mains_) containers.push_back(m.status(now.now));
  for (size_t i = 0; i < inits_.size(); ++i) {
    inits.push_back(inits_[i].status(now.now));
    // One that has done its work is as ready as it will be; a sidecar is done when it serves.
    if (!sidecar(i) && inits_[i].exit_code() == 0) inits.back().get_object()["ready"] = true;
  }
  for (const ContainerMachine& m : ephemerals_) ephemerals.push_back(m.status(now.now));
  s["containerStatuses"] = std::move(containers);
  if (!ephemerals.empty()) s["ephemeralContainerStatuses"] = std::move(ephemerals);
  s["hostIP"] = place_.host_ip;
  s["hostIPs"] = json::array({json::object({{"ip", place_.host_ip}})});
  if (!inits.empty()) s["initContainerStatuses"] = std::move(inits);
  if (!failed_message_.empty()) s["message"] = failed_message_;
  s["phase"] = p;
  s["podIP"] = place_.pod_ip;
  s["podIPs"] = json::array({json::object({{"ip", place_.pod_ip}})});
  if (!failed_reason_.empty()) s["reason"] = failed_reason_;
  s["startTime"] = format_time(start_time_);
  return s;
}

std::vector<const ContainerMachine*> PodMachine::containers() const {
  std::vector<const ContainerMachine*> all;
  for (const auto* group : {&inits_, &mains_, &ephemerals_}) {
    for (const ContainerMachine& c : *group) all.push_back(&c);
  }
  return all;
}

ContainerMachine* PodMachine::find_container(std::string_view name) {
  return const_cast<ContainerMachine*>(container(name));
}

const ContainerMachine* PodMachine::container(std::string_view name) const {
  for (const auto* group : {&mains_, &inits_, &ephemerals_}) {
    for (const ContainerMachine& c : *group) {
      if (c.name() == name) return &c;
    }
  }
  return nullptr;
}

}  // namespace coracle::kubelet
