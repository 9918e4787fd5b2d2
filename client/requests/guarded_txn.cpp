#include "client_requests/guarded_txn.hpp"

namespace coracle::client {

etcdserverpb::TxnRequest to_txn(const GuardedWrite& wanted) {
  etcdserverpb::TxnRequest request;
  auto* guard = request.add_compare();
  guard->set_result(etcdserverpb::Compare::EQUAL);
  guard->set_target(etcdserverpb::Compare::MOD);
  guard->set_key(wanted.key);
  guard->set_mod_revision(wanted.expected_mod_revision);
  if (wanted.op == GuardedWrite::Op::kPut) {
    auto* put = request.add_success()->mutable_request_put();
    put->set_key(wanted.key);
    put->set_value(wanted.value);
    put->set_lease(wanted.lease);
  } else {
    request.add_success()->mutable_request_delete_range()->set_key(wanted.key);
  }
  if (wanted.read_on_conflict) {
    request.add_failure()->mutable_request_range()->set_key(wanted.key);
  }
  return request;
}

}  // namespace coracle::client
