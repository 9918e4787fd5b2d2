// PodStreams: exec, attach and port-forward of the pods of this process, over what really runs
// them. Strand: the executor's.
#pragma once

#include <memory>
#include <string>

#include "kubelet/streams.hpp"
#include "kubelet_driver/pod_manager.hpp"

namespace coracle::kubelet {

class PodStreams final : public ContainerStreams {
 public:
  explicit PodStreams(PodManager& pods) : pods_(pods) {}

  Result<std::unique_ptr<StreamSession>> exec(const ContainerRef& container, const ExecSpec& spec,
                                              std::shared_ptr<StreamSink> sink) override;
  Result<std::string> address_of(const std::string& ns, const std::string& pod) const override;

 private:
  PodManager& pods_;
};

}  // namespace coracle::kubelet
