// How storectl reaches running members: --endpoints, and --cacert, --cert, --key for TLS, as
// etcdctl has them. What makes no sense ends the program (exit 2).
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "storectl/arguments.hpp"

namespace grpc {
class Channel;
}  // namespace grpc

namespace coracle::store {

// The flags below, for Arguments::Known::valued.
const std::set<std::string>& connection_flags();
std::vector<std::string> endpoints_of(const Arguments& arguments);
// The only endpoint there may be.
std::string endpoint_of(const Arguments& arguments);
// "http://h:1", "https://h:1" or "h:1".
std::shared_ptr<grpc::Channel> connect(const std::string& endpoint, const Arguments& arguments);

}  // namespace coracle::store
