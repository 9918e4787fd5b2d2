// Requests as clients send them: wire bytes -> checks -> a small store -> wire bytes. After each
// accepted one the invariants of the store hold; at the end a restart sees the same.
#include "base/check.hpp"
#include "etcd/rpc.pb.h"
#include "input.hpp"
#include "member/convert.hpp"
#include "mvcc/check.hpp"
#include "mvcc/testing.hpp"

namespace {

using namespace coracle;
namespace pb = etcdserverpb;

constexpr int kRequestsMax = 24;

// What is read out again must fit the wire, whatever was asked.
template <class Wire, class Result>
void answer(Result result) {
  Wire wire;
  store::to_wire(std::move(result), &wire);
  const std::string bytes = wire.SerializeAsString();
  Wire again;
  CHECK(again.ParseFromString(bytes));
}

void range(mvcc::testing::Bench& bench, std::string_view bytes) {
  pb::RangeRequest wire;
  if (!wire.ParseFromArray(bytes.data(), int(bytes.size()))) return;
  const mvcc::RangeRequest request = store::from_wire(wire);
  if (!mvcc::check_range(request).ok()) return;
  auto found = bench.store->range(request);
  const auto raw = bench.store->range_raw(request);
  CHECK(found.ok() == raw.ok());
  if (!found.ok()) return;
  CHECK(found->kvs.size() == raw->records.size());
  CHECK(found->count == raw->count && found->more == raw->more);
  if (request.limit > 0) CHECK(std::int64_t(found->kvs.size()) <= request.limit);
  answer<pb::RangeResponse>(std::move(*found));
}

void put(mvcc::testing::Bench& bench, std::string_view bytes) {
  pb::PutRequest wire;
  if (!wire.ParseFromArray(bytes.data(), int(bytes.size()))) return;
  const mvcc::PutRequest request = store::from_wire(wire);
  if (!mvcc::check_put(request).ok()) return;
  const Revision before = bench.store->revision();
  auto done = bench.store->put(request, bench.batch);
  bench.end_turn();
  CHECK(bench.store->revision().value == before.value + (done.ok() ? 1 : 0));
  if (done.ok()) answer<pb::PutResponse>(std::move(*done));
}

void erase(mvcc::testing::Bench& bench, std::string_view bytes) {
  pb::DeleteRangeRequest wire;
  if (!wire.ParseFromArray(bytes.data(), int(bytes.size()))) return;
  const mvcc::DeleteRequest request = store::from_wire(wire);
  if (!mvcc::check_delete(request).ok()) return;
  auto done = bench.store->delete_range(request, bench.batch);
  bench.end_turn();
  if (done.ok()) answer<pb::DeleteRangeResponse>(std::move(*done));
}

void txn(mvcc::testing::Bench& bench, std::string_view bytes) {
  pb::TxnRequest wire;
  if (!wire.ParseFromArray(bytes.data(), int(bytes.size()))) return;
  const mvcc::TxnRequest request = store::from_wire(wire);
  if (!mvcc::check_txn(request).ok()) return;
  const Revision before = bench.store->revision();
  if (mvcc::is_read_only(request)) {
    auto read = bench.store->read_txn(request);
    if (read.ok()) answer<pb::TxnResponse>(std::move(*read));
  }
  auto done = bench.store->txn(request, bench.batch);
  bench.end_turn();
  if (!done.ok()) CHECK(bench.store->revision() == before);
  if (done.ok()) answer<pb::TxnResponse>(std::move(*done));
}

void compact(mvcc::testing::Bench& bench, std::string_view bytes) {
  pb::CompactionRequest wire;
  if (!wire.ParseFromArray(bytes.data(), int(bytes.size()))) return;
  if (bench.compact(wire.revision()).ok() && wire.physical()) bench.compact_fully(2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  mvcc::testing::Bench bench;
  for (int n = 0; n < kRequestsMax && !input.empty(); ++n) {
    const std::uint8_t kind = input.byte();
    const std::string_view bytes = input.counted();
    switch (kind % 5) {
      case 0:
        range(bench, bytes);
        break;
      case 1:
        put(bench, bytes);
        break;
      case 2:
        erase(bench, bytes);
        break;
      case 3:
        txn(bench, bytes);
        break;
      default:
        compact(bench, bytes);
    }
  }
  const std::string broken = bench.checker.whole(*bench.store, bench.state);
  CHECK_MSG(broken.empty(), broken);
  return 0;
}
