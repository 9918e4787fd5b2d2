#include "client_etcd/watch_stream.hpp"

#include <algorithm>
#include <utility>

namespace coracle::client {

Status from_grpc(const grpc::Status& status) {
  const std::string& text = status.error_message();
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
      return {};
    // The port knows one word for "no answer in time".
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNKNOWN:
      return unavailable(text.empty() ? "no answer" : text);
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      if (text.find("larger than max") != std::string::npos) {
        return invalid_argument("etcdserver: request is too large");
      }
      break;
    default:
      break;
  }
  return {static_cast<Code>(status.error_code()), text};
}

void CallCount::up() {
  std::lock_guard lock(mutex_);
  ++count_;
}

void CallCount::down() {
  std::lock_guard lock(mutex_);
  if (--count_ == 0) changed_.notify_all();
}

void CallCount::wait_for_none() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return count_ == 0; });
}

void LiveWatch::end(const Status& status) {
  if (!std::exchange(open, false)) return;
  const auto on_end = std::exchange(sink, {}).on_end;
  if (on_end) on_end(status);
}

WatchStream::WatchStream(Executor& executor, std::shared_ptr<CallCount> calls)
    : executor_(executor), calls_(std::move(calls)) {}

std::shared_ptr<WatchStream> WatchStream::start(Executor& executor, etcdserverpb::Watch::Stub& stub,
                                                std::shared_ptr<CallCount> calls) {
  std::shared_ptr<WatchStream> stream(new WatchStream(executor, std::move(calls)));
  stream->self_ = stream;
  stream->calls_->up();
  // A member that loses its leader ends the stream instead of falling silent.
  stream->context_.AddMetadata("hasleader", "true");
  stub.async()->Watch(&stream->context_, stream.get());
  stream->AddHold();  // operations are started from the strand
  stream->StartRead(&stream->response_);
  stream->StartCall();
  return stream;
}

void WatchStream::post(std::function<void(WatchStream&)> work) {
  executor_.post([self = self_, work = std::move(work)] { work(*self); });
}

void WatchStream::OnReadDone(bool ok) {
  post([ok](WatchStream& stream) {
    if (ok) return stream.on_response();
    stream.broken_ = true;
    stream.release();
  });
}

void WatchStream::OnWriteDone(bool ok) {
  post([ok](WatchStream& stream) {
    stream.write_under_way_ = false;
    if (ok) stream.write_next();  // otherwise the read fails too
  });
}

void WatchStream::OnDone(const grpc::Status& status) {
  const auto calls = calls_;
  executor_.post([self = std::move(self_), status] { self->on_over(status); });
  calls->down();
}

void WatchStream::release() {
  if (std::exchange(held_, false)) RemoveHold();
}

void WatchStream::abandon() {
  broken_ = true;
  for (const auto& watch : creating_) watch->open = false;
  for (const auto& [id, watch] : live_) watch->open = false;
  context_.TryCancel();
  release();
}

void WatchStream::send(etcdserverpb::WatchRequest request) {
  to_write_.push_back(std::move(request));
  write_next();
}

void WatchStream::write_next() {
  if (broken_ || write_under_way_ || to_write_.empty()) return;
  write_under_way_ = true;
  writing_ = std::move(to_write_.front());
  to_write_.pop_front();
  StartWrite(&writing_);
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
  send(std::move(request));
}

void WatchStream::remove(const std::shared_ptr<LiveWatch>& watch) {
  const auto found = live_.find(watch->id);
  if (found == live_.end() || found->second != watch) return;  // on_created will cancel it
  live_.erase(found);
  etcdserverpb::WatchRequest request;
  request.mutable_cancel_request()->set_watch_id(watch->id);
  send(std::move(request));
}

void WatchStream::request_progress() {
  // One waiting request answers for all who ask.
  for (const auto& waiting : to_write_) {
    if (waiting.has_progress_request()) return;
  }
  etcdserverpb::WatchRequest request;
  request.mutable_progress_request();
  send(std::move(request));
}

void WatchStream::on_response() {
  if (broken_) return release();
  const std::int64_t id = response_.watch_id();
  if (response_.created()) {
    on_created();
  } else if (id == -1 && !response_.canceled()) {
    on_progress(response_.header().revision());
  } else if (const auto found = live_.find(id); found != live_.end()) {
    const auto watch = found->second;  // a callback may remove it
    if (response_.canceled()) {
      live_.erase(found);
      watch->end(response_.compact_revision() != 0
                     ? out_of_range("etcdserver: mvcc: required revision has been compacted")
                     : unavailable(response_.cancel_reason().empty() ? "etcdserver: watch canceled"
                                                                     : response_.cancel_reason()));
    } else {
      on_events(*watch);
    }
  }
  if (broken_) return release();
  response_.Clear();
  StartRead(&response_);
}

void WatchStream::on_created() {
  create_under_way_ = false;
  if (creating_.empty()) return;
  const auto watch = creating_.front();
  creating_.pop_front();
  watch->id = response_.watch_id();
  if (response_.canceled()) {
    watch->end(response_.compact_revision() != 0
                   ? out_of_range("etcdserver: mvcc: required revision has been compacted")
                   : unavailable(response_.cancel_reason()));
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

void WatchStream::on_events(LiveWatch& watch) {
  // header.revision is the store's, and later events up to it may still be on their way: only the
  // last event of this answer tells how far the watch has come. A progress notice has none.
  std::vector<WatchEvent> events;
  std::int64_t upto = response_.header().revision();
  for (auto& event : *response_.mutable_events()) {
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

void WatchStream::on_over(const grpc::Status& status) {
  broken_ = true;
  const Status why =
      unavailable(status.ok() || status.error_message().empty() ? "the watch stream ended"
                                                                : status.error_message());
  auto ended = std::exchange(creating_, {});
  for (auto& [id, watch] : std::exchange(live_, {})) ended.push_back(watch);
  for (const auto& watch : ended) watch->end(why);
}

}  // namespace coracle::client
