#include "apiserver/at_rest/sealed_store.hpp"

#include "base/json.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::string_view kRoot = "/registry/";

std::string refusal(const std::string& key, const std::string& why) {
  return "unable to transform key " + to_json(json::value(key)) + ": " + why;
}

}  // namespace

SealedStore::SealedStore(client::Store& inner, EncryptionConfig config, const api::Catalog& builtin,
                         RandomBytes random)
    : inner_(inner), config_(std::move(config)), random_(std::move(random)) {
  for (const api::ResourceInfo& info : builtin.resources()) {
    if (!info.storage) continue;
    // events.k8s.io is kept as core events are.
    const std::string group = info.kind == "Event" ? "" : info.group;
    by_prefix_[info.storage_prefix] = config_.find(group, info.plural);
  }
}

const Providers* SealedStore::providers_of(std::string_view key) const {
  if (!key.starts_with(kRoot)) return nullptr;
  key.remove_prefix(kRoot.size());
  const std::size_t first = key.find('/');
  if (first == std::string_view::npos) return nullptr;
  const std::size_t second = key.find('/', first + 1);
  for (const std::size_t cut : {second, first}) {
    if (cut == std::string_view::npos) continue;
    const auto known = by_prefix_.find(key.substr(0, cut));
    if (known != by_prefix_.end()) return known->second;
  }
  // A custom kind: its group, a domain, and its plural.
  const std::string_view group = key.substr(0, first);
  if (second == std::string_view::npos || group.find('.') == std::string_view::npos) return nullptr;
  return config_.find(group, key.substr(first + 1, second - first - 1));
}

void SealedStore::open(client::KeyValue& kv) const {
  const Providers* providers = providers_of(kv.key);
  if (providers == nullptr) return;
  auto opened = providers->open(kv.value, kv.key);
  if (!opened.ok()) {
    kv.form = client::KeyValue::Form::kUnreadable;
    kv.value = refusal(kv.key, opened.status().message());
    return;
  }
  kv.value = std::move(opened->plain);
  if (opened->outdated) kv.form = client::KeyValue::Form::kOutdated;
}

Task<Result<client::RangeResult>> SealedStore::range(client::RangeRequest request) {
  const bool values = !request.keys_only && !request.count_only;
  const bool one = request.range_end.empty();
  auto result = co_await inner_.range(std::move(request));
  if (!result.ok() || !values) co_return result;
  for (client::KeyValue& kv : result->kvs) {
    open(kv);
    if (one && kv.form == client::KeyValue::Form::kUnreadable) co_return data_loss(kv.value);
  }
  co_return result;
}

Task<Result<client::GuardedResult>> SealedStore::write(client::GuardedWrite request) {
  if (request.op == client::GuardedWrite::Op::kPut) {
    if (const Providers* providers = providers_of(request.key)) {
      request.value = providers->seal(request.value, request.key, random_);
    }
  }
  auto result = co_await inner_.write(std::move(request));
  if (!result.ok()) co_return result;
  for (client::KeyValue& kv : result->current) {
    open(kv);
    if (kv.form == client::KeyValue::Form::kUnreadable) co_return data_loss(kv.value);
  }
  co_return result;
}

std::unique_ptr<client::Watch> SealedStore::watch(client::WatchRequest request,
                                                  client::WatchSink sink) {
  client::WatchSink opened;
  opened.on_end = std::move(sink.on_end);
  opened.on_events = [this, pass = std::move(sink.on_events)](
                         std::vector<client::WatchEvent> events, std::int64_t revision) {
    for (client::WatchEvent& event : events) {
      if (!event.is_delete) open(event.kv);
      if (event.has_previous) open(event.previous);
    }
    pass(std::move(events), revision);
  };
  return inner_.watch(std::move(request), std::move(opened));
}

Task<Result<std::int64_t>> SealedStore::grant_lease(std::int64_t ttl_seconds) {
  return inner_.grant_lease(ttl_seconds);
}
Task<Result<bool>> SealedStore::compact(std::int64_t revision) { return inner_.compact(revision); }
Task<Result<client::StoreStatus>> SealedStore::status() { return inner_.status(); }

}  // namespace coracle::apiserver
