// Watch: the hub decides what each stream is sent, as bytes that streams share; it learns when they
// are on their way.
#include <deque>
#include <map>
#include <vector>

#include "base/rng.hpp"
#include "etcd/rpc.pb.h"
#include "server/calls.hpp"
#include "server/services.hpp"
#include "server/watch_wire.hpp"

namespace coracle::store {
namespace {

mvcc::WatchCreate from_wire(const pb::WatchCreateRequest& in) {
  mvcc::WatchCreate out;
  out.key = in.key();
  out.range_end = in.range_end();
  out.start = Revision(in.start_revision());
  out.progress_notify = in.progress_notify();
  out.prev_kv = in.prev_kv();
  out.fragment = in.fragment();
  out.watch_id = in.watch_id();
  for (const int filter : in.filters()) {
    if (filter == pb::WatchCreateRequest::NOPUT) out.no_put = true;
    if (filter == pb::WatchCreateRequest::NODELETE) out.no_delete = true;
  }
  return out;
}

class Streams;

class WatchStream final : public net::GrpcServerStream {
 public:
  WatchStream(Member& member, Streams& streams, mvcc::StreamId id,
              std::shared_ptr<net::GrpcReply> reply)
      : member_(member), streams_(streams), id_(id), reply_(std::move(reply)) {}

  mvcc::StreamId id() const { return id_; }
  bool leader_needed() const { return requires_leader(*reply_); }

  // Of `response` only the id and the size are still of interest.
  void send(net::GrpcMessage message, const mvcc::WatchResponse& response) {
    if (reply_->over()) return;
    queue_.push_back({response.watch_id, response.bytes});
    reply_->send(std::move(message));
  }
  void end(const Status& status) { reply_->finish(status); }

  void on_message(std::string message) override;
  void on_sent(std::size_t messages) override;
  void on_gone() override;
  TimePoint next_progress;

 private:
  static constexpr std::size_t kQueueHigh = 1024, kHeldMax = 100'000;
  struct Queued {
    std::int64_t watch_id = 0;
    std::size_t bytes = 0;
  };

  void handle(const std::string& message);
  void give_up(const Status& status);

  Member& member_;
  Streams& streams_;
  const mvcc::StreamId id_;
  const std::shared_ptr<net::GrpcReply> reply_;
  // Not on their way yet. Bounded by the hub (WatchLimits) and, for answers, by kQueueHigh.
  std::deque<Queued> queue_;
  // Asked before the answers to earlier questions were on their way.
  std::deque<std::string> held_;
};

// All streams of the member. Owned by the strand.
class Streams {
 public:
  explicit Streams(Member& member) : member_(member), rng_(secure_random_seed()) {
    member.hooks.deliver = [this](mvcc::Deliveries deliveries) { deliver(std::move(deliveries)); };
    member.hooks.on_tick = [this] { tick(); };
    member.hooks.on_stop = [this] {
      for (auto& [id, stream] : std::exchange(streams_, {})) stream->end(err_stopped());
    };
  }

  void add(std::shared_ptr<WatchStream> stream) {
    if (member_.machine().is_learner(member_.id())) return stream->end(err_not_for_learner());
    if (stream->leader_needed() && member_.core().leader() == NodeId(0)) {
      stream->end(err_no_leader());
      return;
    }
    member_.hub().open_stream(stream->id());
    plan_progress(*stream);
    streams_.emplace(stream->id(), std::move(stream));
  }

  void remove(mvcc::StreamId id) {
    if (streams_.erase(id) > 0) member_.hub().close_stream(id);
  }

  bool has(mvcc::StreamId id) const { return streams_.contains(id); }

  void deliver(mvcc::Deliveries deliveries) {
    pb::ResponseHeader header;
    header.set_cluster_id(member_.identity().cluster);
    header.set_member_id(member_.identity().member);
    header.set_raft_term(member_.core().term().value);
    for (mvcc::Delivery& delivery : deliveries) {
      const auto found = streams_.find(delivery.stream);
      if (found == streams_.end()) continue;
      if (delivery.response.may_fragment) {
        for (const auto& part : mvcc::fragment_response(std::move(delivery.response))) {
          found->second->send(wire_.encode(part, header), part);
        }
      } else {
        found->second->send(wire_.encode(delivery.response, header), delivery.response);
      }
    }
    wire_.forget();
  }

 private:
  // Up to 10 % apart, so that many streams do not all report at once.
  void plan_progress(WatchStream& stream) {
    const Duration interval = member_.options().progress_interval;
    stream.next_progress =
        member_.loop().now() + interval + Duration(rng_.between(0, interval.count() / 10));
  }

  void tick() {
    const TimePoint now = member_.loop().now();
    const bool cut = member_.long_without_leader();
    std::vector<std::shared_ptr<WatchStream>> lost;
    for (auto& [id, stream] : streams_) {
      if (cut && stream->leader_needed()) lost.push_back(stream);
      if (stream->next_progress > now) continue;
      plan_progress(*stream);
      deliver(member_.hub().progress_tick(id));
    }
    for (const auto& stream : lost) {
      remove(stream->id());
      stream->end(err_no_leader());
    }
  }

  Member& member_;
  Rng rng_;
  WatchWire wire_;
  std::map<mvcc::StreamId, std::shared_ptr<WatchStream>> streams_;
};

void WatchStream::give_up(const Status& status) {
  streams_.remove(id_);
  end(status);
}

void WatchStream::on_message(std::string message) {
  if (held_.empty() && queue_.size() < kQueueHigh) return handle(message);
  held_.push_back(std::move(message));
  if (held_.size() > kHeldMax) give_up(err_too_many_requests());
}

void WatchStream::handle(const std::string& message) {
  if (!streams_.has(id_)) return;
  pb::WatchRequest request;
  if (!request.ParseFromString(message)) return give_up(err_unreadable());
  if (member_.machine().is_learner(member_.id())) return give_up(err_not_for_learner());
  mvcc::WatchHub& hub = member_.hub();
  switch (request.request_union_case()) {
    case pb::WatchRequest::kCreateRequest:
      streams_.deliver(hub.create(id_, from_wire(request.create_request())));
      break;
    case pb::WatchRequest::kCancelRequest:
      streams_.deliver(hub.cancel(id_, request.cancel_request().watch_id()));
      break;
    case pb::WatchRequest::kProgressRequest:
      streams_.deliver(hub.request_progress(id_));
      break;
    case pb::WatchRequest::REQUEST_UNION_NOT_SET:
      break;
  }
}

void WatchStream::on_sent(std::size_t messages) {
  for (; messages > 0 && !queue_.empty(); --messages) {
    mvcc::WatchResponse response;
    response.watch_id = queue_.front().watch_id;
    response.bytes = queue_.front().bytes;
    queue_.pop_front();
    if (streams_.has(id_)) member_.hub().consumed(id_, response);
  }
  while (!held_.empty() && queue_.size() < kQueueHigh) {
    const std::string message = std::move(held_.front());
    held_.pop_front();
    handle(message);
  }
}

void WatchStream::on_gone() {
  streams_.remove(id_);
  queue_.clear();
  held_.clear();
}

class WatchService final : public ClientService {
 public:
  WatchService(Member& member, net::GrpcServer& server) : member_(member), streams_(member) {
    server.add_stream("/etcdserverpb.Watch/Watch", [this](std::shared_ptr<net::GrpcReply> reply) {
      const auto stream = std::make_shared<WatchStream>(
          member_, streams_, mvcc::StreamId(++last_stream_), std::move(reply));
      streams_.add(stream);
      return stream;
    });
  }

 private:
  Member& member_;
  Streams streams_;
  std::uint64_t last_stream_ = 0;
};

}  // namespace

std::unique_ptr<ClientService> make_watch_service(Member& member, net::GrpcServer& server) {
  return std::make_unique<WatchService>(member, server);
}

}  // namespace coracle::store
