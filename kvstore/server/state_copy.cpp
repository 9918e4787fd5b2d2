#include "server/state_copy.hpp"

namespace coracle::store {
namespace {

Status revoked() {
  return unavailable("etcdserver: the member replaces its state; save the snapshot again");
}

}  // namespace

StateCopy::StateCopy(std::unique_ptr<mvcc::StateSnapshot> state, const disk::SnapshotInfo& info)
    : state_(std::move(state)), encoder_(*state_, info) {}

Result<bool> StateCopy::measure_more() {
  const std::lock_guard lock(mutex_);
  if (state_ == nullptr) return revoked();
  return encoder_.measure_more();
}

Result<std::string> StateCopy::next() {
  const std::lock_guard lock(mutex_);
  if (state_ == nullptr) return revoked();
  return encoder_.next();
}

void StateCopy::revoke() {
  const std::lock_guard lock(mutex_);
  state_.reset();
}

}  // namespace coracle::store
