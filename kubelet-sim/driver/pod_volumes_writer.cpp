// PodRunner: the volumes and files of a pod.
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/log.hpp"
#include "kubelet_driver/pod_runner.hpp"
#include "kubelet_runtime/volume_store.hpp"

namespace coracle::kubelet {
namespace {

constexpr Duration kRefreshEvery = std::chrono::seconds(10);

PodEvent failed_mount(std::string_view volume, const std::string& why) {
  return {true, "FailedMount",
          fmt::format("MountVolume.SetUp failed for volume \"{}\" : {}", volume, why), ""};
}

Status begin_node_root(const std::string& root, const std::string& node, Owner owner) {
  struct stat info{};
  const std::string hosts = root + "/etc/hosts";
  if (stat(hosts.c_str(), &info) == 0) return {};
  RETURN_IF_ERROR(make_folder(root + "/etc", 0755, owner));
  return make_file(hosts, "127.0.0.1\tlocalhost\n127.0.1.1\t" + node + "\n", 0644, owner);
}

}  // namespace

Owner PodRunner::volume_owner(const json::value& pod) const {
  if (!runtime_ || runtime_->options().outside_ids == 0) return {};
  const RuntimeOptions& o = runtime_->options();
  const std::int64_t group = fs_group(pod);
  const std::int64_t inside = group < 0 ? 0 : std::min(group, o.outside_ids);
  return {o.first_outside_id, o.first_outside_id + inside};
}

Status PodRunner::pod_files(const RunnerPod& pod) const {
  const std::string etc = folder_of(pod.uid) + "/etc";
  const Owner owner =
      runtime_->options().outside_ids > 0
          ? Owner{runtime_->options().first_outside_id, runtime_->options().first_outside_id}
          : Owner{};
  const std::string& node = pod.node->name;
  RETURN_IF_ERROR(make_folder(etc, 0755, owner));
  RETURN_IF_ERROR(make_file(
      etc + "/hosts", pod_hosts_file(*pod.object, pod.place, node, options_.dns), 0644, owner));
  ASSIGN_OR_RETURN(const std::string name, pod_kernel_name(*pod.object, node, options_.dns));
  RETURN_IF_ERROR(make_file(etc + "/hostname", name + "\n", 0644, owner));
  return make_file(etc + "/resolv.conf", pod_resolv_conf(*pod.object, options_.dns), 0644, owner);
}

Task<Seen> PodRunner::prepare(std::string uid) {
  const RunnerPod pod = pods_.at(uid).pod;
  Seen seen;
  const auto fail = [&](PodEvent event) {
    seen.kind = Seen::Kind::kNotPrepared;
    seen.message = event.message;
    seen.events.push_back(std::move(event));
  };
  bool real = false;
  for (const char* list : {"spec.containers", "spec.initContainers"}) {
    for (const json::value& c : get_array(*pod.object, list)) {
      real = real || kind_of(c) == ContainerKind::kReal;
    }
  }
  const auto name = pod_kernel_name(*pod.object, pod.node->name, options_.dns);
  if (!name.ok()) {
    fail({true, "FailedCreatePodSandBox",
          "Failed to create pod sandbox: " + name.status().message(), ""});
    co_return seen;
  }
  if (real) {
    // The folders above belong to us alone.
    Status made = make_folder(options_.root_dir + "/pods", 0711, {});
    if (made.ok()) made = make_folder(folder_of(uid), 0711, {});
    if (made.ok()) made = pod_files(pod);
    if (!made.ok()) fail({true, "FailedCreatePodSandBox", made.message(), ""});
  }
  const Status devices = co_await prepare_devices(uid);
  if (!pods_.contains(uid)) co_return seen;
  if (!devices.ok()) {
    fail({true, "FailedPrepareDynamicResources",
          "Failed to prepare dynamic resources: prepare dynamic resources: " + devices.message(),
          ""});
    co_return seen;
  }
  for (const json::value& volume : get_array(*pod.object, "spec.volumes")) {
    const std::string name(get_string(volume, "name"));
    if (!real && name.starts_with("kube-api-access-")) continue;
    auto folder = co_await prepare_volume(uid, volume);
    const auto known = pods_.find(uid);
    if (known == pods_.end()) co_return seen;
    if (!folder.ok()) {
      fail(failed_mount(name, folder.status().message()));
    } else {
      known->second.volumes[name] = std::move(*folder);
      known->second.has_file_volumes = known->second.has_file_volumes || is_file_volume(volume);
    }
  }
  co_return seen;
}

Task<Status> PodRunner::prepare_devices(std::string uid) {
  const client::ObjectPtr object = pods_.at(uid).pod.object;
  const json::value& pod = *object;
  DeviceClaims claims;
  for (const PodDeviceClaim& use : pod_device_claims(pod)) {
    json::value claim;
    if (!use.claim.empty()) {
      auto found = co_await sources_.device_claim(
          std::string(get_string(pod, "metadata.namespace")), use.claim);
      if (!found.ok()) co_return found.status();
      claim = std::move(*found);
    }
    const Status may = may_use_claim(pod, use, claim);
    if (!may.ok()) co_return may;
    claims[use.entry] = std::move(claim);
  }
  const auto known = pods_.find(uid);
  if (known != pods_.end()) known->second.devices = std::move(claims);
  co_return Status();
}

Task<Result<std::string>> PodRunner::prepare_volume(std::string uid, json::value volume) {
  const RunnerPod pod = pods_.at(uid).pod;
  const std::string folder = folder_of(uid) + "/volumes/" + std::string(get_string(volume, "name"));
  if (is_file_volume(volume)) {
    const auto written = co_await write_files(uid, volume);
    if (!written.ok()) co_return written.status();
    co_return folder;
  }
  if (const json::value* claim = find(volume, "persistentVolumeClaim")) {
    co_return co_await claim_folder(uid, std::string(get_string(*claim, "claimName")));
  }
  if (find(volume, "ephemeral") != nullptr) {
    co_return co_await claim_folder(
        uid,
        fmt::format("{}-{}", get_string(*pod.object, "metadata.name"), get_string(volume, "name")));
  }
  if (!runtime_) co_return folder;
  if (const json::value* host = find(volume, "hostPath")) co_return host_folder(pod, *host);
  // emptyDir; other kinds have no server here and are empty folders too.
  const bool group = fs_group(*pod.object) >= 0;
  const Status made = make_folder(folder, group ? 02777 : 0777, volume_owner(*pod.object));
  if (!made.ok()) co_return made;
  co_return folder;
}

// The node's file system as far as pods see it: a folder of the lab for each node, with a hosts
// file.
Result<std::string> PodRunner::host_folder(const RunnerPod& pod,
                                           const json::value& host_path) const {
  const std::string path(get_string(host_path, "path"));
  const std::string_view type = get_string(host_path, "type");
  if (!stays_inside(path)) return failed_precondition("path must not contain '..'");
  const std::string root = options_.root_dir + "/nodes/" + pod.node->name;
  const std::string full = root + "/" + path;
  const Owner owner = volume_owner(*pod.object);
  RETURN_IF_ERROR(begin_node_root(root, pod.node->name, owner));
  struct stat info{};
  const bool there = stat(full.c_str(), &info) == 0;
  if (type == "Directory" && !(there && S_ISDIR(info.st_mode))) {
    return failed_precondition(
        fmt::format("hostPath type check failed: {} is not a directory", path));
  }
  if (type == "File" && !(there && S_ISREG(info.st_mode))) {
    return failed_precondition(fmt::format("hostPath type check failed: {} is not a file", path));
  }
  if (there) return full;
  if (type == "FileOrCreate") {
    RETURN_IF_ERROR(make_file(full, "", 0644, owner));
  } else {
    RETURN_IF_ERROR(make_folder(full, 0755, owner));
  }
  return full;
}

Task<Result<std::string>> PodRunner::claim_folder(std::string uid, std::string claim) {
  const RunnerPod pod = pods_.at(uid).pod;
  const auto volume = co_await sources_.volume_of_claim(
      std::string(get_string(*pod.object, "metadata.namespace")), claim);
  if (!volume.ok()) co_return volume.status();
  if (!runtime_) co_return std::string();
  if (const json::value* host = find(*volume, "spec.hostPath")) co_return host_folder(pod, *host);
  const std::string folder =
      options_.root_dir + "/volumes/" + std::string(get_string(*volume, "metadata.name"));
  const Status made = make_folder(folder, 0777, volume_owner(*pod.object));
  if (!made.ok()) co_return made;
  co_return folder;
}

// Whether anything was written.
Task<Result<bool>> PodRunner::write_files(std::string uid, json::value volume) {
  const RunnerPod pod = pods_.at(uid).pod;
  const std::string name(get_string(volume, "name"));
  const std::string ns(get_string(*pod.object, "metadata.namespace"));
  const auto sources =
      co_await sources_.fetch(ns, volume_sources(volume), false, pods_.at(uid).since);
  if (!sources.ok()) co_return sources.status();
  auto content = volume_content({*pod.object,
                                 volume,
                                 pod.place,
                                 {pod.node->cpu, pod.node->memory, pod.node->ephemeral_storage},
                                 *sources});
  if (!content.ok()) co_return content.status();
  if (!runtime_) co_return false;
  for (const TokenWanted& wanted : content->tokens) {
    auto known = pods_.find(uid);
    if (known == pods_.end()) co_return false;
    const std::string key = name + "/" + wanted.path;
    const auto kept = known->second.tokens.find(key);
    const auto left = std::chrono::seconds(wanted.expiration_seconds / 5);
    if (kept == known->second.tokens.end() || kept->second.expires - executor_.wall_now() < left) {
      auto token = co_await sources_.token(
          ns, std::string(get_string(*pod.object, "spec.serviceAccountName", "default")),
          *pod.object, wanted);
      if (!token.ok()) co_return token.status();
      known = pods_.find(uid);
      if (known == pods_.end()) co_return false;
      known->second.tokens[key] = std::move(*token);
    }
    content->files.push_back({wanted.path, pods_.at(uid).tokens.at(key).text, wanted.mode});
  }
  co_return write_volume(
      folder_of(uid) + "/volumes/" + name, content->files, volume_owner(*pod.object),
      fs_group(*pod.object) >= 0,
      fmt::format("{}_{}", executor_.wall_now().time_since_epoch().count(), ++stamps_));
}

void PodRunner::refresh() {
  for (const auto& [uid, known] : pods_) {
    if (known.has_file_volumes) spawn<bool>(refresh_pod(uid), [](bool) {});
  }
  refresh_timer_ = executor_.after(kRefreshEvery, [this] { refresh(); });
}

Task<bool> PodRunner::refresh_pod(std::string uid) {
  const RunnerPod pod = pods_.at(uid).pod;
  for (const json::value& volume : get_array(*pod.object, "spec.volumes")) {
    if (!is_file_volume(volume) || !pods_.contains(uid)) continue;
    const auto written = co_await write_files(uid, volume);
    if (!written.ok()) {
      log::debug("volume {} of pod {}: {}", get_string(volume, "name"), uid,
                 written.status().message());
    }
  }
  co_return true;
}

}  // namespace coracle::kubelet
