// SealedStore: a Store in front of another one that seals the values of the resources an
// EncryptionConfig names and opens them again. Everything behind it sees plain objects.
//
// Strand: the inner Store's, which outlives it. What is not named, and what is not a resource
// (ranges, compact_rev_key), passes untouched.
// Errors: a single value that cannot be opened is a DataLoss with upstream's sentence; in ranges
// and watches its KeyValue says Form::kUnreadable, so that one bad value does not hide the others.
#pragma once

#include <map>
#include <string>

#include "api/catalog.hpp"
#include "apiserver/at_rest/encryption_config.hpp"
#include "client/store.hpp"

namespace coracle::apiserver {

class SealedStore final : public client::Store {
 public:
  SealedStore(client::Store& inner, EncryptionConfig config, const api::Catalog& builtin,
              RandomBytes random);

  Task<Result<client::RangeResult>> range(client::RangeRequest request) override;
  Task<Result<client::GuardedResult>> write(client::GuardedWrite request) override;
  std::unique_ptr<client::Watch> watch(client::WatchRequest request,
                                       client::WatchSink sink) override;
  Task<Result<std::int64_t>> grant_lease(std::int64_t ttl_seconds) override;
  Task<Result<bool>> compact(std::int64_t revision) override;
  Task<Result<client::StoreStatus>> status() override;

 private:
  // Null: stored as it is.
  const Providers* providers_of(std::string_view key) const;
  void open(client::KeyValue& kv) const;

  client::Store& inner_;
  const EncryptionConfig config_;
  const RandomBytes random_;
  std::map<std::string, const Providers*, std::less<>> by_prefix_;  // of built-in resources
};

}  // namespace coracle::apiserver
