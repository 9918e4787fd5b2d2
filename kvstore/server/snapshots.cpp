#include "server/snapshots.hpp"

#include <grpcpp/grpcpp.h>

#include "base/log.hpp"
#include "member/peer_codec.hpp"
#include "raft/peer.grpc.pb.h"

namespace coracle::store {
namespace {

constexpr size_t kPieceBytes = 256 << 10;

// The pairs of a state as pieces; false when the stream broke.
bool stream_state(const mvcc::StateSnapshot& snapshot, SnapshotPiece first,
                  grpc::ClientWriter<SnapshotPiece>* writer) {
  SnapshotPiece piece = std::move(first);
  size_t bytes = 0;
  std::uint64_t pairs = 0;
  bool ok = true;
  for (int family = 0; ok && family < mvcc::kFamilies; ++family) {
    snapshot.scan(mvcc::Family(family), "", "", [&](std::string_view key, std::string_view value) {
      auto* pair = piece.add_pairs();
      pair->set_family(std::uint32_t(family));
      pair->set_key(key.data(), key.size());
      pair->set_value(value.data(), value.size());
      ++pairs;
      bytes += key.size() + value.size();
      if (bytes < kPieceBytes) return true;
      ok = writer->Write(piece);
      piece.Clear();
      bytes = 0;
      return ok;
    });
  }
  if (!ok) return false;
  piece.set_end(true);
  piece.set_pair_count(pairs);
  return writer->Write(piece) && writer->WritesDone();
}

}  // namespace

Status SnapshotReceiver::add(const SnapshotPiece& piece) {
  if (complete_) return invalid_argument("snapshot: a piece after the end");
  mvcc::WriteBatch batch;
  for (const auto& pair : piece.pairs()) {
    if (pair.family() >= std::uint32_t(mvcc::kFamilies)) {
      return invalid_argument("snapshot: unknown family");
    }
    batch.put(mvcc::Family(pair.family()), pair.key(), pair.value());
  }
  pairs_ += std::uint64_t(piece.pairs_size());
  if (!batch.empty()) state_->write(batch);
  if (!piece.end()) return {};
  if (piece.pair_count() != pairs_) return data_loss("snapshot: pairs are missing");
  complete_ = true;
  return {};
}

void SnapshotSender::send(const raft::InstallSnapshot& order,
                          std::shared_ptr<grpc::Channel> channel,
                          std::shared_ptr<mvcc::StateSnapshot> state) {
  Job& job = jobs_[order.to];
  cancel(&job);
  SnapshotPiece first;
  encode(order, cluster_, first.mutable_header());
  job.context = std::make_shared<grpc::ClientContext>();
  job.thread = std::thread([=, this, context = job.context]() mutable {
    InstallReply reply;
    const auto stub = Peer::NewStub(channel);
    const auto writer = stub->Install(context.get(), &reply);
    const bool sent = stream_state(*state, std::move(first), writer.get());
    const grpc::Status status = writer->Finish();
    state.reset();
    if (!status.ok()) {
      log::warn("snapshot to member {:x} failed: {}", order.to.value, status.error_message());
    }
    done_(order.to, sent && status.ok());
  });
}

void SnapshotSender::cancel(Job* job) {
  if (!job->thread.joinable()) return;
  job->context->TryCancel();
  job->thread.join();
}

void SnapshotSender::cancel_all() {
  for (auto& [peer, job] : jobs_) cancel(&job);
  jobs_.clear();
}

}  // namespace coracle::store
