// Between the wire's messages (proto/etcd) and the store's plain values (mvcc/types.hpp). Pure.
#pragma once

#include "etcd/rpc.pb.h"
#include "mvcc/types.hpp"

namespace coracle::store {

namespace pb = ::etcdserverpb;

mvcc::RangeRequest from_wire(const pb::RangeRequest& in);
mvcc::PutRequest from_wire(const pb::PutRequest& in);
mvcc::DeleteRequest from_wire(const pb::DeleteRangeRequest& in);
mvcc::TxnRequest from_wire(const pb::TxnRequest& in);

// The header's revision is set; cluster, member and term are the caller's to add.
void to_wire(const mvcc::KeyValue& kv, mvccpb::KeyValue* out);
void to_wire(mvcc::RangeResult result, pb::RangeResponse* out);
void to_wire(mvcc::PutResult result, pb::PutResponse* out);
void to_wire(mvcc::DeleteResult result, pb::DeleteRangeResponse* out);
void to_wire(mvcc::TxnResult result, pb::TxnResponse* out);

}  // namespace coracle::store
