// Compactor: every kInterval one of the apiservers that share a store compacts it to where it stood
// an interval ago. They agree by a key, compact_rev_key, as upstream's do, so stock and our servers
// can share a store. Strand only; failures wait for the next round.
#pragma once

#include <memory>

#include "base/executor.hpp"
#include "client/store.hpp"

namespace coracle::apiserver {

class Compactor {
 public:
  static constexpr Duration kInterval = std::chrono::minutes(5);

  Compactor(Executor& executor, client::Store& store) : executor_(executor), store_(store) {}
  ~Compactor() { *alive_ = false; }

  void start();

 private:
  Task<bool> round();

  Executor& executor_;
  client::Store& store_;
  std::int64_t key_revision_ = 0;    // of compact_rev_key when last seen
  std::int64_t store_revision_ = 0;  // of the store then
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace coracle::apiserver
