// Watch: one reactor a stream. The hub decides on the strand what each stream is sent, as bytes
// that streams share; the stream queues them and writes one after the other.
#include <grpcpp/support/proto_buffer_reader.h>

#include <deque>
#include <map>
#include <mutex>
#include <vector>

#include "base/rng.hpp"
#include "etcd/rpc.grpc.pb.h"
#include "server/services.hpp"
#include "server/unary.hpp"
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

// Keeps itself alive until gRPC is done with it.
class WatchStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                          public std::enable_shared_from_this<WatchStream> {
 public:
  WatchStream(Member& member, Streams& streams, mvcc::StreamId id, bool leader_needed)
      : member_(member), streams_(streams), id_(id), leader_needed_(leader_needed) {}

  void begin();
  mvcc::StreamId id() const { return id_; }
  bool leader_needed() const { return leader_needed_; }

  // On the strand. Of `response` only the id and the size are still of interest.
  void send(grpc::ByteBuffer bytes, const mvcc::WatchResponse& response) {
    std::lock_guard lock(mutex_);
    if (ending_) return;
    queue_.push_back({std::move(bytes), {response.watch_id, response.bytes}});
    if (!writing_) write_next_locked();
  }
  void end(const Status& status) {
    std::lock_guard lock(mutex_);
    if (ending_) return;
    ending_ = true;
    final_ = status;
    queue_.clear();
    if (!writing_) Finish(to_grpc(final_));
  }
  TimePoint next_progress;  // owned by the strand

 private:
  static constexpr size_t kQueueHigh = 1024;
  struct Consumed {
    std::int64_t watch_id = 0;
    size_t bytes = 0;
  };
  struct Item {
    grpc::ByteBuffer bytes;
    Consumed consumed;
  };

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override { self_.reset(); }

  // On the strand; if that has stopped, the stream ends.
  void on_strand(std::function<void()> work) {
    if (!member_.loop().post_unless_stopped(std::move(work))) end(err_stopped());
  }
  void close();
  void read_on();
  void handle(const pb::WatchRequest& request);

  void write_next_locked() {
    current_ = std::move(queue_.front());
    queue_.pop_front();
    writing_ = true;
    grpc::WriteOptions options;
    // With more to come, gRPC may gather several into one packet.
    if (!queue_.empty()) options.set_buffer_hint();
    StartWrite(&current_.bytes, options);
  }
  void report_consumed_locked();

  Member& member_;
  Streams& streams_;
  const mvcc::StreamId id_;
  const bool leader_needed_;
  std::shared_ptr<WatchStream> self_;
  grpc::ByteBuffer request_;  // of the read under way
  std::mutex mutex_;          // guards what follows; the strand and gRPC's threads meet here
  std::deque<Item> queue_;    // bounded by the hub (WatchLimits) and, for answers, by kQueueHigh
  bool reading_held_ = false;
  Item current_;
  std::vector<Consumed> consumed_;  // written, and the strand does not know yet
  bool writing_ = false;
  bool ending_ = false;
  Status final_;
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

void WatchStream::begin() {
  self_ = shared_from_this();
  on_strand([self = self_] {
    self->streams_.add(self);
    if (self->streams_.has(self->id_)) self->StartRead(&self->request_);
  });
}

void WatchStream::OnReadDone(bool ok) {
  // A client that has said all it wants to say still listens; one that went away is cancelled.
  if (!ok) return;
  on_strand([self = self_] {
    if (!self->streams_.has(self->id_)) return;
    pb::WatchRequest request;
    if (!grpc::SerializationTraits<pb::WatchRequest>::Deserialize(&self->request_, &request).ok()) {
      self->streams_.remove(self->id_);
      return self->end(internal_error("grpc: the request cannot be read"));
    }
    self->handle(request);
    self->read_on();
  });
}

// A client that only asks and does not take its answers is not read from.
void WatchStream::read_on() {
  std::lock_guard lock(mutex_);
  if (ending_) return;
  reading_held_ = queue_.size() >= kQueueHigh;
  if (!reading_held_) StartRead(&request_);
}

void WatchStream::handle(const pb::WatchRequest& request) {
  if (member_.machine().is_learner(member_.id())) return end(err_not_for_learner());
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

// Many writes may end before the strand looks.
void WatchStream::report_consumed_locked() {
  consumed_.push_back(current_.consumed);
  if (consumed_.size() > 1) return;  // it will look
  member_.loop().post([self = self_] {
    std::vector<Consumed> consumed;
    {
      std::lock_guard lock(self->mutex_);
      consumed.swap(self->consumed_);
    }
    if (!self->streams_.has(self->id_)) return;
    mvcc::WatchResponse response;
    for (const Consumed& item : consumed) {
      response.watch_id = item.watch_id;
      response.bytes = item.bytes;
      self->member_.hub().consumed(self->id_, response);
    }
  });
}

void WatchStream::OnWriteDone(bool ok) {
  std::lock_guard lock(mutex_);
  writing_ = false;
  report_consumed_locked();
  if (ending_) {
    Finish(to_grpc(final_));
  } else if (ok && !queue_.empty()) {
    write_next_locked();
    if (reading_held_ && queue_.size() < kQueueHigh / 2) {
      reading_held_ = false;
      StartRead(&request_);
    }
  }
}

void WatchStream::OnCancel() { close(); }

void WatchStream::close() {
  on_strand([self = shared_from_this()] {
    self->streams_.remove(self->id_);
    self->end({Code::kCancelled, "etcdserver: watch canceled"});
  });
}

class WatchService final : public pb::Watch::WithRawCallbackMethod_Watch<pb::Watch::Service> {
 public:
  explicit WatchService(Member& member) : member_(member), streams_(member) {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Watch(
      grpc::CallbackServerContext* context) override {
    const auto stream = std::make_shared<WatchStream>(
        member_, streams_, mvcc::StreamId(++last_stream_), requires_leader(*context));
    stream->begin();
    return stream.get();
  }

 private:
  Member& member_;
  Streams streams_;
  std::atomic<std::uint64_t> last_stream_{0};
};

}  // namespace

std::unique_ptr<grpc::Service> make_watch_service(Member& member) {
  return std::make_unique<WatchService>(member);
}

}  // namespace coracle::store
