// PodRunner: pods whose containers see each other's processes. As upstream's, such a pod has one
// process more, /pause: it is process 1, holds the namespaces of users and processes that its
// containers join, and reaps what they leave.
#include <fmt/format.h>

#include "kubelet_driver/pod_runner.hpp"

namespace coracle::kubelet {
namespace {

constexpr std::int64_t kPauseUser = 65535;  // upstream's image

ContainerId holder_of(const std::string& uid) { return {uid, ""}; }

}  // namespace

Task<Status> PodRunner::hold_processes(std::string uid) {
  Known& known = pods_.at(uid);
  if (!get_bool(*known.pod.object, "spec.shareProcessNamespace") || !runtime_->isolated()) {
    co_return Status();
  }
  StartOrder unused;
  if (runtime_->share(holder_of(uid), &unused).ok()) co_return Status();
  if (!runtime_->runs(holder_of(uid))) {
    const Status started = start_holder(uid, known);
    if (!started.ok()) co_return started;
  }
  const bool runs = co_await Callback<bool>([&known](std::function<void(bool)> done) {
    known.waits_for_holder.push_back(std::move(done));
  });
  co_return runs ? Status() : unavailable("the pod's process /pause could not be started");
}

Status PodRunner::start_holder(const std::string& uid, Known& known) {
  const json::value& pod = *known.pod.object;
  const RuntimeOptions& o = runtime_->options();
  const std::string folder = folder_of(uid) + "/pause";
  ImageBehaviour image;
  image.programs = {{"/pause", "pause"}};
  ContainerStart start;
  StartOrder& order = start.order;
  order.root = folder + "/root";
  order.args = {"/pause"};
  order.first_outside_id = o.first_outside_id;
  order.outside_ids = o.outside_ids;
  order.uid = order.gid = kPauseUser;
  if (o.outside_ids == 0) {  // then all of the pod are one user: that of the first container
    const json::array& containers = get_array(pod, "spec.containers");
    const json::value& first = containers.at(0);
    const ImageBehaviour& behaviour = catalog_.find(get_string(first, "image"));
    const auto said = [&](const char* name, std::int64_t fallback) {
      return get_int(first, std::string("securityContext.") + name,
                     get_int(pod, std::string("spec.securityContext.") + name, fallback));
    };
    order.uid = said("runAsUser", behaviour.user);
    order.gid = said("runAsGroup", behaviour.group);
  }
  const Owner owner =
      o.outside_ids > 0 ? Owner{outside_id(order, 0), outside_id(order, 0)} : Owner{};
  RETURN_IF_ERROR(make_folder(folder, 0755, owner));
  ASSIGN_OR_RETURN(order.binds,
                   make_container_root(runtime_->tools(), {order.root, image, owner, "/", {}}));
  ContainerEvents events;
  events.on_line = [](const std::string&, bool) {};
  events.on_started = [this, uid, life = known.life] { holder_changed(uid, life, true); };
  events.on_end = [this, uid, life = known.life](const ProcessEnd&, bool) {
    holder_changed(uid, life, false);
  };
  return runtime_->start(holder_of(uid), std::move(start), std::move(events));
}

// Not inside the runtime's call: who waits starts a process.
void PodRunner::holder_changed(const std::string& uid, std::uint64_t life, bool runs) {
  executor_.post([this, uid, life, runs] {
    if (!lives(uid, life)) return;
    for (auto& done : std::exchange(pods_.at(uid).waits_for_holder, {})) done(runs);
  });
}

Status PodRunner::share_processes(const Known& known, const json::value& container,
                                  StartOrder* order) const {
  if (!runtime_->isolated()) return {};
  const json::value& pod = *known.pod.object;
  const std::string target(get_string(container, "targetContainerName"));
  if (get_bool(pod, "spec.shareProcessNamespace")) {
    return runtime_->share(holder_of(known.pod.uid), order);
  }
  if (target.empty()) return {};
  for (const json::value& c : get_array(pod, "spec.containers")) {
    if (get_string(c, "name") != target) continue;
    // A scripted one has no processes to see.
    if (kind_of(c) != ContainerKind::kReal) return {};
    return runtime_->share({known.pod.uid, target}, order);
  }
  return failed_precondition("unable to find target container " + target);
}

void PodRunner::over(const std::string& uid) {
  if (runtime_) runtime_->kill(holder_of(uid));
}

}  // namespace coracle::kubelet
