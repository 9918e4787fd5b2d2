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
inline Status err_timeout_connection_lost() {
  return unavailable("etcdserver: request timed out, possibly due to connection lost");
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
inline Status err_bad_member_urls() {
  return invalid_argument("etcdserver: given member URLs are invalid");
}
inline Status err_peer_url_exists() {
  return failed_precondition("etcdserver: Peer URLs already exists");
}
inline Status err_not_enough_started() {
  return failed_precondition(
      "etcdserver: re-configuration failed due to not enough started members");
}
inline Status err_not_a_learner() {
  return failed_precondition("etcdserver: can only promote a learner member");
}
inline Status err_learner_not_ready() {
  return failed_precondition(
      "etcdserver: can only promote a learner member which is in sync with leader");
}
inline Status err_too_many_learners() {
  return failed_precondition("etcdserver: too many learner members in cluster");
}
inline Status err_unhealthy() { return unavailable("etcdserver: unhealthy cluster"); }
inline Status err_cluster_mismatch() {
  return failed_precondition("etcdserver: cluster ID mismatch");
}
inline Status err_not_for_learner() {
  return failed_precondition("etcdserver: rpc not supported for learner");
}
// Between members only: what one that was removed is told.
inline Status err_removed() {
  return failed_precondition("the member has been permanently removed from the cluster");
}
inline Status err_member_not_found() { return not_found("etcdserver: member not found"); }

}  // namespace coracle::store
