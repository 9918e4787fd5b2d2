#include "server/snapshot_stream.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "etcd/rpc.pb.h"
#include "member/errors.hpp"
#include "member/version.hpp"
#include "server/calls.hpp"

namespace coracle::store {
namespace {

// Blobs read at once, so that a thread's start is not what most of the time goes into.
constexpr std::size_t kPartBytes = 1 << 20;

class SnapshotStream final : public net::GrpcServerStream,
                             public std::enable_shared_from_this<SnapshotStream> {
 public:
  SnapshotStream(Member& member, StateCopies& copies, std::shared_ptr<net::GrpcReply> reply)
      : member_(member), copies_(copies), reply_(std::move(reply)) {}

  void on_message(std::string) override {
    if (copy_) return;  // asked twice
    auto copy = copies_.open(member_);
    if (!copy.ok()) return reply_->finish(copy.status());
    copy_ = *std::move(copy);
    member_.fill_header(first_.mutable_header());
    aside([](StateCopy& state, Part* part) -> Status {
      Result<bool> more = true;
      while (more.ok() && *more) more = state.measure_more();
      RETURN_IF_ERROR(more.status());
      part->total = state.total_bytes();
      return read_part(state, part);
    });
  }
  void on_sent(std::size_t messages) override {
    unsent_ -= std::min(unsent_, messages);
    if (unsent_ == 0 && !reply_->over()) aside(read_part);
  }
  void on_gone() override {
    if (copy_) copy_->revoke();
  }

 private:
  struct Part {
    std::vector<std::string> blobs;
    std::optional<std::uint64_t> total;
    bool last = false;
  };

  static Status read_part(StateCopy& state, Part* part) {
    for (std::size_t bytes = 0; bytes < kPartBytes && !part->last;) {
      ASSIGN_OR_RETURN(std::string blob, state.next());
      bytes += blob.size();
      part->last = blob.empty();
      if (!part->last) part->blobs.push_back(std::move(blob));
    }
    return {};
  }

  template <class Work>
  void aside(Work work) {
    const auto part = std::make_shared<Part>();
    member_.folder().aside([copy = copy_, part, work] { return work(*copy, part.get()); },
                           [self = shared_from_this(), part](const Status& status) {
                             self->send(status, std::move(*part));
                           });
  }

  void send(const Status& status, Part part) {
    if (!status.ok()) return reply_->finish(status);
    if (part.total) remaining_ = *part.total;
    unsent_ = part.blobs.size();
    for (std::string& blob : part.blobs) {
      remaining_ -= blob.size();
      pb::SnapshotResponse response = std::exchange(first_, {});
      response.set_remaining_bytes(remaining_);
      response.set_blob(std::move(blob));
      response.set_version(kStorageVersion);
      reply_->send(wire_of(response));
    }
    if (part.last) reply_->finish({});
  }

  Member& member_;
  StateCopies& copies_;
  const std::shared_ptr<net::GrpcReply> reply_;
  std::shared_ptr<StateCopy> copy_;
  pb::SnapshotResponse first_;  // what only the first one says
  std::uint64_t remaining_ = 0;
  std::size_t unsent_ = 0;
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

std::shared_ptr<net::GrpcServerStream> stream_snapshot(Member& member, StateCopies& copies,
                                                       std::shared_ptr<net::GrpcReply> reply) {
  return std::make_shared<SnapshotStream>(member, copies, std::move(reply));
}

}  // namespace coracle::store
