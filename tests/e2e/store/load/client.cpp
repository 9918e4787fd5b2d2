#include "store_load/client.hpp"

#include <algorithm>

namespace coracle::load {
namespace {

// A lease of this load ends by revocation only.
constexpr std::int64_t kLeaseSeconds = 3600;
constexpr std::size_t kLeasesMax = 3;

}  // namespace

void Run::fault(std::string text) {
  const std::lock_guard lock(mutex);
  if (faults.size() < 20) faults.push_back(std::move(text));
}

void Run::saw(std::int64_t revision) {
  std::int64_t old = seen.load();
  while (old < revision && !seen.compare_exchange_weak(old, revision)) {
  }
}

void Counts::add(const Counts& other) {
  done += other.done;
  refused += other.refused;
  unknown += other.unknown;
  not_sent += other.not_sent;
}

void Client::loop(Duration pause) {
  const Clock& clock = real_clock();
  TimePoint next = clock.now();
  while (!run_.stop.raised()) {
    step();
    next = std::max(next + pause, clock.now() - pause);
    if (const Duration wait = next - clock.now(); wait > Duration(0)) run_.stop.wait(wait);
  }
}

void Client::step() {
  const std::uint64_t dice = rng_.below(100);
  if (dice < 30) return range();
  if (dice < 50) return put();
  if (dice < 65) return put_in_ledger();
  if (dice < 73) return erase();
  if (dice < 88) return compare_and_put();
  if (dice < 94) return big_txn();
  if (dice < 99) return lease();
  compact();
}

std::string Client::key() {
  return run_.keys + std::to_string(rng_.below(static_cast<std::uint64_t>(run_.key_count)));
}

std::string Client::value() {
  return "c" + std::to_string(number_) + "." + std::to_string(++written_);
}

std::string Client::prefix_end() const {
  std::string end = run_.keys;
  ++end.back();
  return end;
}

Stubs& Client::member() {
  if (rng_.chance(0.3)) member_ = rng_.below(run_.members.size());
  return run_.members[member_];
}

template <class Request, class Response, class Call>
Outcome Client::send(const Request& request, Response* response, bool reads, Call call) {
  const Clock& clock = real_clock();
  grpc::ClientContext context;
  set_time_limit(&context);
  const TimePoint called = clock.now();
  const grpc::Status status = call(member(), &context);
  const TimePoint returned = clock.now();
  const Verdict verdict = judge(status);
  switch (verdict.outcome) {
    case Outcome::kDone:
      ++counts_.done;
      run_.saw(response->header().revision());
      run_.history->add(number_, called, request_json(request), result_json(*response), returned);
      return Outcome::kDone;
    case Outcome::kRefused: {
      ++counts_.refused;
      json::object result;
      result["error"] = verdict.error;
      run_.history->add(number_, called, request_json(request), result, returned);
      return Outcome::kRefused;
    }
    case Outcome::kUnknown:
      ++counts_.unknown;
      if (!reads) run_.history->add(number_, called, request_json(request), {}, returned);
      break;
    case Outcome::kNotSent:
      ++counts_.not_sent;
      break;
    case Outcome::kUnexpected:
      run_.fault("unexpected answer to " + to_json(request_json(request)) + ": " + verdict.error);
  }
  // Elsewhere, and not at once: a member that is down answers fast.
  member_ = (member_ + 1) % run_.members.size();
  pause_.wait(std::chrono::milliseconds(20));
  return verdict.outcome;
}

void Client::range() {
  pb::RangeRequest request;
  request.set_key(key());
  if (rng_.chance(0.3)) {
    request.set_key(run_.keys);
    request.set_range_end(prefix_end());
    if (rng_.chance(0.3)) request.set_limit(1 + rng_.between(0, 3));
    request.set_keys_only(rng_.chance(0.1));
    request.set_count_only(rng_.chance(0.1));
  }
  const std::int64_t seen = run_.seen.load();
  // A member that is behind may call a revision future that is not: not both.
  if (rng_.chance(0.1)) {
    request.set_revision(std::max<std::int64_t>(1, seen - rng_.between(-1, 80)));
  } else {
    request.set_serializable(rng_.chance(0.1));
  }
  pb::RangeResponse response;
  send(request, &response, true, [&](Stubs& to, grpc::ClientContext* context) {
    return to.kv->Range(context, request, &response);
  });
}

void Client::put() {
  pb::PutRequest request;
  request.set_key(key());
  request.set_value(value());
  request.set_prev_kv(rng_.chance(0.2));
  if (!leases_.empty() && rng_.chance(0.2)) request.set_lease(leases_[rng_.below(leases_.size())]);
  if (rng_.chance(0.05)) {
    request.clear_value();
    request.set_ignore_value(true);
  }
  pb::PutResponse response;
  send(request, &response, false, [&](Stubs& to, grpc::ClientContext* context) {
    return to.kv->Put(context, request, &response);
  });
}

void Client::put_in_ledger() {
  pb::PutRequest request;
  request.set_key("ledger/" + std::to_string(number_) + "/" + std::to_string(written_ + 1));
  request.set_value(value() + std::string(run_.pad, '.'));
  pb::PutResponse response;
  const Outcome outcome =
      send(request, &response, false, [&](Stubs& to, grpc::ClientContext* context) {
        return to.kv->Put(context, request, &response);
      });
  if (outcome == Outcome::kDone) ledger_[request.key()] = request.value();
}

void Client::erase() {
  pb::DeleteRangeRequest request;
  request.set_key(key());
  if (rng_.chance(0.1)) request.set_range_end(prefix_end());
  request.set_prev_kv(rng_.chance(0.3));
  pb::DeleteRangeResponse response;
  send(request, &response, false, [&](Stubs& to, grpc::ClientContext* context) {
    return to.kv->DeleteRange(context, request, &response);
  });
}

// As a kube-apiserver updates: read, then write if nobody else did, else read again.
void Client::compare_and_put() {
  pb::RangeRequest read;
  read.set_key(key());
  pb::RangeResponse found;
  const Outcome outcome = send(read, &found, true, [&](Stubs& to, grpc::ClientContext* context) {
    return to.kv->Range(context, read, &found);
  });
  if (outcome != Outcome::kDone) return;
  pb::TxnRequest request;
  pb::Compare* compare = request.add_compare();
  compare->set_target(pb::Compare::MOD);
  compare->set_result(pb::Compare::EQUAL);
  compare->set_key(read.key());
  compare->set_mod_revision(found.kvs_size() == 0 ? 0 : found.kvs(0).mod_revision());
  if (rng_.chance(0.15)) {
    request.add_success()->mutable_request_delete_range()->set_key(read.key());
  } else {
    pb::PutRequest* put = request.add_success()->mutable_request_put();
    put->set_key(read.key());
    put->set_value(value());
  }
  request.add_failure()->mutable_request_range()->set_key(read.key());
  pb::TxnResponse response;
  send(request, &response, false, [&](Stubs& to, grpc::ClientContext* context) {
    return to.kv->Txn(context, request, &response);
  });
}

// Several keys in one revision; readers and watchers must see all or nothing.
void Client::big_txn() {
  pb::TxnRequest request;
  const std::string text = value();
  const std::string guard = key();
  pb::Compare* compare = request.add_compare();
  compare->set_target(pb::Compare::VERSION);
  compare->set_result(pb::Compare::GREATER);
  compare->set_key(guard);
  compare->set_version(rng_.between(0, 3));
  for (std::int64_t n = 0; n < run_.key_count; n += 2) {
    pb::PutRequest* put = request.add_success()->mutable_request_put();
    put->set_key(run_.keys + std::to_string(n));
    put->set_value(text);
  }
  pb::RangeRequest* after = request.add_success()->mutable_request_range();
  after->set_key(run_.keys);
  after->set_range_end(prefix_end());
  pb::PutRequest* otherwise = request.add_failure()->mutable_request_put();
  otherwise->set_key(guard);
  otherwise->set_value(text);
  pb::TxnResponse response;
  send(request, &response, false, [&](Stubs& to, grpc::ClientContext* context) {
    return to.kv->Txn(context, request, &response);
  });
}

void Client::compact() {
  pb::CompactionRequest request;
  request.set_revision(run_.safe.load() - 50);
  if (request.revision() <= 0) return;
  request.set_physical(rng_.chance(0.2));
  pb::CompactionResponse response;
  send(request, &response, false, [&](Stubs& to, grpc::ClientContext* context) {
    return to.kv->Compact(context, request, &response);
  });
}

void Client::lease() {
  if (leases_.size() >= kLeasesMax || (!leases_.empty() && rng_.chance(0.5))) {
    pb::LeaseRevokeRequest request;
    request.set_id(leases_.front());
    pb::LeaseRevokeResponse response;
    leases_.erase(leases_.begin());
    send(request, &response, false, [&](Stubs& to, grpc::ClientContext* context) {
      return to.lease->LeaseRevoke(context, request, &response);
    });
    return;
  }
  pb::LeaseGrantRequest request;
  request.set_id((std::int64_t(number_) + 1) * 1'000'000 + next_lease_++);
  request.set_ttl(kLeaseSeconds);
  pb::LeaseGrantResponse response;
  const Outcome outcome =
      send(request, &response, false, [&](Stubs& to, grpc::ClientContext* context) {
        return to.lease->LeaseGrant(context, request, &response);
      });
  if (outcome == Outcome::kDone) leases_.push_back(request.id());
}

std::optional<std::int64_t> Client::put_for_certain(const std::string& key, Duration limit) {
  const TimePoint end = real_clock().now() + limit;
  while (real_clock().now() < end) {
    pb::PutRequest request;
    request.set_key(key);
    request.set_value(value());
    pb::PutResponse response;
    const Outcome outcome =
        send(request, &response, false, [&](Stubs& to, grpc::ClientContext* context) {
          return to.kv->Put(context, request, &response);
        });
    if (outcome == Outcome::kDone) return response.header().revision();
  }
  return std::nullopt;
}

void Client::read_all() {
  for (int attempt = 0; attempt < 20; ++attempt) {
    pb::RangeRequest request;
    request.set_key(run_.keys);
    request.set_range_end(prefix_end());
    pb::RangeResponse response;
    const Outcome outcome =
        send(request, &response, true, [&](Stubs& to, grpc::ClientContext* context) {
          return to.kv->Range(context, request, &response);
        });
    if (outcome == Outcome::kDone) return;
  }
  run_.fault("the last read was never answered");
}

}  // namespace coracle::load
