// KV: reads wait for the leader to be confirmed (or not, if serializable), writes go through the
// log.
#include <google/protobuf/io/coded_stream.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <algorithm>
#include <cstring>

#include "etcd/rpc.grpc.pb.h"
#include "mvcc/check.hpp"
#include "server/services.hpp"
#include "server/unary.hpp"

namespace coracle::store {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

// Range answers in bytes put together here: the records are stored as the wire wants them, and to
// decode and encode them again would cost more than all the rest.
using RawRangeKv = pb::KV::WithRawCallbackMethod_Range<pb::KV::CallbackService>;

class KvService final : public RawRangeKv {
 public:
  explicit KvService(Member& member) : member_(member) {}

  ServerUnaryReactor* Range(CallbackServerContext* context, const grpc::ByteBuffer* bytes,
                            grpc::ByteBuffer* response) override {
    grpc::ByteBuffer copy = *bytes;  // shares the slices; parsing consumes it
    pb::RangeRequest request;
    if (!grpc::SerializationTraits<pb::RangeRequest>::Deserialize(&copy, &request).ok()) {
      return finish(context, internal_error("grpc: the request cannot be read"));
    }
    mvcc::RangeRequest range = from_wire(request);
    if (const Status status = mvcc::check_range(range); !status.ok())
      return finish(context, status);
    const auto learner = range.serializable ? ForLearner::kServed : ForLearner::kRefused;
    auto work = [this, range = std::move(range), response](auto done) {
      const bool serializable = range.serializable;
      auto serve = [this, range, response, done](const Status& fresh) {
        if (!fresh.ok()) return done(fresh);
        auto result = member_.machine().store().range_raw(range);
        if (!result.ok()) return done(result.status());
        *response = encode(*result);
        done({});
      };
      serializable ? serve({}) : member_.read(serve);
    };
    return on_strand(member_, context, std::move(work), learner);
  }

  ServerUnaryReactor* Put(CallbackServerContext* context, const pb::PutRequest* request,
                          pb::PutResponse* response) override {
    if (const Status status = mvcc::check_put(from_wire(*request)); !status.ok()) {
      return finish(context, status);
    }
    Proposal proposal;
    *proposal.mutable_put() = *request;
    return propose_growth(context, std::move(proposal), [this, response](Outcome& outcome) {
      to_wire(std::get<mvcc::PutResult>(std::move(outcome.value)), response);
      member_.fill_header(response->mutable_header());
    });
  }

  ServerUnaryReactor* DeleteRange(CallbackServerContext* context,
                                  const pb::DeleteRangeRequest* request,
                                  pb::DeleteRangeResponse* response) override {
    if (const Status status = mvcc::check_delete(from_wire(*request)); !status.ok()) {
      return finish(context, status);
    }
    Proposal proposal;
    *proposal.mutable_delete_range() = *request;
    return propose_call(member_, context, std::move(proposal), [this, response](Outcome& outcome) {
      to_wire(std::get<mvcc::DeleteResult>(std::move(outcome.value)), response);
      member_.fill_header(response->mutable_header());
    });
  }

  ServerUnaryReactor* Txn(CallbackServerContext* context, const pb::TxnRequest* request,
                          pb::TxnResponse* response) override {
    mvcc::TxnRequest txn = from_wire(*request);
    if (const Status status = mvcc::check_txn(txn); !status.ok()) return finish(context, status);
    if (mvcc::is_read_only(txn)) return read_txn(context, std::move(txn), response);
    Proposal proposal;
    *proposal.mutable_txn() = *request;
    auto fill = [this, response](Outcome& outcome) {
      to_wire(std::get<mvcc::TxnResult>(std::move(outcome.value)), response);
      member_.fill_header(response->mutable_header());
    };
    if (mvcc::has_put(txn)) return propose_growth(context, std::move(proposal), std::move(fill));
    return propose_call(member_, context, std::move(proposal), std::move(fill));
  }

  ServerUnaryReactor* Compact(CallbackServerContext* context, const pb::CompactionRequest* request,
                              pb::CompactionResponse* response) override {
    Proposal proposal;
    *proposal.mutable_compaction() = *request;
    const std::uint64_t number = member_.next_request();
    proposal.set_member(member_.id().value);
    proposal.set_request(number);
    return on_strand(member_, context,
                     [this, number, data = proposal.SerializeAsString(), response,
                      physical = request->physical()](auto done) {
                       member_.propose(number, data, [=, this](Outcome outcome) {
                         response->mutable_header()->set_revision(outcome.revision.value);
                         member_.fill_header(response->mutable_header());
                         if (!outcome.status.ok() || !physical) return done(outcome.status);
                         member_.when_compacted([done] { done({}); });
                       });
                     });
  }

 private:
  ServerUnaryReactor* read_txn(CallbackServerContext* context, mvcc::TxnRequest txn,
                               pb::TxnResponse* response) {
    return on_strand(member_, context, [this, txn = std::move(txn), response](auto done) {
      const bool serializable = mvcc::is_serializable(txn);
      auto serve = [this, txn, response, done](const Status& fresh) {
        if (!fresh.ok()) return done(fresh);
        auto result = member_.machine().store().read_txn(txn);
        if (!result.ok()) return done(result.status());
        to_wire(std::move(result).value(), response);
        member_.fill_header(response->mutable_header());
        done({});
      };
      serializable ? serve({}) : member_.read(serve);
    });
  }

  // A RangeResponse: header 1, kvs 2, more 3, count 4.
  grpc::ByteBuffer encode(const mvcc::RawRangeResult& result) const {
    using google::protobuf::io::CodedOutputStream;
    pb::RangeResponse frame;
    frame.mutable_header()->set_revision(result.revision.value);
    member_.fill_header(frame.mutable_header());
    frame.set_more(result.more);
    frame.set_count(result.count);
    const std::string rest = frame.SerializeAsString();
    size_t left = rest.size();
    for (const mvcc::Record& record : result.records) left += framed_bytes(*record);
    std::vector<grpc::Slice> slices;
    grpc_slice open = grpc_slice_malloc(std::min(left, kSliceBytes));
    std::uint8_t* at = append(rest, GRPC_SLICE_START_PTR(open));
    left -= rest.size();
    for (const mvcc::Record& record : result.records) {
      const size_t bytes = framed_bytes(*record);
      if (at + bytes > GRPC_SLICE_END_PTR(open)) {
        slices.push_back(closed(open, at));
        open = grpc_slice_malloc(std::max(bytes, std::min(left, kSliceBytes)));
        at = GRPC_SLICE_START_PTR(open);
      }
      *at++ = 0x12;  // field 2, with a length
      at = CodedOutputStream::WriteVarint32ToArray(std::uint32_t(record->size()), at);
      at = append(*record, at);
      left -= bytes;
    }
    slices.push_back(closed(open, at));
    return grpc::ByteBuffer(slices.data(), slices.size());
  }

  // Small enough for the allocator to give again what the last answer had.
  static constexpr size_t kSliceBytes = 64 << 10;

  static size_t framed_bytes(const std::string& record) { return record.size() + 6; }
  static std::uint8_t* append(const std::string& bytes, std::uint8_t* at) {
    std::memcpy(at, bytes.data(), bytes.size());
    return at + bytes.size();
  }
  // The part of a slice that was written. A short one holds its bytes itself, so it is not copied
  // before they are counted.
  static grpc::Slice closed(const grpc_slice& slice, const std::uint8_t* end) {
    const size_t written = size_t(end - GRPC_SLICE_START_PTR(slice));
    return grpc::Slice(slice, grpc::Slice::STEAL_REF).sub(0, written);
  }

  // A proposal that makes the store larger: over the quota it raises the alarm instead.
  template <class Fill>
  ServerUnaryReactor* propose_growth(CallbackServerContext* context, Proposal proposal, Fill fill) {
    if (!member_.over_quota(proposal.ByteSizeLong())) {
      return propose_call(member_, context, std::move(proposal), std::move(fill));
    }
    return on_strand(member_, context, [this](auto done) { member_.refuse_growth(done); });
  }

  Member& member_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_kv_service(Member& member) {
  return std::make_unique<KvService>(member);
}

}  // namespace coracle::store
