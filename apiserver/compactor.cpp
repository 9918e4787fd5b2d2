#include "apiserver/compactor.hpp"

#include "base/log.hpp"

namespace coracle::apiserver {

void Compactor::start() {
  executor_.after(kInterval, [this, alive = alive_] {
    if (!*alive) return;
    spawn(round(), std::function<void(bool)>([this, alive](bool) {
            if (*alive) start();
          }));
  });
}

Task<bool> Compactor::round() {
  const auto alive = alive_;
  client::GuardedWrite write;
  write.key = "compact_rev_key";
  write.value = std::to_string(store_revision_);
  write.expected_mod_revision = key_revision_;
  const auto result = co_await store_.write(std::move(write));
  if (!*alive || !result.ok()) co_return false;
  const std::int64_t target = store_revision_;
  store_revision_ = result->revision;
  if (!result->succeeded) {  // another server's turn
    key_revision_ = result->current.empty() ? 0 : result->current[0].mod_revision;
    co_return false;
  }
  key_revision_ = result->revision;
  if (target == 0) co_return false;
  const auto compacted = co_await store_.compact(target);
  if (!compacted.ok() && compacted.status().code() != Code::kOutOfRange) {
    log::warn("cannot compact the store: {}", compacted.status().to_string());
  }
  co_return compacted.ok();
}

}  // namespace coracle::apiserver
