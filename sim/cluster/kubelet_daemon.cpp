// A node: one kubelet on a machine of its own, its containers scripted.
#include <fmt/format.h>

#include "cluster_sim/daemon.hpp"
#include "kubelet_driver/node_agent.hpp"
#include "kubelet_driver/node_keeper.hpp"
#include "kubelet_driver/pod_manager.hpp"
#include "kubelet_driver/pod_runner.hpp"

namespace coracle::cluster_sim {
namespace {

constexpr std::uint32_t kPodsOfNode = 256;  // addresses
constexpr std::uint32_t kFirstNode = 127u << 24 | 32u << 16, kFirstPod = 127u << 24 | 128u << 16;

std::string address(std::uint32_t a) {
  return fmt::format("{}.{}.{}.{}", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

class KubeletDaemon final : public Daemon {
 public:
  KubeletDaemon(Site& site, Machine& machine, Rng rng, const WorldOptions& options,
                std::size_t index)
      : Daemon(site, machine, rng), options_(options), facts_(options.nodes[index]) {
    // So that thousands of nodes have ranges of their own; more share them.
    const auto number = static_cast<std::uint32_t>(index % 32'000);
    if (facts_.internal_ip.empty()) facts_.internal_ip = address(kFirstNode + number + 1);
    pods_from_ = address(kFirstPod + number * kPodsOfNode);
  }
  ~KubeletDaemon() override { end(); }

  bool ready() const override { return pods_ && pods_->has_synced() && nodes_->registered() == 1; }

 private:
  void begin() override {
    api_ = make_api("system:node:" + facts_.name, {"system:nodes"});
    nodes_ = std::make_unique<kubelet::NodeAgent>(
        strand(), *api_, rng_.split(), std::vector<kubelet::NodeFacts>{facts_},
        kubelet::NodePace{options_.kubelet.lease_duration, options_.kubelet.status_every,
                          options_.kubelet.watch});
    kubelet::RunnerOptions scripted;
    scripted.mode = kubelet::RuntimeMode::kScripted;
    runner_ = std::make_unique<kubelet::PodRunner>(static_cast<Executor&>(strand()), *api_,
                                                   options_.images, std::move(scripted));
    pods_ = std::make_unique<kubelet::PodManager>(
        strand(), *api_, rng_.split(), *nodes_, options_.images, *runner_,
        kubelet::PodManagerOptions{pods_from_, kPodsOfNode, options_.kubelet.watch,
                                   options_.kubelet.events});
    keeper_ = std::make_unique<kubelet::NodeKeeper>(strand(), *api_, *nodes_, *pods_,
                                                    kubelet::ShutdownGrace{},
                                                    options_.kubelet.eviction_every);
    nodes_->start();
    pods_->start();
    keeper_->start();
  }
  void end() override {
    if (api_) api_->drop_calls();
    keeper_.reset();
    pods_.reset();
    runner_.reset();
    nodes_.reset();
    api_.reset();
  }

  const WorldOptions& options_;
  kubelet::NodeFacts facts_;
  std::string pods_from_;
  std::unique_ptr<SimApi> api_;
  std::unique_ptr<kubelet::NodeAgent> nodes_;
  std::unique_ptr<kubelet::PodRunner> runner_;
  std::unique_ptr<kubelet::PodManager> pods_;
  std::unique_ptr<kubelet::NodeKeeper> keeper_;
};

}  // namespace

std::unique_ptr<Daemon> make_kubelet(Site& site, Machine& machine, Rng rng,
                                     const WorldOptions& options, std::size_t index) {
  return std::make_unique<KubeletDaemon>(site, machine, rng, options, index);
}

}  // namespace coracle::cluster_sim
