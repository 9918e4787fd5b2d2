#include "kubelet_driver/manifest_folder.hpp"

#include <filesystem>
#include <set>

#include "base/log.hpp"
#include "kubelet/static_pod.hpp"
#include "kubelet_runtime/files.hpp"

namespace coracle::kubelet {
namespace {

bool is_manifest(const std::filesystem::path& file) {
  const std::string end = file.extension();
  return !file.filename().string().starts_with(".") &&
         (end == ".yaml" || end == ".yml" || end == ".json");
}

}  // namespace

void ManifestFolder::start() { look(); }

void ManifestFolder::look() {
  std::map<std::string, std::string> found;
  const std::vector<std::string> nodes = pods_.nodes().names();
  if (nodes.size() == 1) {
    look_into(folder_, nodes.front(), &found);
  } else {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
      const std::string node = entry.path().filename();
      if (pods_.nodes().find(node) != nullptr) look_into(entry.path(), node, &found);
    }
  }
  std::set<std::string> there;
  for (const auto& [file, uid] : found) there.insert(uid);
  for (const auto& [file, uid] : known_) {
    if (!there.contains(uid)) pods_.end_static(uid);
  }
  known_ = std::move(found);
  timer_ = executor_.after(kEvery, [this] { look(); });
}

void ManifestFolder::look_into(const std::string& folder, const std::string& node,
                               std::map<std::string, std::string>* found) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (!is_manifest(entry.path()) || found->size() >= kFilesMax) continue;
    const std::string file = entry.path();
    auto pod = read_static_pod(read_start(file, kFileMax), entry.path().filename(), node);
    const std::string why = pod.ok() ? std::string() : pod.status().message();
    if (std::exchange(complaints_[file], why) != why && !why.empty()) {
      log::warn("{} is no static pod: {}", file, why);
    }
    if (!pod.ok()) continue;
    const std::string uid(get_string(*pod, "metadata.uid"));
    (*found)[file] = uid;
    const auto before = known_.find(file);
    if (before == known_.end() || before->second != uid) pods_.begin_static(*std::move(pod));
  }
}

}  // namespace coracle::kubelet
