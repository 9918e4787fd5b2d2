#include "server/peer_transport.hpp"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <optional>

#include "base/log.hpp"
#include "grpc_tls/credentials.hpp"
#include "member/errors.hpp"
#include "member/peer_codec.hpp"
#include "raft/peer.grpc.pb.h"
#include "server/options.hpp"

namespace coracle::store {
namespace {

constexpr size_t kEnvelopeBytesMax = 4 << 20;

using Credentials = std::shared_ptr<grpc::ChannelCredentials>;

std::shared_ptr<grpc::Channel> make_channel(const std::string& url,
                                            const Credentials& credentials) {
  grpc::ChannelArguments args;
  // gRPC waits a second and more between attempts; an election takes less.
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 50);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100);
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 5000);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 3000);
  args.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(target_of(url).value(), credentials, args);
}

}  // namespace

// The stream to one peer. A reactor lives from its start to OnDone; the link outlives it.
class PeerTransport::Link : public std::enable_shared_from_this<Link> {
 public:
  // One way to the peer.
  struct Way {
    std::string url;
    std::shared_ptr<grpc::Channel> channel;
    std::unique_ptr<Peer::Stub> stub;
  };

  // REQUIRES `ways` is not empty.
  Link(const disk::Identity& self, std::vector<std::string> own_urls, NodeId peer,
       std::vector<Way> ways, OnLost on_lost, std::function<void()> on_removed)
      : self_(self),
        own_urls_(std::move(own_urls)),
        peer_(peer),
        on_lost_(std::move(on_lost)),
        on_removed_(std::move(on_removed)),
        ways_(std::move(ways)) {}

  bool goes_to(const std::vector<std::string>& urls) const {
    return std::equal(ways_.begin(), ways_.end(), urls.begin(), urls.end(),
                      [](const Way& way, const std::string& url) { return way.url == url; });
  }
  std::shared_ptr<grpc::Channel> channel() {
    std::lock_guard lock(mutex_);
    return ways_[at_].channel;
  }

  void queue(Message message) {
    std::lock_guard lock(mutex_);
    const size_t bytes = message.ByteSizeLong();
    if (stopped_) return;
    if (queue_.size() >= kQueueMessagesMax || queued_bytes_ + bytes > kQueueBytesMax) return;
    queued_bytes_ += bytes;
    queue_.push_back(std::move(message));
  }

  // What was queued leaves together: an envelope costs far more than a message in it.
  void flush() {
    std::lock_guard lock(mutex_);
    if (queue_.empty() || stopped_) return;
    if (!stream_) {
      if (real_clock().now() < retry_at_) {
        queue_.clear();
        queued_bytes_ = 0;
        return;
      }
      start_locked();
    }
    maybe_write_locked();
  }

  void stop() {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    if (!stream_) return;
    if (writing_) {
      stream_->context.TryCancel();  // written(false) does the rest
    } else {
      drop_locked();
    }
  }

 private:
  struct Stream final : grpc::ClientWriteReactor<Envelope> {
    explicit Stream(std::shared_ptr<Link> owner) : link(std::move(owner)) {}
    void OnWriteDone(bool ok) override { link->written(ok); }
    void OnDone(const grpc::Status& status) override {
      link->ended(status);
      delete this;
    }
    std::shared_ptr<Link> link;
    grpc::ClientContext context;
    Envelope envelope;
    DeliverReply reply;
  };

  void start_locked() {
    stream_ = new Stream(shared_from_this());  // deleted in OnDone
    greeted_ = false;
    ways_[at_].stub->async()->Deliver(&stream_->context, &stream_->reply, stream_);
    stream_->AddHold();  // writes are started from the strand, outside a reaction
    stream_->StartCall();
  }

  void maybe_write_locked() {
    if (writing_ || broken_ || queue_.empty()) return;
    Envelope& envelope = stream_->envelope;
    envelope.Clear();
    envelope.set_cluster(self_.cluster);
    envelope.set_to(peer_.value);
    envelope.set_from(self_.member);
    if (!std::exchange(greeted_, true)) {
      for (const std::string& url : own_urls_) envelope.add_from_urls(url);
    }
    size_t bytes = 0;
    while (!queue_.empty() && bytes < kEnvelopeBytesMax) {
      bytes += queue_.front().ByteSizeLong();
      *envelope.add_messages() = std::move(queue_.front());
      queue_.pop_front();
    }
    queued_bytes_ -= std::min(queued_bytes_, bytes);
    writing_ = true;
    stream_->StartWrite(&envelope);
  }

  void written(bool ok) {
    std::lock_guard lock(mutex_);
    writing_ = false;
    if (ok && !stopped_) {
      maybe_write_locked();
      return;
    }
    drop_locked();
  }

  // The stream is dead or must die: the hold goes, so that OnDone can come.
  void drop_locked() {
    if (broken_) return;
    broken_ = true;
    queue_.clear();
    queued_bytes_ = 0;
    stream_->context.TryCancel();
    stream_->RemoveHold();
  }

  void ended(const grpc::Status& status) {
    std::lock_guard lock(mutex_);
    if (status.error_message() == err_removed().message()) on_removed_();
    if (status.error_code() == grpc::StatusCode::FAILED_PRECONDITION && !complained_) {
      complained_ = true;
      log::error("peer {:x} at {} refuses us: {}", peer_.value, ways_[at_].url,
                 status.error_message());
    }
    if (!status.ok()) at_ = (at_ + 1) % ways_.size();
    stream_ = nullptr;
    writing_ = broken_ = false;
    queue_.clear();
    queued_bytes_ = 0;
    retry_at_ = real_clock().now() + kRetryAfter;
    if (!stopped_) on_lost_(peer_);
  }

  const disk::Identity self_;
  const std::vector<std::string> own_urls_;
  const NodeId peer_;
  const OnLost on_lost_;
  const std::function<void()> on_removed_;
  const std::vector<Way> ways_;
  std::mutex mutex_;  // guards what follows; the strand and gRPC's threads meet here
  Stream* stream_ = nullptr;
  size_t at_ = 0;  // the way that is tried
  bool greeted_ = false;
  bool writing_ = false;
  bool broken_ = false;
  bool stopped_ = false;
  bool complained_ = false;
  TimePoint retry_at_;
  std::deque<Message> queue_;
  size_t queued_bytes_ = 0;
};

PeerTransport::PeerTransport(const disk::Identity& identity,
                             const std::vector<std::string>& own_urls, const TlsFiles& tls,
                             Strand& strand)
    : identity_(identity),
      own_urls_(own_urls),
      tls_(tls),
      strand_(strand),
      on_lost_(
          [this](NodeId peer) { strand_.post([this, peer] { events_->peer_unreachable(peer); }); }),
      on_removed_([this] { strand_.post([this] { events_->removed_by_peers(); }); }),
      snapshots_(identity.cluster, [this](NodeId peer, bool ok) {
        strand_.post([this, peer, ok] { events_->snapshot_sent(peer, ok); });
      }) {}

PeerTransport::~PeerTransport() {
  stop();
  cancel_snapshots();
}

void PeerTransport::set_peers(const std::map<NodeId, std::vector<std::string>>& peer_urls) {
  if (peer_urls == known_) return;
  for (const auto& [peer, urls] : known_) {
    if (!peer_urls.contains(peer)) heard_.erase(peer);  // removed
  }
  known_ = peer_urls;
  connect();
}

void PeerTransport::heard(NodeId peer, const std::vector<std::string>& urls) {
  if (heard_.size() >= kHeardMax && !heard_.contains(peer)) return;
  if (std::exchange(heard_[peer], urls) != urls) connect();
}

void PeerTransport::connect() {
  std::map<NodeId, std::vector<std::string>> wanted;
  for (const auto* source : {&known_, &heard_}) {
    for (const auto& [peer, urls] : *source) {
      if (peer.value == identity_.member) continue;
      for (const std::string& url : urls) {
        std::vector<std::string>& all = wanted[peer];
        const bool there = std::find(all.begin(), all.end(), url) != all.end();
        if (!there && target_of(url).ok()) all.push_back(url);
      }
    }
  }
  std::erase_if(wanted, [](const auto& item) { return item.second.empty(); });
  std::erase_if(links_, [&](const auto& item) {
    const auto found = wanted.find(item.first);
    if (found != wanted.end() && item.second->goes_to(found->second)) return false;
    item.second->stop();
    return true;
  });
  for (const auto& [id, urls] : wanted) {
    if (links_.contains(id)) continue;
    std::vector<Link::Way> ways;
    for (const std::string& url : urls) {
      auto channel = make_channel(url, credentials_for(url));
      ways.push_back({url, channel, Peer::NewStub(channel)});
    }
    links_.emplace(id, std::make_shared<Link>(identity_, own_urls_, id, std::move(ways), on_lost_,
                                              on_removed_));
  }
}

Credentials PeerTransport::credentials_for(const std::string& url) {
  if (!is_tls(url)) return grpc::InsecureChannelCredentials();
  if (secure_ == nullptr) secure_ = tls_channel_credentials(tls_);
  return secure_;
}

void PeerTransport::send(std::vector<raft::Message> messages) {
  for (const raft::Message& message : messages) {
    const auto found = links_.find(raft::header_of(message).to);
    if (found == links_.end()) continue;
    Message out;
    encode(message, &out);
    found->second->queue(std::move(out));
  }
  for (const auto& [id, link] : links_) link->flush();
}

void PeerTransport::send_snapshot(const raft::InstallSnapshot& order,
                                  std::shared_ptr<mvcc::StateSnapshot> state) {
  const auto to = channel(order.to);
  if (to == nullptr) {
    strand_.post([this, peer = order.to] { events_->snapshot_sent(peer, false); });
    return;
  }
  snapshots_.send(order, to, std::move(state));
}

std::shared_ptr<grpc::Channel> PeerTransport::channel(NodeId peer) const {
  const auto found = links_.find(peer);
  return found == links_.end() ? nullptr : found->second->channel();
}

void PeerTransport::stop() {
  for (auto& [id, link] : links_) link->stop();
}

}  // namespace coracle::store
