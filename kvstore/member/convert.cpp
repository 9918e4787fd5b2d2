#include "member/convert.hpp"

#include <utility>

namespace coracle::store {
namespace {

mvcc::Compare compare_from(const pb::Compare& in) {
  mvcc::Compare out;
  out.result = mvcc::Compare::Result(in.result());
  out.target = mvcc::Compare::Target(in.target());
  out.key = in.key();
  out.range_end = in.range_end();
  // A union of another kind than the target counts as absent: zero or empty.
  switch (in.target()) {
    case pb::Compare::VERSION:
      out.number = in.version();
      break;
    case pb::Compare::CREATE:
      out.number = in.create_revision();
      break;
    case pb::Compare::MOD:
      out.number = in.mod_revision();
      break;
    case pb::Compare::LEASE:
      out.number = in.lease();
      break;
    case pb::Compare::VALUE:
      out.value = in.value();
      break;
    default:
      break;
  }
  return out;
}

mvcc::RequestOp op_from(const pb::RequestOp& in) {
  switch (in.request_case()) {
    case pb::RequestOp::kRequestRange:
      return {from_wire(in.request_range())};
    case pb::RequestOp::kRequestPut:
      return {from_wire(in.request_put())};
    case pb::RequestOp::kRequestDeleteRange:
      return {from_wire(in.request_delete_range())};
    case pb::RequestOp::kRequestTxn:
      return {from_wire(in.request_txn())};
    case pb::RequestOp::REQUEST_NOT_SET:
      break;
  }
  return {};
}

void move_to_wire(mvcc::KeyValue&& kv, mvccpb::KeyValue* out) {
  out->set_key(std::move(kv.key));
  out->set_value(std::move(kv.value));
  out->set_create_revision(kv.create.value);
  out->set_mod_revision(kv.mod.value);
  out->set_version(kv.version);
  out->set_lease(kv.lease.value);
}

struct ToWire {
  pb::ResponseOp* out;
  void operator()(mvcc::RangeResult&& r) const {
    to_wire(std::move(r), out->mutable_response_range());
  }
  void operator()(mvcc::PutResult&& r) const { to_wire(std::move(r), out->mutable_response_put()); }
  void operator()(mvcc::DeleteResult&& r) const {
    to_wire(std::move(r), out->mutable_response_delete_range());
  }
  void operator()(mvcc::TxnResult&& r) const { to_wire(std::move(r), out->mutable_response_txn()); }
};

}  // namespace

mvcc::RangeRequest from_wire(const pb::RangeRequest& in) {
  mvcc::RangeRequest out;
  out.key = in.key();
  out.range_end = in.range_end();
  out.limit = in.limit();
  out.revision = Revision(in.revision());
  out.sort_order = mvcc::SortOrder(in.sort_order());
  out.sort_target = mvcc::SortTarget(in.sort_target());
  out.serializable = in.serializable();
  out.keys_only = in.keys_only();
  out.count_only = in.count_only();
  out.min_mod = Revision(in.min_mod_revision());
  out.max_mod = Revision(in.max_mod_revision());
  out.min_create = Revision(in.min_create_revision());
  out.max_create = Revision(in.max_create_revision());
  return out;
}

mvcc::PutRequest from_wire(const pb::PutRequest& in) {
  mvcc::PutRequest out;
  out.key = in.key();
  out.value = in.value();
  out.lease = LeaseId(in.lease());
  out.prev_kv = in.prev_kv();
  out.ignore_value = in.ignore_value();
  out.ignore_lease = in.ignore_lease();
  return out;
}

mvcc::DeleteRequest from_wire(const pb::DeleteRangeRequest& in) {
  return {in.key(), in.range_end(), in.prev_kv()};
}

mvcc::TxnRequest from_wire(const pb::TxnRequest& in) {
  mvcc::TxnRequest out;
  for (const pb::Compare& c : in.compare()) out.compare.push_back(compare_from(c));
  for (const pb::RequestOp& op : in.success()) out.success.push_back(op_from(op));
  for (const pb::RequestOp& op : in.failure()) out.failure.push_back(op_from(op));
  return out;
}

void to_wire(const mvcc::KeyValue& kv, mvccpb::KeyValue* out) {
  move_to_wire(mvcc::KeyValue(kv), out);
}

void to_wire(mvcc::RangeResult result, pb::RangeResponse* out) {
  out->mutable_header()->set_revision(result.revision.value);
  out->mutable_kvs()->Reserve(int(result.kvs.size()));
  for (mvcc::KeyValue& kv : result.kvs) move_to_wire(std::move(kv), out->add_kvs());
  out->set_more(result.more);
  out->set_count(result.count);
}

void to_wire(mvcc::PutResult result, pb::PutResponse* out) {
  out->mutable_header()->set_revision(result.revision.value);
  if (result.prev_kv) move_to_wire(std::move(*result.prev_kv), out->mutable_prev_kv());
}

void to_wire(mvcc::DeleteResult result, pb::DeleteRangeResponse* out) {
  out->mutable_header()->set_revision(result.revision.value);
  out->set_deleted(result.deleted);
  for (mvcc::KeyValue& kv : result.prev_kvs) move_to_wire(std::move(kv), out->add_prev_kvs());
}

void to_wire(mvcc::TxnResult result, pb::TxnResponse* out) {
  out->mutable_header()->set_revision(result.revision.value);
  out->set_succeeded(result.succeeded);
  for (mvcc::ResponseOp& op : result.responses) {
    std::visit(ToWire{out->add_responses()}, std::move(op.response));
  }
}

}  // namespace coracle::store
