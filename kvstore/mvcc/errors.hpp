// The failures of the key store and lessor in etcd's own words: clients match the text, the code
// decides whether they retry.
#pragma once

#include "base/status.hpp"

namespace coracle::mvcc {

inline Status err_empty_key() { return invalid_argument("etcdserver: key is not provided"); }
inline Status err_key_not_found() { return invalid_argument("etcdserver: key not found"); }
inline Status err_value_provided() { return invalid_argument("etcdserver: value is provided"); }
inline Status err_lease_provided() { return invalid_argument("etcdserver: lease is provided"); }
inline Status err_too_many_ops() {
  return invalid_argument("etcdserver: too many operations in txn request");
}
inline Status err_duplicate_key() {
  return invalid_argument("etcdserver: duplicate key given in txn request");
}
inline Status err_invalid_sort() { return invalid_argument("etcdserver: invalid sort option"); }
inline constexpr std::string_view kCompactedText =
    "etcdserver: mvcc: required revision has been compacted";
inline Status err_compacted() { return out_of_range(std::string(kCompactedText)); }
inline Status err_future_revision() {
  return out_of_range("etcdserver: mvcc: required revision is a future revision");
}
inline Status err_lease_not_found() { return not_found("etcdserver: requested lease not found"); }
inline Status err_lease_exists() { return failed_precondition("etcdserver: lease already exists"); }
inline Status err_lease_ttl_too_large() { return out_of_range("etcdserver: too large lease TTL"); }

}  // namespace coracle::mvcc
