#include "cluster_sim/acknowledged.hpp"

#include <fmt/format.h>

namespace coracle::cluster_sim {

void Acknowledged::note(const client::GuardedWrite& write, const client::GuardedResult& result) {
  if (!on_ || !result.succeeded) return;
  waiting_.push_back({write.key, result.revision, write.op == client::GuardedWrite::Op::kPut});
}

std::string Acknowledged::look(store::Member& leader) {
  const mvcc::Store& store = leader.machine().store();
  std::vector<Write> later;
  std::string broken;
  for (Write& write : waiting_) {
    if (write.revision > store.revision().value) {
      later.push_back(std::move(write));
      continue;
    }
    mvcc::RangeRequest request;
    request.key = write.key;
    request.revision = Revision(write.revision);
    const auto found = store.range(request);
    if (!found.ok()) continue;
    ++looked_at_;
    const bool there = found->kvs.size() == 1 && found->kvs[0].mod.value == write.revision;
    if (write.is_put ? there : found->kvs.empty()) continue;
    broken = fmt::format("the write of {} at revision {} was acknowledged, but is not there",
                         write.key, write.revision);
  }
  waiting_ = std::move(later);
  return broken;
}

}  // namespace coracle::cluster_sim
