#include "client_embedded/host.hpp"

#include <algorithm>

#include "member/errors.hpp"

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

KeyValue from_store(const mvcc::KeyValue& kv) {
  return {kv.key, kv.value, kv.create.value, kv.mod.value, kv.version, kv.lease.value};
}

std::vector<WatchEvent> from_store(const std::vector<mvcc::WatchEvent>& events) {
  std::vector<WatchEvent> out;
  out.reserve(events.size());
  for (const mvcc::WatchEvent& event : events) {
    WatchEvent& to = out.emplace_back();
    to.is_delete = event.event->type == mvcc::Event::Type::kDelete;
    to.kv = from_store(event.event->kv);
    to.has_previous = event.prev_kv != nullptr;
    if (to.has_previous) to.previous = from_store(*event.prev_kv);
  }
  return out;
}

Status why_canceled(const mvcc::WatchResponse& response) {
  if (response.compact_revision != Revision(0)) {
    return out_of_range("etcdserver: mvcc: required revision has been compacted");
  }
  return unavailable(response.cancel_reason.empty() ? "etcdserver: watch canceled"
                                                    : response.cancel_reason);
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
  store::MemberHooks& hooks = host->member_->hooks;
  hooks.deliver = [h = host.get()](mvcc::Deliveries all) { h->deliver(std::move(all)); };
  hooks.on_tick = [h = host.get()] {
    for (const auto& [id, open] : h->watches_) {
      if (open.progress_wanted) h->deliver(h->member_->hub().request_progress(id));
    }
  };
  hooks.on_stop = [h = host.get()] {
    while (!h->watches_.empty()) h->end(h->watches_.begin()->first, store::err_stopped());
  };
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

void Host::add_watch(mvcc::StreamId id, const WatchRequest& request,
                     std::shared_ptr<EmbeddedWatch> watch) {
  watches_[id].watch = std::move(watch);
  mvcc::WatchCreate create;
  create.key = request.key;
  create.range_end = request.range_end;
  create.start = Revision(request.start_revision);
  create.prev_kv = true;
  member_->hub().open_stream(id);
  deliver(member_->hub().create(id, create));
}

void Host::remove_watch(mvcc::StreamId id) {
  if (watches_.erase(id) > 0) member_->hub().close_stream(id);
}

void Host::want_progress(mvcc::StreamId id) {
  const auto found = watches_.find(id);
  if (found == watches_.end()) return;
  found->second.progress_wanted = true;  // a watch that is behind is asked again at each tick
  deliver(member_->hub().request_progress(id));
}

void Host::deliver(mvcc::Deliveries deliveries) {
  for (mvcc::Delivery& delivery : deliveries) {
    const auto found = watches_.find(delivery.stream);
    if (found == watches_.end()) continue;
    if (delivery.response.canceled) {
      end(delivery.stream, why_canceled(delivery.response));
    } else if (!delivery.response.created) {
      deliver_one(delivery.stream, found->second, std::move(delivery.response));
    }
  }
}

// The bytes count as consumed when the Executor's strand has taken them.
void Host::deliver_one(mvcc::StreamId id, OpenWatch& open, mvcc::WatchResponse response) {
  if (response.events.empty()) {
    open.progress_wanted = false;
    open.upto = std::max(open.upto, response.revision.value);
  } else {
    open.upto = std::max(open.upto, response.events.back().event->kv.mod.value);
  }
  executor_.post(
      [this, id, watch = open.watch, upto = open.upto, response = std::move(response)]() mutable {
        std::vector<WatchEvent> events = from_store(response.events);
        response.events.clear();
        if (!watch->open) return;
        post([this, id, response = std::move(response)] {
          if (watches_.contains(id)) member_->hub().consumed(id, response);
        });
        const auto on_events = watch->sink.on_events;
        if (on_events) on_events(std::move(events), upto);
      });
}

void Host::end(mvcc::StreamId id, const Status& status) {
  const auto node = watches_.extract(id);
  if (node.empty()) return;
  member_->hub().close_stream(id);
  executor_.post([watch = node.mapped().watch, status] {
    if (!std::exchange(watch->open, false)) return;
    const auto on_end = std::exchange(watch->sink, {}).on_end;
    if (on_end) on_end(status);
  });
}

}  // namespace coracle::client
