// Aggregator: makes APIService objects true: tells which can be reached, answers for their group
// versions by asking their servers, puts what these serve into discovery, and registers custom
// kinds.
//
// Thread: apiserver strand. Every apiserver runs one; several decide alike, and writes are guarded.
// One pass at a time: kSettle after a change, and every kEvery; a change during a pass asks for
// another.
#pragma once

#include <functional>
#include <memory>
#include <set>

#include "apiserver/aggregation/availability.hpp"
#include "apiserver/registry/registry.hpp"

namespace coracle::apiserver {

class Aggregator {
 public:
  static constexpr Duration kSettle = std::chrono::milliseconds(50);
  static constexpr Duration kEvery = std::chrono::seconds(30);

  // `found` is given what other servers serve when that has changed. `remote` may be null. All
  // outlive this.
  using Found = std::function<void(const std::vector<RemoteDiscovery>&)>;
  Aggregator(Machinery& machinery, Registry& registry, RemotePort* remote, Found found);
  ~Aggregator();

  // Once the caches are filled. stop() is final.
  void start();
  void stop();

  // Whether another server answers this request; then the exchange is its, or the answer says why
  // it cannot.
  using MaybeReply = Outcome<std::optional<net::Response>>;
  bool owns(const RequestInfo& info);
  MaybeReply proxy(Context& c);

 private:
  // Wakes the aggregator for events it should look at.
  struct Listener final : WatchClient {
    std::function<void(const EventPtr&)> heard;
    void on_event(const EventPtr& event) override { heard(event); }
  };

  const RemoteVersion* owner_of(const RequestInfo& info);
  void listen(std::string_view prefix, Listener& listener);
  bool is_behind_service(const ObjectPtr& object);
  void wake();
  void wake_at(Duration delay);
  Task<bool> run();
  Task<bool> register_custom();
  Task<bool> check_all();
  Task<bool> discover_all();
  Task<bool> write_condition(std::string name, AvailableCondition condition);
  std::map<std::string, json::value> services() const;

  Machinery& m_;
  Registry& registry_;
  RemotePort* const remote_;
  const Found found_;
  const api::ResourceInfo *const kind_, *const definitions_;
  ApiServices table_;
  Availability availability_;
  Listener any_, services_;
  std::vector<std::pair<ResourceCache*, ResourceCache::WatcherId>> watches_;
  std::vector<RemoteDiscovery> known_;
  std::vector<std::string> builtin_;  // names of APIServices of our own groups
  bool running_ = false, again_ = false, stopped_ = false;
  Executor::TimerId timer_ = 0;
  TimePoint due_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace coracle::apiserver
