#include "differential/runner.hpp"

#include <poll.h>

#include <algorithm>
#include <numeric>

namespace coracle::differential {
namespace {

constexpr std::size_t kSettleEvery = 25;
constexpr Duration kStartTime = std::chrono::seconds(30);
constexpr std::int64_t kHistoryBatch = 1000;  // revisions etcd gives a late watcher at once

const std::string kAll(1, '\0');

WatchSend canary_watch(int stream, std::int64_t start) {
  WatchSend send;
  send.stream = stream;
  auto* create = send.request.mutable_create_request();
  create->set_key(kCanaryKey);
  create->set_watch_id(kCanaryWatcher);
  create->set_start_revision(start);
  return send;
}

bool has_event_at(const WatchSession::Responses& responses, std::int64_t id,
                  std::int64_t revision) {
  return std::any_of(responses.begin(), responses.end(), [&](const pb::WatchResponse& r) {
    return r.watch_id() == id && r.events_size() > 0 &&
           r.events(r.events_size() - 1).kv().mod_revision() == revision;
  });
}

std::int64_t header_revision(const google::protobuf::Message& message) {
  const auto* field = message.GetDescriptor()->FindFieldByName("header");
  if (field == nullptr) return 0;
  const auto& header = message.GetReflection()->GetMessage(message, field);
  return static_cast<const pb::ResponseHeader&>(header).revision();
}

}  // namespace

void Figures::add(const Figures& other) {
  for (const auto& [kind, count] : other.operations) operations[kind] += count;
  for (const auto& [kind, count] : other.refused) refused[kind] += count;
  for (const auto& [name, count] : other.known) known[name] += count;
  watch_responses += other.watch_responses;
}

int Figures::total() const {
  return std::accumulate(operations.begin(), operations.end(), 0,
                         [](int sum, const auto& entry) { return sum + entry.second; });
}

Status Runner::start() {
  ASSIGN_OR_RETURN(etcd_process_, ServerProcess::start(programs_.etcd, "etcd"));
  ASSIGN_OR_RETURN(our_process_, ServerProcess::start(programs_.kvstore, "kvstore"));
  RETURN_IF_ERROR(connect());
  if (const Detail bad = put_canary()) return internal_error(*bad);
  return {};
}

Status Runner::connect() {
  etcd_ = StoreClient::connect(etcd_process_->target());
  ours_ = StoreClient::connect(our_process_->target());
  if (!etcd_->wait_until_ready(kStartTime)) {
    return unavailable("etcd does not serve: " + etcd_process_->last_words());
  }
  if (!ours_->wait_until_ready(kStartTime)) {
    return unavailable("kvstore does not serve: " + our_process_->last_words());
  }
  probe_ = {etcd_->watch(), ours_->watch(), {}, 0};
  return {};
}

std::optional<Finding> Runner::step(std::size_t index, std::uint64_t seed) {
  const Operation operation = make_operation(seed, view_);
  Detail bad = run(operation);
  if (!bad && index % kSettleEvery == kSettleEvery - 1) bad = settle();
  if (!bad) return std::nullopt;
  for (const ServerProcess* process : {etcd_process_.get(), our_process_.get()}) {
    if (!process->running()) *bad += "\na server died: " + process->last_words();
  }
  return Finding{index, seed, describe(operation), std::move(*bad)};
}

Runner::Detail Runner::run(const Operation& operation) {
  if (const auto* r = std::get_if<pb::CompactionRequest>(&operation)) return run_compaction(*r);
  if (const auto* r = std::get_if<ShortLease>(&operation)) return run_short_lease(*r);
  if (const auto* r = std::get_if<WatchOpen>(&operation)) return run_open(r->stream);
  if (const auto* r = std::get_if<WatchSend>(&operation)) return run_send(*r);
  if (const auto* r = std::get_if<WatchClose>(&operation)) return run_close(r->stream);
  if (std::holds_alternative<Settle>(operation)) return settle();
  return call(operation);
}

Runner::Detail Runner::call(const Operation& operation) {
  ++figures_.operations[kind_of(operation)];
  Answer reference = etcd_->call(operation);
  Answer ours = ours_->call(operation);
  canonicalize(operation, &reference);
  canonicalize(operation, &ours);
  const Detail bad = differ(operation, reference, ours);
  if (!bad && reference.code != 0) ++figures_.refused[kind_of(operation)];
  if (bad) {
    for (const KnownDifference& known : known_differences()) {
      if (known.explains == nullptr || !known.explains(operation, view_, reference, ours)) continue;
      ++figures_.known[known.name];
      return std::nullopt;
    }
  }
  learn(operation, reference);
  return bad;
}

void Runner::learn(const Operation& operation, const Answer& reference) {
  if (reference.message == nullptr) return;
  view_.revision = std::max(view_.revision, header_revision(*reference.message));
  if (const auto* grant = std::get_if<pb::LeaseGrantRequest>(&operation)) {
    view_.leases.insert(grant->id());
  } else if (const auto* revoke = std::get_if<pb::LeaseRevokeRequest>(&operation)) {
    view_.leases.erase(revoke->id());
  } else if (const auto* compaction = std::get_if<pb::CompactionRequest>(&operation)) {
    view_.compacted = compaction->revision();
  }
}

Runner::Detail Runner::run_compaction(const pb::CompactionRequest& request) {
  if (Detail bad = settle()) return bad;
  const std::int64_t before = view_.compacted;
  if (Detail bad = call(request)) return bad;
  return view_.compacted == before ? std::nullopt : put_canary();
}

// The canary's revision is always readable history; a put that all streams are told of.
Runner::Detail Runner::put_canary() {
  pb::PutRequest put;
  put.set_key(kCanaryKey);
  Detail bad = call(put);
  canary_revision_ = view_.revision;
  return bad;
}

Runner::Detail Runner::both(Stream& stream,
                            const std::function<bool(const WatchSession::Responses&)>& enough) {
  const auto fault = [](const char* who, const WatchSession& session) {
    std::string text = std::string(who) + ": the awaited watch response does not come";
    if (const auto ended = session.ended()) {
      text += "; the stream ended: " + std::to_string(ended->code) + " " + ended->text;
    }
    return text;
  };
  if (!stream.reference->wait(enough)) return fault("etcd", *stream.reference);
  if (!stream.ours->wait(enough)) return fault("ours", *stream.ours);
  return std::nullopt;
}

Runner::Detail Runner::take_and_compare(Stream& stream, int number) {
  WatchSession::Responses reference = stream.reference->take();
  WatchSession::Responses ours = stream.ours->take();
  StreamExpectation expected = std::exchange(stream.expected, {});
  expected.compacted = view_.compacted;
  stream.created = 0;
  figures_.watch_responses += static_cast<int>(ours.size());
  for (const pb::WatchResponse& response : reference) {
    const auto watchers = view_.streams.find(number);
    if (response.canceled() && watchers != view_.streams.end()) {
      watchers->second.erase(response.watch_id());
    }
  }
  Detail bad = differ_streams(expected, std::move(reference), std::move(ours));
  if (bad) bad = "stream " + std::to_string(number) + ": " + *bad;
  return bad;
}

Runner::Detail Runner::settle() {
  if (Detail bad = put_canary()) return bad;
  for (auto& [number, stream] : streams_) {
    const auto told = [this](const WatchSession::Responses& responses) {
      return has_event_at(responses, kCanaryWatcher, canary_revision_);
    };
    if (Detail bad = both(stream, told)) return bad;
    if (Detail bad = take_and_compare(stream, number)) return bad;
  }
  return std::nullopt;
}

// When a watcher that starts in the past has got its history, so have all that were there before.
Runner::Detail Runner::probe() {
  const std::int64_t history = view_.revision - std::max<std::int64_t>(view_.compacted, 1);
  for (std::int64_t round = 0; round <= history / kHistoryBatch; ++round) {
    const WatchSend watch = canary_watch(-1, canary_revision_);
    probe_.reference->send(watch.request);
    probe_.ours->send(watch.request);
    Detail bad = both(probe_, [this](const WatchSession::Responses& responses) {
      return has_event_at(responses, kCanaryWatcher, canary_revision_);
    });
    if (bad) return bad;
    pb::WatchRequest cancel;
    cancel.mutable_cancel_request()->set_watch_id(kCanaryWatcher);
    probe_.reference->send(cancel);
    probe_.ours->send(cancel);
    bad = both(probe_, [](const WatchSession::Responses& responses) {
      return !responses.empty() && responses.back().canceled();
    });
    if (!bad) bad = take_and_compare(probe_, -1);
    if (bad) return bad;
  }
  return std::nullopt;
}

Runner::Detail Runner::run_open(int number) {
  ++figures_.operations["WatchOpen"];
  streams_[number] = {etcd_->watch(), ours_->watch(), {}, 0};
  view_.streams[number];
  return run_send(canary_watch(number, 0));
}

Runner::Detail Runner::run_send(const WatchSend& send) {
  Stream& stream = streams_.at(send.stream);
  switch (send.request.request_union_case()) {
    case pb::WatchRequest::kCreateRequest:
      return run_create(stream, send.stream, send.request.create_request());
    case pb::WatchRequest::kCancelRequest:
      return run_cancel(stream, send.stream, send.request.cancel_request().watch_id());
    case pb::WatchRequest::kProgressRequest: {
      ++figures_.operations["WatchProgress"];
      stream.reference->send(send.request);
      stream.ours->send(send.request);
      const auto& watchers = view_.streams.at(send.stream);
      const bool due = std::all_of(watchers.begin(), watchers.end(), [this](const auto& w) {
        return w.second.start <= view_.revision;
      });
      if (!due) return settle();  // silence, as of now
      stream.expected.progress.push_back(view_.revision);
      const auto count = std::ptrdiff_t(stream.expected.progress.size());
      return both(stream, [count](const WatchSession::Responses& responses) {
        return count == std::count_if(responses.begin(), responses.end(), [](const auto& r) {
                 return r.watch_id() == -1 && !r.created() && !r.canceled();
               });
      });
    }
    case pb::WatchRequest::REQUEST_UNION_NOT_SET:
      break;
  }
  return std::nullopt;
}

Runner::Detail Runner::run_create(Stream& stream, int number,
                                  const pb::WatchCreateRequest& request) {
  ++figures_.operations["WatchCreate"];
  const std::int64_t start = request.start_revision();
  // A watcher that catches up is told the revision of that moment: nothing may be on its way.
  if (start != 0) {
    if (Detail bad = settle()) return bad;
  }
  pb::WatchRequest message;
  *message.mutable_create_request() = request;
  if (start < 0) {
    stream.ours->send(message);
    stream.expected.refused.push_back(view_.revision);
    ++figures_.known["watch from a negative revision"];
    return settle();
  }
  stream.reference->send(message);
  stream.ours->send(message);
  const int due = ++stream.created;
  std::int64_t id = -1;
  Detail bad = both(stream, [&](const WatchSession::Responses& responses) {
    int created = 0;
    for (const pb::WatchResponse& response : responses) {
      if (!response.created()) continue;
      ++created;
      id = response.canceled() ? -1 : response.watch_id();
    }
    return created == due;
  });
  if (bad) return bad;
  if (id != -1 && id != kCanaryWatcher) {
    view_.streams[number][id] = {start};
    if (start != 0) stream.expected.starts[id] = start;
  }
  if (start == 0 || start > view_.revision) return std::nullopt;
  if ((bad = probe())) return bad;
  return settle();
}

Runner::Detail Runner::run_cancel(Stream& stream, int number, std::int64_t watch_id) {
  ++figures_.operations["WatchCancel"];
  if (Detail bad = settle()) return bad;
  const bool known = view_.streams.at(number).erase(watch_id) > 0;
  pb::WatchRequest message;
  message.mutable_cancel_request()->set_watch_id(watch_id);
  stream.reference->send(message);
  stream.ours->send(message);
  if (!known) return settle();  // silence
  return both(stream, [watch_id](const WatchSession::Responses& responses) {
    return std::any_of(responses.begin(), responses.end(), [&](const pb::WatchResponse& r) {
      return r.canceled() && r.watch_id() == watch_id;
    });
  });
}

Runner::Detail Runner::run_close(int number) {
  ++figures_.operations["WatchClose"];
  if (Detail bad = settle()) return bad;
  streams_.erase(number);
  view_.streams.erase(number);
  return std::nullopt;
}

Runner::Detail Runner::run_short_lease(const ShortLease& operation) {
  pb::LeaseGrantRequest grant;
  grant.set_id(operation.id);
  grant.set_ttl(1);  // raised to the floor
  if (Detail bad = call(grant)) return bad;
  for (const std::string& key : operation.keys) {
    pb::PutRequest put;
    put.set_key(key);
    put.set_lease(operation.id);
    if (Detail bad = call(put)) return bad;
  }
  if (Detail bad = settle()) return bad;
  pb::LeaseTimeToLiveRequest ask;
  ask.set_id(operation.id);
  for (StoreClient* server : {etcd_.get(), ours_.get()}) {
    for (int round = 0;; ++round) {
      const Answer answer = server->call(ask);
      if (answer.message != nullptr &&
          static_cast<const pb::LeaseTimeToLiveResponse&>(*answer.message).ttl() == -1) {
        break;
      }
      if (round > 100) return "a lease of 2 s does not die";
      ::poll(nullptr, 0, 100);
    }
  }
  view_.leases.erase(operation.id);
  return settle();
}

// Every answer that only old data can give.
Runner::Detail Runner::sweep() {
  const std::int64_t first = std::max<std::int64_t>(view_.compacted, 1);
  const std::int64_t step = std::max<std::int64_t>((view_.revision - first) / 40, 1);
  for (std::int64_t at = first; at <= view_.revision; at += step) {
    pb::RangeRequest range;
    range.set_key(kAll);
    range.set_range_end(kAll);
    range.set_revision(at);
    if (Detail bad = call(range)) return bad;
    pb::HashKVRequest hash;
    hash.set_revision(at);
    if (Detail bad = call(hash)) return bad;
  }
  if (Detail bad = call(pb::HashKVRequest())) return bad;
  if (Detail bad = call(pb::LeaseLeasesRequest())) return bad;
  for (const std::int64_t lease : view_.leases) {
    pb::LeaseTimeToLiveRequest ask;
    ask.set_id(lease);
    ask.set_keys(true);
    if (Detail bad = call(ask)) return bad;
  }
  return std::nullopt;
}

std::optional<Finding> Runner::finish(std::size_t index) {
  const auto last = [&]() -> Detail {
    if (Detail bad = settle()) return bad;
    if (Detail bad = sweep()) return bad;
    if (Detail bad = run_short_lease({9001, {"s/1", "s/2", "a/1"}})) return bad;
    streams_.clear();
    view_.streams.clear();
    probe_ = {};
    for (ServerProcess* process : {etcd_process_.get(), our_process_.get()}) {
      if (const Status status = process->restart(); !status.ok()) return status.message();
    }
    if (const Status status = connect(); !status.ok()) return status.message();
    return sweep();
  };
  Detail bad = last();
  if (!bad) return std::nullopt;
  return Finding{index, 0, "the comparison at the end", std::move(*bad)};
}

}  // namespace coracle::differential
