#include "client_etcd/watch_stream.hpp"

#include <algorithm>
#include <utility>

namespace coracle::client {

Status from_grpc(const net::GrpcStatus& status) {
  const std::string& text = status.message;
  switch (status.code) {
    case net::GrpcStatus::kOk:
      return {};
    // The port knows one word for "no answer in time".
    case net::GrpcStatus::kDeadlineExceeded:
    case net::GrpcStatus::kCancelled:
    case net::GrpcStatus::kInternal:
    case net::GrpcStatus::kUnknown:
      return unavailable(text.empty() ? "no answer" : text);
    case net::GrpcStatus::kResourceExhausted:
      if (text.find("larger than max") != std::string::npos) {
        return invalid_argument("etcdserver: request is too large");
      }
      break;
    default:
      break;
  }
  return {static_cast<Code>(status.code), text};
}

void LiveWatch::end(const Status& status) {
  if (!std::exchange(open, false)) return;
  const auto on_end = std::exchange(sink, {}).on_end;
  if (on_end) on_end(status);
}

std::shared_ptr<WatchStream> WatchStream::start(net::GrpcChannel& channel) {
  std::shared_ptr<WatchStream> stream(new WatchStream());
  const std::weak_ptr<WatchStream> weak = stream;
  net::GrpcSink sink;
  sink.on_message = [weak](const std::string& message) {
    const auto self = weak.lock();
    if (!self) return;
    etcdserverpb::WatchResponse response;
    if (!response.ParseFromString(message)) return self->on_over("a watch answer is no message");
    self->on_response(std::move(response));
  };
  sink.on_end = [weak](const net::GrpcStatus& status) {
    const auto self = weak.lock();
    if (self) self->on_over(status.message.empty() ? "the watch stream ended" : status.message);
  };
  // A member that loses its leader ends the stream instead of falling silent.
  stream->stream_ =
      channel.stream("/etcdserverpb.Watch/Watch", {"hasleader", "true"}, std::move(sink));
  return stream;
}

void WatchStream::abandon() {
  broken_ = true;
  for (const auto& watch : creating_) watch->open = false;
  for (const auto& [id, watch] : live_) watch->open = false;
  stream_.reset();
}

void WatchStream::send(const etcdserverpb::WatchRequest& request) {
  if (!broken_) stream_->send(request.SerializeAsString());
}

void WatchStream::add(const std::shared_ptr<LiveWatch>& watch) {
  creating_.push_back(watch);
  create_next();
}

void WatchStream::create_next() {
  while (!create_under_way_ && !creating_.empty() && !creating_.front()->open) {
    creating_.pop_front();  // cancelled before it was sent
  }
  if (create_under_way_ || creating_.empty()) return;
  create_under_way_ = true;
  const WatchRequest& wanted = creating_.front()->request;
  etcdserverpb::WatchRequest request;
  auto* create = request.mutable_create_request();
  create->set_key(wanted.key);
  create->set_range_end(wanted.range_end);
  create->set_start_revision(wanted.start_revision);
  create->set_prev_kv(true);
  create->set_progress_notify(true);
  send(request);
}

void WatchStream::remove(const std::shared_ptr<LiveWatch>& watch) {
  const auto found = live_.find(watch->id);
  if (found == live_.end() || found->second != watch) return;  // on_created will cancel it
  live_.erase(found);
  etcdserverpb::WatchRequest request;
  request.mutable_cancel_request()->set_watch_id(watch->id);
  send(request);
}

void WatchStream::request_progress() {
  // One answer is for all who ask.
  if (std::exchange(progress_asked_, true)) return;
  etcdserverpb::WatchRequest request;
  request.mutable_progress_request();
  send(request);
}

void WatchStream::on_response(etcdserverpb::WatchResponse response) {
  if (broken_) return;
  const std::int64_t id = response.watch_id();
  if (response.created()) {
    on_created(response);
  } else if (id == -1 && !response.canceled()) {
    on_progress(response.header().revision());
  } else if (const auto found = live_.find(id); found != live_.end()) {
    const auto watch = found->second;  // a callback may remove it
    if (response.canceled()) {
      live_.erase(found);
      watch->end(response.compact_revision() != 0
                     ? out_of_range("etcdserver: mvcc: required revision has been compacted")
                     : unavailable(response.cancel_reason().empty() ? "etcdserver: watch canceled"
                                                                    : response.cancel_reason()));
    } else {
      on_events(*watch, response);
    }
  }
}

void WatchStream::on_created(const etcdserverpb::WatchResponse& response) {
  create_under_way_ = false;
  if (creating_.empty()) return;
  const auto watch = creating_.front();
  creating_.pop_front();
  watch->id = response.watch_id();
  if (response.canceled()) {
    watch->end(response.compact_revision() != 0
                   ? out_of_range("etcdserver: mvcc: required revision has been compacted")
                   : unavailable(response.cancel_reason()));
  } else {
    live_.emplace(watch->id, watch);
    if (!watch->open) remove(watch);
    if (watch->open && watch->progress_wanted) request_progress();
  }
  create_next();
}

namespace {

KeyValue from_proto(mvccpb::KeyValue& kv) {
  KeyValue out;
  out.key = std::move(*kv.mutable_key());
  out.value = std::move(*kv.mutable_value());
  out.create_revision = kv.create_revision();
  out.mod_revision = kv.mod_revision();
  out.version = kv.version();
  out.lease = kv.lease();
  return out;
}

}  // namespace

void WatchStream::on_events(LiveWatch& watch, etcdserverpb::WatchResponse& response) {
  // header.revision is the store's, and later events up to it may still be on their way: only the
  // last event of this answer tells how far the watch has come. A progress notice has none.
  std::vector<WatchEvent> events;
  std::int64_t upto = response.header().revision();
  for (auto& event : *response.mutable_events()) {
    WatchEvent out;
    out.is_delete = event.type() == mvccpb::Event::DELETE;
    out.kv = from_proto(*event.mutable_kv());
    out.has_previous = event.has_prev_kv();
    if (out.has_previous) out.previous = from_proto(*event.mutable_prev_kv());
    upto = out.kv.mod_revision;
    events.push_back(std::move(out));
  }
  watch.revision = std::max(watch.revision, upto);
  const auto on_events = watch.sink.on_events;
  if (watch.open && on_events) on_events(std::move(events), watch.revision);
}

void WatchStream::on_progress(std::int64_t revision) {
  progress_asked_ = false;
  std::vector<std::shared_ptr<LiveWatch>> all;
  for (const auto& [id, watch] : live_) all.push_back(watch);
  for (const auto& watch : all) {
    // A watch of the future has not come to its start yet; its notices say so all the same.
    watch->revision = std::max(watch->revision, revision);
    watch->progress_wanted = false;
    const auto on_events = watch->sink.on_events;
    if (watch->open && on_events) on_events({}, watch->revision);
  }
}

void WatchStream::on_over(const std::string& why) {
  broken_ = true;
  auto ended = std::exchange(creating_, {});
  for (auto& [id, watch] : std::exchange(live_, {})) ended.push_back(watch);
  for (const auto& watch : ended) watch->end(unavailable(why));
}

}  // namespace coracle::client
