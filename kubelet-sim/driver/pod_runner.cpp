#include "kubelet_driver/pod_runner.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/log.hpp"
#include "base/strings.hpp"
#include "kubelet/low_ports.hpp"
#include "kubelet/pull_secrets.hpp"

namespace coracle::kubelet {
namespace {

constexpr Duration kRefreshEvery = std::chrono::seconds(10);
constexpr size_t kTerminationMessageMax = 4096;
constexpr int kFilesLookedAt = 20'000;

const json::value* container_of(const json::value& pod, std::string_view name) {
  for (const char* list : {"spec.containers", "spec.initContainers", "spec.ephemeralContainers"}) {
    for (const json::value& c : get_array(pod, list)) {
      if (get_string(c, "name") == name) return &c;
    }
  }
  return nullptr;
}

NodeResources resources_of(const NodeFacts& node) {
  return {node.cpu, node.memory, node.ephemeral_storage};
}

// A name as a file name: volumes and containers have DNS labels, so this changes none of them.
std::string safe(std::string_view name) { return replace_all(std::string(name), "/", "_"); }

}  // namespace

PodRunner::PodRunner(Executor& executor, client::Api& api, const ImageCatalog& catalog,
                     RunnerOptions options)
    : executor_(executor),
      catalog_(catalog),
      options_(std::move(options)),
      sources_(executor, api),
      start_turns_(executor) {}

PodRunner::PodRunner(net::AsioExecutor& executor, client::Api& api, const ImageCatalog& catalog,
                     RunnerOptions options, std::unique_ptr<ProcessRuntime> runtime)
    : PodRunner(static_cast<Executor&>(executor), api, catalog, std::move(options)) {
  runtime_ = std::move(runtime);
  if (runtime_)
    real_.reset(new Real{{executor, runtime_.get()}, HostPorts(executor, options_.arrives)});
}

PodRunner::~PodRunner() { executor_.cancel(refresh_timer_); }

void PodRunner::start(Events events) {
  events_ = std::move(events);
  if (runtime_) refresh_timer_ = executor_.after(kRefreshEvery, [this] { refresh(); });
}

std::string PodRunner::folder_of(const std::string& uid) const {
  return options_.root_dir + "/pods/" + safe(uid);
}

ContainerKind PodRunner::kind_of(const json::value& container) const {
  const auto scripted =
      environment_sources(container).empty() ? ContainerKind::kScripted : ContainerKind::kAsking;
  if (!runtime_ || options_.mode == RuntimeMode::kScripted) return scripted;
  if (options_.mode == RuntimeMode::kProcess) return ContainerKind::kReal;
  const ImageBehaviour& image = catalog_.find(get_string(container, "image"));
  if (image.has_program()) return ContainerKind::kReal;
  const json::array& command = get_array(container, "command");
  if (command.empty() || !command[0].is_string()) return scripted;
  const std::string word(command[0].get_string());
  return runtime_->has_applet(word.substr(word.rfind('/') + 1)) ? ContainerKind::kReal : scripted;
}

PodTraits PodRunner::traits_of(const json::value& pod) const {
  PodTraits traits;
  traits.prepare =
      !get_array(pod, "spec.resourceClaims").empty() || get_bool(pod, "spec.setHostnameAsFQDN");
  traits.kind_of = [this](const json::value& container) { return kind_of(container); };
  for (const char* list : {"spec.containers", "spec.initContainers"}) {
    for (const json::value& c : get_array(pod, list)) {
      traits.prepare = traits.prepare || kind_of(c) == ContainerKind::kReal;
    }
  }
  for (const json::value& volume : get_array(pod, "spec.volumes")) {
    if (get_string(volume, "name").starts_with("kube-api-access-")) continue;
    traits.prepare = traits.prepare || is_file_volume(volume) ||
                     find(volume, "persistentVolumeClaim") != nullptr;
  }
  return traits;
}

bool PodRunner::lives(const std::string& uid, std::uint64_t life) const {
  const auto known = pods_.find(uid);
  return known != pods_.end() && known->second.life == life;
}

// Not inside the caller: the machine that wished is still at work.
void PodRunner::tell(const std::string& uid, std::uint64_t life, const Wish& wish, Seen seen) {
  seen.container = wish.container;
  seen.run = wish.run;
  seen.probe = wish.probe;
  seen.hook = wish.hook;
  executor_.post([this, uid, life, seen = std::move(seen)] {
    if (lives(uid, life)) events_.seen(uid, seen);
  });
}

void PodRunner::carry_out(const RunnerPod& pod, const Wish& wish) {
  const auto [entry, fresh] = pods_.try_emplace(pod.uid);
  Known& known = entry->second;
  if (fresh) {
    known.since = executor_.now();
    known.life = ++lives_;
  }
  const std::uint64_t life = known.life;
  known.pod = pod;
  const ContainerId id{pod.uid, wish.container};
  switch (wish.kind) {
    case Wish::Kind::kPrepare:
      return spawn<Seen>(prepare(pod.uid), [this, uid = pod.uid, life, wish](Seen seen) {
        tell(uid, life, wish, std::move(seen));
      });
    case Wish::Kind::kPull:
      return spawn<Seen>(pull(pod.uid, wish), [this, uid = pod.uid, life, wish](Seen seen) {
        tell(uid, life, wish, std::move(seen));
      });
    case Wish::Kind::kStart:
      known.starting.insert(wish.container);
      known.cancelled.erase(wish.container);
      return spawn<std::optional<Seen>>(
          start_container(pod.uid, wish),
          [this, uid = pod.uid, life, wish](std::optional<Seen> seen) {
            if (!lives(uid, life)) return;
            pods_.at(uid).starting.erase(wish.container);
            if (seen) tell(uid, life, wish, std::move(*seen));
          });
    case Wish::Kind::kTerminate:
    case Wish::Kind::kKill:
      if (known.starting.contains(wish.container)) known.cancelled.insert(wish.container);
      if (!runtime_) return;
      if (wish.kind == Wish::Kind::kKill) return runtime_->kill(id);
      return runtime_->terminate(id);
    case Wish::Kind::kProbe:
    case Wish::Kind::kHook:
      return probe(known, wish);
  }
}

void PodRunner::probe(const Known& known, const Wish& wish) {
  const json::value* container = container_of(*known.pod.object, wish.container);
  const bool hook = wish.kind == Wish::Kind::kHook;
  static constexpr const char* kNames[] = {"startupProbe", "livenessProbe", "readinessProbe"};
  const json::value* spec = nullptr;
  if (container != nullptr && hook) {
    spec = find(*container,
                wish.hook == HookKind::kPostStart ? "lifecycle.postStart" : "lifecycle.preStop");
  } else if (container != nullptr) {
    spec = find(*container, kNames[static_cast<int>(wish.probe)]);
  }
  const auto answer = [this, uid = known.pod.uid, life = known.life, wish, hook](ProbeAnswer a) {
    tell(uid, life, wish,
         {.kind = hook ? Seen::Kind::kHook : Seen::Kind::kProbe,
          .good = a.good,
          .message = std::move(a.message)});
  };
  if (spec == nullptr) return answer({false, "it is not there any more"});
  const Duration limit = std::chrono::seconds(
      hook ? get_int(*known.pod.object, "spec.terminationGracePeriodSeconds", 30)
           : std::max<std::int64_t>(1, get_int(*spec, "timeoutSeconds", 1)));
  CHECK_MSG(real_ != nullptr, "only processes are probed");
  const auto lag = lags_.find(known.pod.node->name);
  if (lag == lags_.end()) {
    return real_->prober.run({known.pod.uid, wish.container}, *container, known.pod.place.pod_ip,
                             *spec, limit, answer);
  }
  // A slow node: the answer comes late, or not within its time.
  if (lag->second >= limit) {
    executor_.after(limit, [answer] { answer({false, "context deadline exceeded"}); });
    return;
  }
  real_->prober.run({known.pod.uid, wish.container}, *container, known.pod.place.pod_ip, *spec,
                    limit - lag->second, [this, answer, lag = lag->second](ProbeAnswer a) {
                      executor_.after(lag, [answer, a = std::move(a)] { answer(a); });
                    });
}

// By the pod's pull secrets.
Task<Seen> PodRunner::pull(std::string uid, Wish wish) {
  const RunnerPod pod = pods_.at(uid).pod;
  const json::value* container = container_of(*pod.object, wish.container);
  const std::string image(container == nullptr ? "" : get_string(*container, "image"));
  SourceNames names;
  for (const json::value& secret : get_array(*pod.object, "spec.imagePullSecrets")) {
    names.secrets.emplace(get_string(secret, "name"));
  }
  Seen seen{.kind = Seen::Kind::kPulled, .good = false};
  const auto sources =
      co_await sources_.fetch(std::string(get_string(*pod.object, "metadata.namespace")), names,
                              false, pods_.at(uid).since);
  if (!sources.ok()) {
    seen.message = sources.status().message();
    co_return seen;
  }
  std::vector<std::string> missing;
  for (const auto& [name, secret] : sources->secrets) {
    if (secret.is_null()) missing.push_back(name);
  }
  if (!missing.empty()) {
    seen.events.push_back(
        {true, "FailedToRetrieveImagePullSecret",
         fmt::format(
             "Unable to retrieve some image pull secrets ({}); attempting to pull the image "
             "may not succeed.",
             join(missing, ", ")),
         ""});
  }
  const Status allowed = may_pull(image, catalog_.find(image), *sources);
  seen.good = allowed.ok();
  seen.message = allowed.message();
  co_return seen;
}

Task<std::optional<Seen>> PodRunner::start_container(std::string uid, Wish wish) {
  const RunnerPod pod = pods_.at(uid).pod;
  const std::uint64_t life = pods_.at(uid).life;
  const json::value* found = container_of(*pod.object, wish.container);
  const auto refused = [](std::string reason, std::string message) {
    return Seen{
        .kind = Seen::Kind::kRefused, .reason = std::move(reason), .message = std::move(message)};
  };
  if (found == nullptr) co_return refused("CreateContainerError", "the container is not there");
  const json::value container = *found;
  const bool real = kind_of(container) == ContainerKind::kReal;
  const auto sources =
      co_await sources_.fetch(std::string(get_string(*pod.object, "metadata.namespace")),
                              environment_sources(container), real, pods_.at(uid).since);
  if (!lives(uid, life)) co_return std::nullopt;
  if (!sources.ok()) co_return refused("CreateContainerConfigError", sources.status().message());
  auto environment =
      container_environment({*pod.object, container, pod.place, resources_of(*pod.node), *sources});
  if (!environment.ok()) {
    co_return refused("CreateContainerConfigError", environment.status().message());
  }
  // They win over what the pod says.
  for (auto& variable : device_environment(container, pods_.at(uid).devices)) {
    environment->push_back(std::move(variable));
  }
  if (!real) co_return Seen{.kind = Seen::Kind::kStarted};
  const Status held = co_await hold_processes(uid);
  if (!lives(uid, life)) co_return std::nullopt;
  if (!held.ok()) co_return refused("CreateContainerError", held.message());
  if (!co_await start_turns_.take()) co_return std::nullopt;
  if (!lives(uid, life)) co_return std::nullopt;
  Known& known = pods_.at(uid);
  if (known.cancelled.contains(wish.container)) {
    co_return Seen{.kind = Seen::Kind::kBroken, .reason = "StartError", .message = "stopped"};
  }
  const StartTurns::Turn turn(&start_turns_);
  co_return start_process(known, container, *environment, wish);
}

std::optional<Seen> PodRunner::start_process(Known& known, const json::value& container,
                                             const Environment& environment, const Wish& wish) {
  const json::value& pod = *known.pod.object;
  const std::string folder = folder_of(known.pod.uid) + "/containers/" + safe(wish.container);
  const std::string log = folder + "/termination-log";
  const RuntimeOptions& o = runtime_->options();
  const std::string_view reference = get_string(container, "image");
  ImageBehaviour image = catalog_.find(reference);
  if (!image.has_program() && get_array(container, "command").empty()) {
    image.cmd = {"/usr/lib/lab-image", "pause"};  // --runtime process: something that waits
  }
  const auto refused = [](const char* reason, const Status& why) {
    return Seen{.kind = Seen::Kind::kRefused, .reason = reason, .message = why.message()};
  };
  const auto name = pod_kernel_name(pod, known.pod.node->name, options_.dns);
  if (!name.ok()) return refused("CreateContainerError", name.status());
  auto start = container_start({pod, container, image, environment, known.pod.place, *name,
                                parse_image(reference).tag, runtime_->isolated(),
                                o.first_outside_id, o.outside_ids, folder + "/root", known.volumes,
                                log, folder_of(known.pod.uid) + "/etc"});
  if (!start.ok()) return refused("CreateContainerConfigError", start.status());
  if (start->order.args.empty()) {
    return Seen{.kind = Seen::Kind::kRefused,
                .reason = "CreateContainerError",
                .message = "failed to generate container spec: no command specified"};
  }
  const Status shared = share_processes(known, container, &start->order);
  if (!shared.ok()) return refused("CreateContainerConfigError", shared);
  const Owner owner =
      o.outside_ids > 0 ? Owner{outside_id(start->order, 0), outside_id(start->order, 0)} : Owner{};
  // A subPath that is not there is made, as a folder.
  for (const BindMount& mount : start->order.binds) {
    struct stat info{};
    if (stat(mount.source.c_str(), &info) == 0 || mount.source == log) continue;
    if (const Status s = make_folder(mount.source, 0755, volume_owner(pod)); !s.ok()) {
      return refused("CreateContainerError", s);
    }
  }
  Status made = make_folder(folder, 0755, owner);
  if (made.ok()) made = make_file(log, "", 0666, owner);
  if (!made.ok()) return refused("CreateContainerError", made);
  auto mounts = make_container_root(
      runtime_->tools(),
      {folder + "/root", image, owner, start->order.working_dir, start->order.binds});
  if (!mounts.ok()) return refused("CreateContainerError", mounts.status());
  start->order.binds = std::move(*mounts);
  const Status started = runtime_->start({known.pod.uid, wish.container}, std::move(*start),
                                         events_of(known.pod.uid, known.life, wish, log));
  if (!started.ok()) return refused("CreateContainerError", started);
  for (PodEvent& event : real_->ports.open(known.pod.uid, container, known.pod.place)) {
    executor_.post([this, uid = known.pod.uid, event = std::move(event)] {
      if (pods_.contains(uid)) events_.report(uid, event);
    });
  }
  return std::nullopt;  // its events tell
}

ContainerEvents PodRunner::events_of(const std::string& uid, std::uint64_t life, const Wish& wish,
                                     const std::string& log) {
  ContainerEvents events;
  events.on_started = [this, uid, life, wish] {
    tell(uid, life, wish, {.kind = Seen::Kind::kStarted});
  };
  // In turn with what is told, so that the first lines belong to the run that is told of.
  events.on_line = [this, uid, life, wish](std::string text, bool whole) {
    executor_.post([this, uid, life, name = wish.container,
                    line = LogLine{executor_.wall_now(), std::move(text), whole}] {
      if (lives(uid, life)) events_.print(uid, name, line);
    });
  };
  events.on_port_moved = [this, uid](int port) {
    const auto known = pods_.find(uid);
    if (known == pods_.end()) return;
    events_.report(
        uid,
        {false, "PortMoved",
         fmt::format("Port {} needs a privilege that kubelet-sim does not have: from outside of "
                     "pods it is at {}:{}",
                     port, known->second.pod.place.pod_ip,
                     moved_port(static_cast<std::uint16_t>(port))),
         ""});
  };
  events.on_end = [this, uid, life, wish, log](const ProcessEnd& end, bool out_of_memory) {
    if (end.broken) {
      return tell(
          uid, life, wish,
          {.kind = Seen::Kind::kBroken,
           .exit_code = 128,
           .reason = "StartError",
           .message = fmt::format(
               "failed to create containerd task: failed to create shim task: OCI runtime "
               "create failed: runc create failed: unable to start container process: error "
               "during container init: {}: unknown",
               end.why)});
    }
    tell(uid, life, wish,
         {.kind = Seen::Kind::kExited,
          .exit_code = end.exit_code,
          .reason = out_of_memory ? "OOMKilled" : "",
          .message = read_start(log, kTerminationMessageMax)});
  };
  return events;
}

void PodRunner::update(const std::string& uid, const client::ObjectPtr& object) {
  if (const auto known = pods_.find(uid); known != pods_.end()) known->second.pod.object = object;
}

void PodRunner::stop(const std::string& uid) {
  if (real_) real_->ports.close(uid);
  if (runtime_) runtime_->kill_pod(uid);
  pods_.erase(uid);
}

bool PodRunner::any_process(const std::string& uid) const {
  return runtime_ != nullptr && runtime_->runs_any(uid);
}

StorageUse PodRunner::storage_use(const std::string& uid) const {
  StorageUse use;
  const auto known = pods_.find(uid);
  if (runtime_ == nullptr || known == pods_.end()) return use;
  const json::value& pod = *known->second.pod.object;
  for (const json::value& container : get_array(pod, "spec.containers")) {
    const std::string name(get_string(container, "name"));
    use.containers[name] =
        disk_use(folder_of(uid) + "/containers/" + safe(name) + "/root", kFilesLookedAt);
  }
  for (const json::value& volume : get_array(pod, "spec.volumes")) {
    if (find(volume, "emptyDir") == nullptr) continue;
    const std::string name(get_string(volume, "name"));
    use.empty_dirs[name] = disk_use(folder_of(uid) + "/volumes/" + name, kFilesLookedAt);
  }
  return use;
}

void PodRunner::set_lag(const std::string& node, Duration lag) {
  lag > Duration(0) ? void(lags_[node] = lag) : void(lags_.erase(node));
}

void PodRunner::forget(const std::string& uid) {
  const bool known = pods_.contains(uid);
  stop(uid);
  if (!known || !runtime_) return;
  // Its mounts are in the namespaces of processes that are ending now.
  executor_.after(std::chrono::milliseconds(200),
                  [folder = folder_of(uid)] { remove_tree(folder); });
}

void PodRunner::forget_all_but(const std::set<std::string>& uids) {
  if (!runtime_) return;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(options_.root_dir + "/pods", error)) {
    if (!uids.contains(entry.path().filename())) remove_tree(entry.path());
  }
}

}  // namespace coracle::kubelet
