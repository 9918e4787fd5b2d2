// KV: reads wait for the leader to be confirmed (or not, if serializable), writes go through the
// log.
#include "etcd/rpc.pb.h"
#include "mvcc/check.hpp"
#include "mvcc/records.hpp"
#include "server/calls.hpp"
#include "server/services.hpp"

namespace coracle::store {
namespace {

class KvService final : public ClientService {
 public:
  KvService(Member& member, net::GrpcServer& server) : member_(member) {
    server.add_unary("/etcdserverpb.KV/Range",
                     [this](const std::string& bytes, std::shared_ptr<net::GrpcReply> reply) {
                       range(bytes, std::move(reply));
                     });
    add_call(server, "/etcdserverpb.KV/Put", this, &KvService::put);
    add_call(server, "/etcdserverpb.KV/DeleteRange", this, &KvService::delete_range);
    add_call(server, "/etcdserverpb.KV/Txn", this, &KvService::txn);
    add_call(server, "/etcdserverpb.KV/Compact", this, &KvService::compact);
  }

 private:
  using PutCall = Call<pb::PutRequest, pb::PutResponse>;
  using DeleteCall = Call<pb::DeleteRangeRequest, pb::DeleteRangeResponse>;
  using TxnCall = Call<pb::TxnRequest, pb::TxnResponse>;
  using CompactCall = Call<pb::CompactionRequest, pb::CompactionResponse>;

  // Answered in bytes put together here: the records are stored as the wire wants them, and to
  // decode and encode them again would cost more than all the rest.
  void range(const std::string& bytes, std::shared_ptr<net::GrpcReply> reply) {
    pb::RangeRequest request;
    if (!request.ParseFromString(bytes)) return reply->finish(err_unreadable());
    mvcc::RangeRequest range = from_wire(request);
    if (const Status status = mvcc::check_range(range); !status.ok()) return reply->finish(status);
    const auto learner = range.serializable ? ForLearner::kServed : ForLearner::kRefused;
    if (const Status status = check_served(member_, *reply, learner); !status.ok()) {
      return reply->finish(status);
    }
    const bool serializable = range.serializable;
    auto serve = [this, range = std::move(range), reply](const Status& fresh) {
      if (!fresh.ok()) return reply->finish(fresh);
      if (reply->over()) return;  // nobody waits any more
      auto result = member_.machine().store().range_raw(range);
      if (result.ok()) reply->send(encode(*result));
      reply->finish(result.status());
    };
    serializable ? serve({}) : member_.read(std::move(serve));
  }

  void put(PutCall call) {
    if (const Status status = mvcc::check_put(from_wire(call.request())); !status.ok()) {
      return call.done(status);
    }
    Proposal proposal;
    proposal.mutable_put()->Swap(call.mutable_request());
    propose_growth(call, std::move(proposal), [this, call](Outcome& outcome) {
      to_wire(std::get<mvcc::PutResult>(std::move(outcome.value)), call.response());
      member_.fill_header(call.response()->mutable_header());
    });
  }

  void delete_range(DeleteCall call) {
    if (const Status status = mvcc::check_delete(from_wire(call.request())); !status.ok()) {
      return call.done(status);
    }
    Proposal proposal;
    proposal.mutable_delete_range()->Swap(call.mutable_request());
    propose_call(member_, call, std::move(proposal), [this, call](Outcome& outcome) {
      to_wire(std::get<mvcc::DeleteResult>(std::move(outcome.value)), call.response());
      member_.fill_header(call.response()->mutable_header());
    });
  }

  void txn(TxnCall call) {
    mvcc::TxnRequest txn = from_wire(call.request());
    if (const Status status = mvcc::check_txn(txn); !status.ok()) return call.done(status);
    if (mvcc::is_read_only(txn)) return read_txn(call, std::move(txn));
    const bool grows = mvcc::has_put(txn);
    Proposal proposal;
    proposal.mutable_txn()->Swap(call.mutable_request());
    auto fill = [this, call](Outcome& outcome) {
      to_wire(std::get<mvcc::TxnResult>(std::move(outcome.value)), call.response());
      member_.fill_header(call.response()->mutable_header());
    };
    if (grows) return propose_growth(call, std::move(proposal), std::move(fill));
    propose_call(member_, call, std::move(proposal), std::move(fill));
  }

  void compact(CompactCall call) {
    if (const Status status = check_served(member_, call.reply()); !status.ok()) {
      return call.done(status);
    }
    Proposal proposal;
    *proposal.mutable_compaction() = call.request();
    member_.propose(std::move(proposal), [this, call](const Outcome& outcome) {
      call.response()->mutable_header()->set_revision(outcome.revision.value);
      member_.fill_header(call.response()->mutable_header());
      if (!outcome.status.ok() || !call.request().physical()) return call.done(outcome.status);
      member_.when_compacted([call] { call.done({}); });
    });
  }

  void read_txn(const TxnCall& call, mvcc::TxnRequest txn) {
    if (const Status status = check_served(member_, call.reply()); !status.ok()) {
      return call.done(status);
    }
    const bool linearizable = !mvcc::is_serializable(txn);
    read_call(member_, call, linearizable, [this, call, txn = std::move(txn)]() -> Status {
      ASSIGN_OR_RETURN(auto result, member_.machine().store().read_txn(txn));
      to_wire(std::move(result), call.response());
      member_.fill_header(call.response()->mutable_header());
      return {};
    });
  }

  // A RangeResponse: header 1, kvs 2, more 3, count 4. Large records are shared, not copied.
  net::GrpcMessage encode(const mvcc::RawRangeResult& result) const {
    pb::RangeResponse frame;
    frame.mutable_header()->set_revision(result.revision.value);
    member_.fill_header(frame.mutable_header());
    frame.set_more(result.more);
    frame.set_count(result.count);
    net::GrpcMessage parts;
    std::string open = frame.SerializeAsString();
    for (const mvcc::Record& record : result.records) {
      open += '\x12';  // field 2, with a length
      mvcc::append_varint(open, record->size());
      if (record->size() < kSharedFrom) {
        open += *record;
      } else {
        parts.push_back(net::make_bytes(std::exchange(open, {})));
        parts.push_back(record);
      }
    }
    if (!open.empty()) parts.push_back(net::make_bytes(std::move(open)));
    return parts;
  }

  // Below, the bookkeeping of a part costs more than its copy.
  static constexpr std::size_t kSharedFrom = 512;

  // A proposal that makes the store larger: over the quota it raises the alarm instead.
  template <class AnyCall, class Fill>
  void propose_growth(const AnyCall& call, Proposal proposal, Fill fill) {
    if (!member_.over_quota(proposal.ByteSizeLong())) {
      return propose_call(member_, call, std::move(proposal), std::move(fill));
    }
    if (const Status status = check_served(member_, call.reply()); !status.ok()) {
      return call.done(status);
    }
    member_.refuse_growth(call);
  }

  Member& member_;
};

}  // namespace

std::unique_ptr<ClientService> make_kv_service(Member& member, net::GrpcServer& server) {
  return std::make_unique<KvService>(member, server);
}

}  // namespace coracle::store
