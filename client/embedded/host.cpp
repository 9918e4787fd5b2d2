#include "client_embedded/host.hpp"

#include <utility>

namespace coracle::client {
namespace {

// The names a kvstore would be started with to open the same folder.
constexpr const char* kName = "embedded";
constexpr const char* kPeerUrl = "http://localhost:2380";
constexpr const char* kClientUrl = "http://localhost:2379";

store::MemberConfig config_of(const EmbeddedStoreOptions& options) {
  store::MemberConfig config;
  config.name = kName;
  config.data_dir = options.data_dir;
  config.advertise_client = {kClientUrl};
  config.advertise_peer = {kPeerUrl};
  config.initial_cluster = {{kName, {kPeerUrl}}};
  config.quota_bytes = options.quota_bytes;
  return config;
}

}  // namespace

Host::Host(Executor& executor, const EmbeddedStoreOptions& options)
    : executor_(executor), folder_(options.data_dir, loop_), rng_(secure_random_seed()) {}

Result<std::shared_ptr<Host>> Host::open(Executor& executor, const EmbeddedStoreOptions& options) {
  std::shared_ptr<Host> host(new Host(executor, options));
  ASSIGN_OR_RETURN(host->member_, store::Member::open(config_of(options),
                                                      {host->loop_, host->folder_, host->no_peers_,
                                                       host->rng_.next(),
                                                       [loop = &host->loop_] { loop->stop(); }}));
  host->desk_.emplace(*host->member_, host->rng_.split(), false);
  return host;
}

Host::~Host() { stop(); }

void Host::start() {
  thread_ = std::thread([this] {
    member_->start();
    loop_.run([this] { member_->end_of_turn(); });
    member_->finish();
  });
}

void Host::stop() {
  if (!thread_.joinable()) return;
  loop_.post([this] { member_->stop_gracefully(); });
  thread_.join();
}

// The bytes count as consumed when the Executor's strand has taken them.
void Host::add_watch(mvcc::StreamId id, const WatchRequest& request,
                     std::shared_ptr<EmbeddedWatch> watch) {
  MemberDesk::WatchTold told;
  told.on_events = [this, id, watch](mvcc::WatchResponse response, std::int64_t upto) {
    executor_.post([this, id, watch, upto, response = std::move(response)]() mutable {
      std::vector<WatchEvent> events = from_store(response.events);
      response.events.clear();
      if (!watch->open) return;
      post([this, id, response = std::move(response)] { desk_->consumed(id, response); });
      const auto on_events = watch->sink.on_events;
      if (on_events) on_events(std::move(events), upto);
    });
  };
  told.on_end = [this, watch](const Status& status) {
    executor_.post([watch, status] {
      if (!std::exchange(watch->open, false)) return;
      const auto on_end = std::exchange(watch->sink, {}).on_end;
      if (on_end) on_end(status);
    });
  };
  desk_->add_watch(id, request, std::move(told));
}

}  // namespace coracle::client
