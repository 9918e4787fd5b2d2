// CustomKinds: makes CustomResourceDefinitions true: settles their names and conditions, gives each
// established one a watch cache and a place in the live catalog, and on deletion removes the
// objects before the definition.
//
// Thread: apiserver strand. Every apiserver runs one on the definitions of its own cache; several
// decide alike, and writes are guarded. One pass at a time; a change during a pass asks for
// another.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "api/custom_kind.hpp"
#include "apiserver/cache/feed.hpp"
#include "apiserver/registry/registry.hpp"

namespace coracle::apiserver {

class CustomKinds final : public WatchClient {
 public:
  // What did not work is tried again after kRetry, then twice as late each time.
  static constexpr Duration kRetry = std::chrono::milliseconds(200);
  static constexpr Duration kRetryMax = std::chrono::seconds(5);

  // `changed` is called after the catalog changed. All outlive this.
  // `rules`: who runs the rules in schemas, or nullptr.
  CustomKinds(Machinery& machinery, api::Catalog& catalog, Registry& registry,
              api::CustomRules rules, std::function<void()> changed);
  ~CustomKinds() override;

  // Once the caches are filled. stop() is final.
  void start();
  void stop();
  // What was established is served. Objects of deleted definitions may take their time to go.
  bool settled() const { return settled_; }
  std::size_t size() const { return live_.size(); }

  void on_event(const EventPtr& event) override;

 private:
  struct Live {
    std::string fingerprint;  // of what it was compiled from
    std::shared_ptr<const api::CustomKind> kind;
    std::shared_ptr<ResourceCache> cache;
  };
  using Definitions = std::map<std::string, json::value>;

  void wake();
  void wake_later();
  Task<bool> run();
  Task<bool> pass();
  Definitions read() const;
  Task<bool> settle_names(Definitions& definitions);
  Task<bool> serve(const Definitions& definitions);
  Task<bool> make_live(const std::string& name, const json::value& definition);
  Task<bool> clean(const json::value& definition);
  Task<bool> remove_objects(const Live& live);
  Task<bool> write_status(std::string name, std::function<void(json::value&)> change);
  void publish();

  Machinery& m_;
  api::Catalog& catalog_;
  Registry& registry_;
  const api::CustomRules rules_;
  const std::function<void()> changed_;
  const api::ResourceInfo* const definitions_;
  ResourceCache* cache_ = nullptr;
  ResourceCache::WatcherId watcher_ = 0;
  std::map<std::string, Live> live_;
  std::map<std::string, std::string> broken_;  // definitions that do not compile: fingerprints
  bool running_ = false, again_ = false, settled_ = false, stopped_ = false;
  bool later_ = false;
  Duration retry_ = kRetry;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace coracle::apiserver
