// ManifestFolder: reads the static pods of a folder again and again: FOLDER/*.yaml, *.yml, *.json
// for a process of one node, FOLDER/NODE/... for each node of one of several.
//
// Strand: the executor's. Bound: kFilesMax files of kFileMax bytes; more are not read.
#pragma once

#include <map>
#include <string>

#include "base/executor.hpp"
#include "kubelet_driver/pod_manager.hpp"

namespace coracle::kubelet {

class ManifestFolder {
 public:
  static constexpr Duration kEvery = std::chrono::seconds(2);
  static constexpr size_t kFilesMax = 1000, kFileMax = 1u << 20;

  // All must outlive it.
  ManifestFolder(Executor& executor, PodManager& pods, std::string folder)
      : executor_(executor), pods_(pods), folder_(std::move(folder)) {}
  ~ManifestFolder() { executor_.cancel(timer_); }
  // The first look at once.
  void start();

 private:
  void look();
  void look_into(const std::string& folder, const std::string& node,
                 std::map<std::string, std::string>* found);

  Executor& executor_;
  PodManager& pods_;
  const std::string folder_;
  std::map<std::string, std::string> known_;       // uid by file
  std::map<std::string, std::string> complaints_;  // by file: told once
  Executor::TimerId timer_ = 0;
};

}  // namespace coracle::kubelet
