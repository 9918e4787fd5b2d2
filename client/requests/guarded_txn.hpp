// A GuardedWrite as the one transaction that stands for it in the etcd v3 API: compare the key's
// mod revision, then put or delete; the failure branch reads the key where the caller wants it.
// Pure. Both ends of Store that speak the API use it.
#pragma once

#include <etcd/rpc.pb.h>

#include "client/store.hpp"

namespace coracle::client {

etcdserverpb::TxnRequest to_txn(const GuardedWrite& wanted);

}  // namespace coracle::client
