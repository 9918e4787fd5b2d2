// What comes in on the peer port: envelopes of messages, and the header of a sent state. What is
// accepted survives being sent on.
#include "base/check.hpp"
#include "input.hpp"
#include "member/peer_codec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coracle;
  fuzz::Input input(data, size);
  const bool is_piece = input.byte() % 4 == 0;
  const std::string_view bytes = input.rest();
  if (is_piece) {
    store::SnapshotPiece piece;
    if (!piece.ParseFromArray(bytes.data(), int(bytes.size()))) return 0;
    const raft::InstallSnapshot order = store::decode(piece.header());
    store::SnapshotHeader again;
    store::encode(order, piece.header().cluster(), &again);
    CHECK(store::decode(again) == order);
    return 0;
  }
  store::Envelope envelope;
  if (!envelope.ParseFromArray(bytes.data(), int(bytes.size()))) return 0;
  for (const store::Message& message : envelope.messages()) {
    const auto decoded = store::decode(message);
    if (!decoded.ok()) continue;
    store::Message again;
    store::encode(*decoded, &again);
    const auto twice = store::decode(again);
    CHECK(twice.ok() && *twice == *decoded);
  }
  return 0;
}
