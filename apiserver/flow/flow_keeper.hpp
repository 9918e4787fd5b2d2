// FlowKeeper: tells FlowControl of every change of FlowSchemas and PriorityLevelConfigurations, and
// keeps those objects up: what is missing of the default ones is made again, the mandatory and
// those under `apf.kubernetes.io/autoupdate-spec: "true"` get their specs back, and every
// FlowSchema says in its condition Dangling whether its priority level is there.
//
// Thread: apiserver strand. Looks after each change and every kEvery; several servers may do it.
#pragma once

#include <memory>

#include "apiserver/cache/resource_cache.hpp"
#include "apiserver/flow/flow_control.hpp"
#include "apiserver/registry/registry.hpp"

namespace coracle::apiserver {

inline constexpr std::string_view kFlowAutoUpdate = "apf.kubernetes.io/autoupdate-spec";

class FlowKeeper final : public WatchClient {
 public:
  static constexpr Duration kEvery = std::chrono::minutes(1);

  FlowKeeper(Machinery& machinery, Registry& registry, FlowControl& flow)
      : m_(machinery), registry_(registry), flow_(flow) {}
  ~FlowKeeper() override { stop(); }

  // The caches are filled.
  void start();
  void stop();
  void on_event(const EventPtr& event) override;

 private:
  struct Kind {
    const api::ResourceInfo* info = nullptr;
    ResourceCache* cache = nullptr;  // null in a smaller catalog (tests)
    ResourceCache::WatcherId watcher = 0;
    std::vector<json::value> objects() const;
  };
  void watch(Kind& kind, const char* plural);
  void schedule(Duration delay);
  void reload();
  Task<bool> keep();
  Task<Status> keep_default(json::value wanted);
  Task<Status> keep_condition(json::value schema);

  Machinery& m_;
  Registry& registry_;
  FlowControl& flow_;
  Kind schemas_, levels_;
  bool started_ = false, reloading_ = false, keeping_ = false;
  Executor::TimerId timer_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// The condition Dangling of a FlowSchema, at the time of its last change.
json::value dangling_condition(std::string_view level, bool there, WallTime since);

}  // namespace coracle::apiserver
