// The server's failures in etcd's own words; those of keys and leases are in mvcc/errors.hpp.
// Clients match the text; the code decides whether they retry (14: yes, for reads).
#pragma once

#include "base/status.hpp"

namespace coracle::store {

inline Status err_no_leader() { return unavailable("etcdserver: no leader"); }
inline Status err_leader_changed() { return unavailable("etcdserver: leader changed"); }
inline Status err_stopped() { return unavailable("etcdserver: server stopped"); }
inline Status err_timeout() { return unavailable("etcdserver: request timed out"); }
inline Status err_timeout_leader_failed() {
  return unavailable("etcdserver: request timed out, possibly due to previous leader failure");
}
inline Status err_too_many_requests() {
  return {Code::kResourceExhausted, "etcdserver: too many requests"};
}
inline Status err_no_space() {
  return {Code::kResourceExhausted, "etcdserver: mvcc: database space exceeded"};
}
inline Status err_corrupt() { return data_loss("etcdserver: corrupt cluster"); }
inline Status err_request_too_large() {
  return invalid_argument("etcdserver: request is too large");
}
inline Status err_not_leader() { return failed_precondition("etcdserver: not leader"); }
inline Status err_bad_transferee() {
  return failed_precondition("etcdserver: bad leader transferee");
}
inline Status err_member_not_found() { return not_found("etcdserver: member not found"); }

}  // namespace coracle::store
