#include "store_load/watcher.hpp"

#include <functional>

namespace coracle::load {

void Watcher::fault(const std::string& text) {
  run_.fault("watcher " + std::to_string(options_.number) + " at revision " +
             std::to_string(last()) + ": " + text);
}

bool Watcher::finished() const {
  const std::int64_t target = target_.load();
  return target != 0 && last() >= target;
}

void Watcher::loop() {
  const Clock& clock = real_clock();
  std::optional<TimePoint> give_up;
  while (!finished()) {
    if (target_.load() != 0 && !give_up) give_up = clock.now() + options_.grace;
    if (give_up && clock.now() > *give_up) return fault("never got to the end");
    grpc::ClientContext context;
    context.AddMetadata("hasleader", "true");
    set_time_limit(&context, options_.long_lived
                                 ? std::chrono::milliseconds(20000)
                                 : std::chrono::milliseconds(500 + rng_.below(4000)));
    Stubs& member = run_.members[rng_.below(run_.members.size())];
    const auto stream = member.watch->Watch(&context);
    ++streams_;
    pb::WatchRequest request;
    pb::WatchCreateRequest* create = request.mutable_create_request();
    create->set_key(std::string(1, '\0'));
    create->set_range_end(std::string(1, '\0'));
    create->set_start_revision(last() + 1);
    create->set_prev_kv(options_.prev_kv);
    create->set_fragment(rng_.chance(0.5));
    if (stream->Write(request)) read(*stream);
    context.TryCancel();
    if (const grpc::Status status = stream->Finish();
        judge(status).outcome == Outcome::kUnexpected) {
      fault("the stream ended with " + status.error_message());
    }
    pause_.wait(std::chrono::milliseconds(20));
  }
}

void Watcher::read(Stream& stream) {
  pb::WatchResponse response;
  part_.clear();
  while (!finished()) {
    const TimePoint called = real_clock().now();
    if (!stream.Read(&response) || !take(response, called)) return;
  }
}

bool Watcher::take(const pb::WatchResponse& response, TimePoint called) {
  if (response.canceled()) {
    fault("canceled: " + response.cancel_reason() + ", compacted at " +
          std::to_string(response.compact_revision()));
    return false;
  }
  part_.insert(part_.end(), response.events().begin(), response.events().end());
  if (response.fragment()) return true;
  std::vector<mvccpb::Event> revision;
  for (mvccpb::Event& event : part_) {
    if (!revision.empty() && revision.front().kv().mod_revision() != event.kv().mod_revision()) {
      take_revision(revision, called);
      revision.clear();
    }
    revision.push_back(std::move(event));
  }
  if (!revision.empty()) take_revision(revision, called);
  part_.clear();
  return true;
}

void Watcher::take_revision(const std::vector<mvccpb::Event>& events, TimePoint called) {
  const std::int64_t revision = events.front().kv().mod_revision();
  if (revision != last() + 1) {
    fault("told revision " + std::to_string(revision) + " next");
    if (revision <= last()) return;
    digests_.resize(static_cast<std::size_t>(revision - options_.after - 1));
  }
  std::string all;
  json::array told;
  for (const mvccpb::Event& event : events) {
    json::object one = event_json(event);
    check_previous(event);
    all += to_json(json::value(one));
    told.emplace_back(std::move(one));
  }
  digests_.push_back(std::hash<std::string>()(all));
  if (options_.in_history) {
    json::object body, request, result;
    body["key"] = std::string(1, '\0');
    body["end"] = std::string(1, '\0');
    body["revision"] = revision;
    request["observe"] = std::move(body);
    result["events"] = std::move(told);
    run_.history->add(-options_.number, called, std::move(request), result, real_clock().now());
  }
  last_.store(revision);
}

// W8: a change of a living key comes with what was there before.
void Watcher::check_previous(const mvccpb::Event& event) {
  const bool is_put = event.type() == mvccpb::Event::PUT;
  const auto before = alive_.find(event.kv().key());
  if (options_.prev_kv && before != alive_.end()) {
    if (!event.has_prev_kv()) {
      fault("no prev_kv for " + event.kv().key());
    } else if (event.prev_kv().SerializeAsString() != before->second.SerializeAsString()) {
      fault("another prev_kv for " + event.kv().key());
    }
  }
  if (is_put) {
    const bool creates = event.kv().create_revision() == event.kv().mod_revision();
    if (creates && before != alive_.end()) fault("create_revision of " + event.kv().key());
    alive_[event.kv().key()] = event.kv();
  } else if (before != alive_.end()) {
    alive_.erase(before);
  }
}

}  // namespace coracle::load
