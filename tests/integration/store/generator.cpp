// What clients do, and what they should not do, by chance.
#include <algorithm>

#include "base/rng.hpp"
#include "differential/operation.hpp"

namespace coracle::differential {
namespace {

constexpr int kStreams = 3;
constexpr std::size_t kWatchersPerStream = 8;

class Generator {
 public:
  Generator(std::uint64_t seed, const View& view) : rng_(seed), view_(view) {}

  Operation make() {
    // Chances in a thousand; the rest are puts.
    struct Choice {
      int weight;
      Operation (Generator::*make)();
    };
    static constexpr Choice kChoices[] = {
        {180, &Generator::make_range},      {70, &Generator::make_delete},
        {260, &Generator::make_txn},        {6, &Generator::make_compaction},
        {12, &Generator::make_hash},        {30, &Generator::make_grant},
        {15, &Generator::make_revoke},      {20, &Generator::make_time_to_live},
        {8, &Generator::make_leases},       {15, &Generator::make_keep_alive},
        {4, &Generator::make_picked_lease}, {50, &Generator::make_watch},
        {20, &Generator::make_other},
    };
    auto at = static_cast<int>(rng_.below(1000));
    for (const Choice& choice : kChoices) {
      if (at < choice.weight) return (this->*choice.make)();
      at -= choice.weight;
    }
    return put();
  }

 private:
  bool chance(double p) { return rng_.chance(p); }
  template <class T, std::size_t N>
  T pick(const T (&list)[N]) {
    return list[rng_.below(N)];
  }

  // ---- keys, values, revisions ----

  std::string key() {
    static const std::string kOdd[] = {
        std::string(1, '\0'),   "k\xff",   "\xff\xff", "/", "canary0",
        std::string("a\0b", 3), "\xc3\x28"};
    if (chance(0.05)) return pick(kOdd);
    static const char* const kDirs[] = {"a/", "b/", "b/c/", "d"};
    return pick(kDirs) + std::to_string(rng_.below(9));
  }
  std::string request_key() { return chance(0.01) ? "" : key(); }

  static std::string after_prefix(std::string prefix) {
    while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
    if (prefix.empty()) return std::string(1, '\0');
    ++prefix.back();
    return prefix;
  }

  // Sets key and range_end; a single key with the chance `single`.
  template <class Request>
  void range_of(Request* request, double single) {
    request->set_key(request_key());
    if (chance(single)) return;
    switch (rng_.below(8)) {
      case 0:
        request->set_range_end(std::string(1, '\0'));  // from the key on
        break;
      case 1:
        request->set_key(std::string(1, '\0'));  // all
        request->set_range_end(std::string(1, '\0'));
        break;
      case 2:
        request->set_range_end(key());  // maybe upside down
        break;
      case 3:
        request->set_range_end(request->key());
        break;
      default:
        static const char* const kPrefixes[] = {"a/", "b/", "b/c/", "d", "\xff"};
        request->set_key(pick(kPrefixes));
        request->set_range_end(after_prefix(request->key()));
    }
  }

  std::string value() {
    if (chance(0.1)) return {};
    if (chance(0.004)) return std::string(std::size_t(rng_.between(100 << 10, 700 << 10)), 'v');
    return "v" + std::to_string(rng_.below(60)) + std::string(rng_.below(40), 'x');
  }

  std::int64_t old_revision() {
    return rng_.between(std::max<std::int64_t>(view_.compacted, 1), view_.revision);
  }
  std::int64_t any_revision() {
    if (chance(0.04)) return -rng_.between(1, 5);
    if (chance(0.05)) return view_.revision + rng_.between(1, 4);
    if (chance(0.05)) return std::max<std::int64_t>(view_.compacted, 1) - rng_.between(0, 3);
    if (chance(0.1)) return view_.revision;
    return old_revision();
  }
  std::int64_t any_lease() {
    static const std::int64_t kUnknown[] = {4711, -1, 99};
    if (view_.leases.empty() || chance(0.05)) return pick(kUnknown);
    auto it = view_.leases.begin();
    std::advance(it, std::ptrdiff_t(rng_.below(view_.leases.size())));
    return *it;
  }

  // ---- KV ----

  pb::RangeRequest range() {
    pb::RangeRequest r;
    range_of(&r, 0.3);
    if (chance(0.4)) r.set_limit(chance(0.05) ? -1 : rng_.between(1, 8));
    if (chance(0.3)) r.set_revision(any_revision());
    if (chance(0.5)) {
      r.set_sort_order(pb::RangeRequest::SortOrder(rng_.below(3)));
      r.set_sort_target(pb::RangeRequest::SortTarget(rng_.below(5)));
    }
    if (chance(0.005)) r.set_sort_order(pb::RangeRequest::SortOrder(7));
    // An unknown sort target is not asked for: etcd 3.4 dies of it.
    r.set_serializable(chance(0.2));
    r.set_keys_only(chance(0.15));
    r.set_count_only(chance(0.1));
    if (chance(0.08)) r.set_min_mod_revision(any_revision());
    if (chance(0.08)) r.set_max_mod_revision(any_revision());
    if (chance(0.08)) r.set_min_create_revision(any_revision());
    if (chance(0.08)) r.set_max_create_revision(any_revision());
    return r;
  }
  pb::PutRequest put() {
    pb::PutRequest r;
    r.set_key(request_key());
    r.set_value(value());
    if (chance(0.25)) r.set_lease(any_lease());
    r.set_prev_kv(chance(0.3));
    if (chance(0.08)) {
      r.set_ignore_value(true);
      if (!chance(0.1)) r.clear_value();
    }
    if (chance(0.08)) {
      r.set_ignore_lease(true);
      if (!chance(0.1)) r.clear_lease();
    }
    if (chance(0.002)) r.set_value(std::string(1'600'000, 'L'));  // over the request limit
    if (chance(0.001)) r.set_value(std::string(2'200'000, 'M'));  // over the message limit
    return r;
  }
  pb::DeleteRangeRequest del() {
    pb::DeleteRangeRequest r;
    range_of(&r, 0.6);
    if (r.range_end() == std::string(1, '\0') && chance(0.7)) r.clear_range_end();
    r.set_prev_kv(chance(0.4));
    return r;
  }

  pb::Compare compare() {
    pb::Compare c;
    c.set_result(pb::Compare::CompareResult(rng_.below(4)));
    c.set_target(pb::Compare::CompareTarget(rng_.below(5)));
    if (chance(0.005)) c.set_result(pb::Compare::CompareResult(9));
    if (chance(0.005)) c.set_target(pb::Compare::CompareTarget(9));
    range_of(&c, 0.8);
    // Rarely of another kind than the target, or none at all.
    switch (chance(0.05) ? int(rng_.below(6)) : int(c.target())) {
      case pb::Compare::VERSION:
        c.set_version(rng_.between(0, 3));
        break;
      case pb::Compare::CREATE:
        c.set_create_revision(chance(0.4) ? 0 : any_revision());
        break;
      case pb::Compare::MOD:
        c.set_mod_revision(chance(0.4) ? 0 : any_revision());
        break;
      case pb::Compare::VALUE:
        c.set_value(value());
        break;
      case pb::Compare::LEASE:
        c.set_lease(chance(0.4) ? 0 : any_lease());
        break;
      default:
        break;
    }
    return c;
  }

  void fill(pb::RequestOp* op, int depth) {
    const auto what = rng_.below(100);
    if (chance(0.004)) return;  // no operation
    if (what < 35) {
      *op->mutable_request_range() = range();
      // Only a plain Range tells the versions apart; a txn would leave them with different keys.
      if (op->request_range().sort_order() > 2) op->mutable_request_range()->clear_sort_order();
    } else if (what < 65) {
      *op->mutable_request_put() = put();
      if (op->request_put().value().size() > 1'000'000) op->mutable_request_put()->clear_value();
      if (!txn_keeps_) {
        op->mutable_request_put()->clear_ignore_value();
        op->mutable_request_put()->clear_ignore_lease();
      }
    } else if (!txn_keeps_ && (what < 85 || depth >= 3)) {
      *op->mutable_request_delete_range() = del();
    } else if (depth < 3) {
      *op->mutable_request_txn() = txn(depth + 1);
    } else {
      op->mutable_request_range()->set_key(key());
    }
  }

  pb::TxnRequest txn(int depth) {
    pb::TxnRequest t;
    for (auto n = rng_.below(4); n > 0; --n) *t.add_compare() = compare();
    for (auto n = rng_.below(5); n > 0; --n) fill(t.add_success(), depth);
    for (auto n = rng_.below(4); n > 0; --n) fill(t.add_failure(), depth);
    return t;
  }

  // Around the limit of 128, which nesting spends too.
  pb::TxnRequest long_txn() {
    pb::TxnRequest t;
    pb::TxnRequest* level = &t;
    if (chance(0.5)) {
      const auto outer = rng_.between(1, 4);
      for (auto n = outer; n > 1; --n) t.add_success()->mutable_request_range()->set_key(key());
      level = t.add_success()->mutable_request_txn();
    }
    for (auto n = rng_.between(123, 130); n > 0; --n) {
      pb::RequestOp* op = level->add_success();
      op->mutable_request_put()->set_key("t/" + std::to_string(n));
      op->mutable_request_put()->set_value("t");
    }
    return t;
  }

  Operation make_range() { return range(); }
  Operation make_delete() { return del(); }
  Operation make_txn() {
    if (chance(0.02)) return long_txn();
    txn_keeps_ = chance(0.3);
    if (!chance(0.2)) return txn(0);
    // As Kubernetes writes.
    pb::TxnRequest t;
    pb::Compare* c = t.add_compare();
    c->set_target(pb::Compare::MOD);
    c->set_key(key());
    c->set_mod_revision(chance(0.5) ? 0 : old_revision());
    t.add_success()->mutable_request_put()->set_key(c->key());
    t.mutable_success(0)->mutable_request_put()->set_value(value());
    t.add_failure()->mutable_request_range()->set_key(c->key());
    return t;
  }
  // Never 0: it succeeds once, and leaves etcd with a hash of revision 0 it answers ever after.
  Operation make_compaction() {
    pb::CompactionRequest r;
    r.set_revision(chance(0.3) ? any_revision() : old_revision());
    if (r.revision() == 0) r.set_revision(view_.revision);
    r.set_physical(chance(0.7));
    return r;
  }
  Operation make_hash() {
    pb::HashKVRequest r;
    if (chance(0.6)) r.set_revision(any_revision());
    return r;
  }

  // ---- leases ----

  Operation make_grant() {
    pb::LeaseGrantRequest r;
    r.set_id(chance(0.1) ? any_lease() : rng_.between(1, 200));
    r.set_ttl(rng_.between(2000, 4000));
    if (chance(0.03)) r.set_ttl(9'000'000'001);
    if (chance(0.03)) r.set_ttl(9'000'000'000);
    return r;
  }
  Operation make_revoke() {
    pb::LeaseRevokeRequest r;
    r.set_id(any_lease());
    return r;
  }
  Operation make_time_to_live() {
    pb::LeaseTimeToLiveRequest r;
    r.set_id(any_lease());
    r.set_keys(chance(0.7));
    return r;
  }
  Operation make_leases() { return pb::LeaseLeasesRequest(); }
  Operation make_keep_alive() { return KeepAlive{any_lease()}; }
  Operation make_picked_lease() { return PickedLease{rng_.between(-3, 100)}; }

  // ---- watches ----

  Operation make_watch() {
    const int stream = int(rng_.below(kStreams));
    const auto open = view_.streams.find(stream);
    if (open == view_.streams.end()) return WatchOpen{stream};
    if (chance(0.02)) return WatchClose{stream};
    WatchSend send;
    send.stream = stream;
    const auto what = rng_.below(100);
    if (what < 10) {
      send.request.mutable_progress_request();
    } else if (what < 35 || open->second.size() >= kWatchersPerStream) {
      send.request.mutable_cancel_request()->set_watch_id(any_watcher(open->second));
    } else {
      *send.request.mutable_create_request() = watch(open->second);
    }
    return send;
  }
  std::int64_t any_watcher(const std::map<std::int64_t, View::Watcher>& watchers) {
    if (watchers.empty() || chance(0.1)) return rng_.between(50, 60);
    auto it = watchers.begin();
    std::advance(it, std::ptrdiff_t(rng_.below(watchers.size())));
    return it->first;
  }
  pb::WatchCreateRequest watch(const std::map<std::int64_t, View::Watcher>& watchers) {
    pb::WatchCreateRequest w;
    range_of(&w, 0.3);
    if (chance(0.5)) w.set_start_revision(any_revision());
    w.set_progress_notify(chance(0.3));
    w.set_prev_kv(chance(0.5));
    w.set_fragment(chance(0.5));
    if (chance(0.15)) w.add_filters(pb::WatchCreateRequest::NOPUT);
    if (chance(0.15)) w.add_filters(pb::WatchCreateRequest::NODELETE);
    if (chance(0.02)) w.add_filters(pb::WatchCreateRequest::FilterType(5));
    if (chance(0.2)) w.set_watch_id(chance(0.3) ? any_watcher(watchers) : rng_.between(1, 40));
    return w;
  }

  // ---- the rest ----

  Operation make_other() {
    switch (rng_.below(9)) {
      case 0:
        return pb::MemberListRequest();
      case 1:
        return pb::StatusRequest();
      case 2: {
        pb::AlarmRequest r;
        r.set_alarm(pb::AlarmType(rng_.below(3)));
        return r;
      }
      case 3: {
        pb::AuthenticateRequest r;
        r.set_name("root");
        return r;
      }
      case 4:
        return pb::AuthEnableRequest();
      case 5:
        return pb::AuthDisableRequest();
      case 6:
        return pb::AuthUserListRequest();
      case 7:
        return pb::AuthRoleListRequest();
      default: {
        pb::AuthUserGetRequest r;
        r.set_name("root");
        return r;
      }
    }
  }

  Rng rng_;
  const View& view_;
  // A txn either deletes or keeps old values and leases: etcd dies of one that deletes a key first
  // and then puts it with ignore_value.
  bool txn_keeps_ = false;
};

}  // namespace

Operation make_operation(std::uint64_t seed, const View& view) {
  return Generator(seed, view).make();
}

}  // namespace coracle::differential
