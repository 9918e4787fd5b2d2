// What a running member tells about its keys, over the etcd API.
// Errors: what the member said, or that it did not answer in time.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/status.hpp"
#include "storectl/version_row.hpp"

namespace grpc {
class Channel;
}  // namespace grpc

namespace coracle::store {

using VisitVersion = std::function<void(const VersionRow&)>;

// The keys with `prefix` as they are now, by key.
Status ask_keys(const std::shared_ptr<grpc::Channel>& channel, const std::string& prefix,
                const VisitVersion& visit);
// Every version of a key that compaction left, by revision.
Status ask_history(const std::shared_ptr<grpc::Channel>& channel, const std::string& key,
                   const VisitVersion& visit);

}  // namespace coracle::store
