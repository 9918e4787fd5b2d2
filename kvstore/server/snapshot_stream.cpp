#include "server/snapshot_stream.hpp"

#include "member/errors.hpp"
#include "member/version.hpp"
#include "server/grpc_status.hpp"

namespace coracle::store {
namespace {

class SnapshotStream final : public grpc::ServerWriteReactor<pb::SnapshotResponse> {
 public:
  SnapshotStream(Member& member, StateCopies& copies) : member_(member) {
    const bool taken = member.loop().try_post([this, &copies] {
      auto copy = copies.open(member_);
      if (!copy.ok()) return Finish(to_grpc(copy.status()));
      copy_ = std::move(copy).value();
      member_.fill_header(response_.mutable_header());
      StartSendInitialMetadata();  // its end comes on a thread that may read the disk
    });
    if (!taken) Finish(to_grpc(err_too_many_requests()));
  }

  void OnSendInitialMetadataDone(bool ok) override {
    if (!ok) return give_up();
    Result<bool> more = true;
    while (more.ok() && *more) more = copy_->measure_more();
    if (!more.ok()) return Finish(to_grpc(more.status()));
    remaining_ = copy_->total_bytes();
    write_next();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return give_up();
    response_.Clear();
    write_next();
  }

  void OnDone() override { delete this; }

 private:
  void write_next() {
    auto piece = copy_->next();
    if (!piece.ok()) return Finish(to_grpc(piece.status()));
    if (piece->empty()) return Finish(grpc::Status::OK);
    remaining_ -= piece->size();
    response_.set_remaining_bytes(remaining_);
    response_.set_blob(std::move(*piece));
    response_.set_version(kStorageVersion);
    StartWrite(&response_);
  }

  void give_up() {
    copy_->revoke();
    Finish(grpc::Status::CANCELLED);
  }

  Member& member_;
  std::shared_ptr<StateCopy> copy_;
  pb::SnapshotResponse response_;
  std::uint64_t remaining_ = 0;
};

}  // namespace

Result<std::shared_ptr<StateCopy>> StateCopies::open(Member& member) {
  std::erase_if(copies_, [](const auto& copy) { return copy.expired(); });
  if (copies_.size() >= kCopiesMax) return err_too_many_requests();
  const AppliedMark applied = member.machine().applied();
  const disk::SnapshotInfo info{member.identity(), member.machine().store().revision(),
                                applied.index, applied.term};
  auto copy = std::make_shared<StateCopy>(member.state().snapshot(), info);
  copies_.push_back(copy);
  return copy;
}

void StateCopies::revoke_all() {
  for (const auto& weak : copies_) {
    if (const auto copy = weak.lock()) copy->revoke();
  }
  copies_.clear();
}

grpc::ServerWriteReactor<pb::SnapshotResponse>* stream_snapshot(Member& member,
                                                                StateCopies& copies) {
  return new SnapshotStream(member, copies);
}

}  // namespace coracle::store
