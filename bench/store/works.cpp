#include "bench_store/works.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>

#include "bench_store/messages.hpp"

namespace coracle::bench {
namespace {

constexpr std::string_view kPrefixEnd = "/registry/configmaps/bench0";
constexpr std::uint64_t kPutKeys = 100'000;
constexpr int kReadKeys = 10'000;

class Puts final : public Work {
 public:
  Puts(int client, size_t bytes, std::uint64_t keys)
      : rng_(std::uint64_t(client) + 1), bytes_(bytes), keys_(keys) {}
  // The value begins with the time, for those who watch.
  Request next() override {
    std::string value(value_bytes(rng_, bytes_));
    const std::int64_t now = real_clock().now().time_since_epoch().count();
    std::memcpy(value.data(), &now, sizeof now);
    return {kPutPath, put_request(key_of(rng_.below(keys_)), value)};
  }
  bool accept(std::string_view head, std::size_t length) override { return length > 0; }

 private:
  Rng rng_;
  const size_t bytes_;
  const std::uint64_t keys_;
};

class Creates final : public Work {
 public:
  explicit Creates(int client) : client_(client), rng_(std::uint64_t(client) + 1) {}
  Request next() override {
    const std::string key = fmt::format("{}new-{:03}-{:08}", kPrefix, client_, ++made_);
    return {kTxnPath, txn_put(key, 0, value_bytes(rng_, 1024))};
  }
  bool accept(std::string_view head, std::size_t) override { return read_txn(head).succeeded; }

 private:
  const int client_;
  std::uint64_t made_ = 0;
  Rng rng_;
};

class Gets final : public Work {
 public:
  Gets(int client, bool serializable)
      : rng_(std::uint64_t(client) + 1), serializable_(serializable) {}
  Request next() override {
    const std::string key = key_of(rng_.below(std::uint64_t(kReadKeys)));
    return {kRangePath, range_request({.key = key, .limit = 1, .serializable = serializable_})};
  }
  // A member that lags may not know the key yet, if it may answer alone.
  bool accept(std::string_view head, std::size_t) override {
    return serializable_ || read_range(head).count == 1;
  }

 private:
  Rng rng_;
  const bool serializable_;
};

class Lists final : public Work {
 public:
  Lists(int client, std::int64_t limit) : rng_(std::uint64_t(client) + 1), limit_(limit) {}
  Request next() override {
    const std::string key = key_of(rng_.below(std::uint64_t(kReadKeys - limit_ + 1)));
    return {kRangePath, range_request({.key = key, .range_end = kPrefixEnd, .limit = limit_})};
  }
  bool accept(std::string_view, std::size_t length) override {
    return length > std::size_t(limit_) * 1024;
  }

 private:
  Rng rng_;
  const std::int64_t limit_;
};

// What an apiserver sends while controllers and kubelets work: of 100 calls 40 updates at a
// revision, 36 Gets, 10 questions for the current revision, 6 creates, 6 deletes, 2 lists of 500.
class Kubernetes final : public Work {
 public:
  explicit Kubernetes(int client) : client_(client), rng_(std::uint64_t(client) + 1) {}

  Request next() override {
    const std::uint64_t dice = rng_.below(100);
    is_txn_ = true;
    if (live_.size() < 4 || dice < 6) return create();
    if (dice < 12) return remove();
    if (dice < 52) return update();
    is_txn_ = false;
    if (dice < 88) return get();
    if (dice < 98) return {kRangePath, range_request({.key = "/registry/configmaps", .limit = 1})};
    return {kRangePath, range_request({.key = kPrefix, .range_end = kPrefixEnd, .limit = 500})};
  }

  bool accept(std::string_view head, std::size_t length) override {
    if (!is_txn_) return length > 0;
    const Answer answer = read_txn(head);
    if (pending_ != nullptr) pending_->mod = answer.revision;
    pending_ = nullptr;
    return answer.succeeded;
  }

 private:
  struct Object {
    std::string key;
    std::int64_t mod = 0;
  };

  Request create() {
    live_.push_back({fmt::format("{}obj-{:03}-{:08}", kPrefix, client_, ++made_)});
    pending_ = &live_.back();
    return {kTxnPath, txn_put(pending_->key, 0, value_bytes(rng_, 1024))};
  }
  Request update() {
    pending_ = &live_[rng_.below(live_.size())];
    return {kTxnPath, txn_put(pending_->key, pending_->mod, value_bytes(rng_, 1024))};
  }
  Request remove() {
    const Object object = live_.front();
    live_.pop_front();
    return {kTxnPath, txn_delete(object.key, object.mod)};
  }
  Request get() {
    return {kRangePath, range_request({.key = live_[rng_.below(live_.size())].key, .limit = 1})};
  }

  const int client_;
  std::uint64_t made_ = 0;
  std::deque<Object> live_;
  Object* pending_ = nullptr;
  bool is_txn_ = false;
  Rng rng_;
};

// The clients share the number of the next key.
class Fill final : public Work {
 public:
  Fill(int client, std::shared_ptr<std::uint64_t> next, std::uint64_t last, size_t bytes)
      : next_(std::move(next)), last_(last), bytes_(bytes), rng_(std::uint64_t(client) + 1) {}
  Request next() override {
    const std::uint64_t number = std::min((*next_)++, last_ - 1);
    return {kPutPath, put_request(key_of(number), value_bytes(rng_, bytes_))};
  }
  bool accept(std::string_view, std::size_t length) override { return length > 0; }

 private:
  const std::shared_ptr<std::uint64_t> next_;
  const std::uint64_t last_;
  const size_t bytes_;
  Rng rng_;
};

template <class T, class... Args>
MakeWork make(Args... args) {
  return [=](int client) { return std::make_unique<T>(client, args...); };
}

}  // namespace

std::string key_of(std::uint64_t number) { return fmt::format("{}key-{:08}", kPrefix, number); }

std::string_view value_bytes(Rng& rng, size_t size) {
  static const std::string pool = [] {
    Rng source(1);
    std::string bytes;
    while (bytes.size() < (1 << 20)) {
      const std::uint64_t word = source.next();
      bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
    }
    return bytes;
  }();
  return std::string_view(pool).substr(rng.below(pool.size() - size), size);
}

const std::vector<WorkSpec>& all_works() {
  static const std::vector<WorkSpec> works = {
      {"put", "Put of 1 KiB, 64 clients", 64, 0, 1024, 0, make<Puts>(size_t(1024), kPutKeys)},
      {"put256", "the same, 256 clients", 256, 0, 1024, 0, make<Puts>(size_t(1024), kPutKeys)},
      {"txn", "create by Txn, as an apiserver does, 64 clients", 64, 0, 1024, 0, make<Creates>()},
      {"get", "linearizable Get of 1 KiB, 64 clients", 64, kReadKeys, 1024, 0, make<Gets>(false)},
      {"get-serial", "serializable Get, 64 clients", 64, kReadKeys, 1024, 0, make<Gets>(true)},
      {"range500", "Range of 500 x 1 KiB, 8 clients", 8, kReadKeys, 1024, 0,
       make<Lists>(std::int64_t(500))},
      {"range10k", "Range of 10,000 x 1 KiB, 2 clients", 2, kReadKeys, 1024, 0,
       make<Lists>(std::int64_t(10'000))},
      {"watch", "1,000 watchers on one prefix, 8 clients Put 256 B; counts events", 8, 0, 256, 1000,
       make<Puts>(size_t(256), std::uint64_t(1000))},
      {"mixed", "an apiserver's mix, 64 clients, 12 watchers", 64, 1000, 1024, 12,
       make<Kubernetes>()},
      {"resident", "memory with 100,000 keys of 1 KiB", 64, 100'000, 1024, 0, {}},
  };
  return works;
}

Filling fill_work(std::uint64_t first, std::uint64_t last, size_t bytes) {
  auto next = std::make_shared<std::uint64_t>(first);
  return {make<Fill>(next, last, bytes), [next, last] { return *next >= last; }};
}

}  // namespace coracle::bench
