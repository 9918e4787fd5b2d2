// EmbeddedStore: the end of Store for an apiserver that is all alone: one member of the store in
// this very process, on a thread of its own, without a port. What is acknowledged is synced to the
// disk, as with a daemon. Target client_embedded, apart from client, so that only who needs it
// links the store.
//
// The folder is that of a kvstore: `kvstore --name embedded --data-dir DIR` opens it as it is, and
// so a cluster outgrows this.
//
// Thread: made, used and destroyed on the Executor's strand, which must outlive it. Bounds: those
// of the member's inbox and of its watchers (mvcc/watch_hub.hpp).
// Errors: a folder that cannot be opened is a Status of make_embedded_store(); a disk that fails
// later ends the process.
#pragma once

#include <memory>
#include <string>

#include "base/executor.hpp"
#include "client/store.hpp"

namespace coracle::client {

struct EmbeddedStoreOptions {
  std::string data_dir;
  std::int64_t quota_bytes = std::int64_t(2) << 30;
};

Result<std::unique_ptr<Store>> make_embedded_store(Executor& executor,
                                                   EmbeddedStoreOptions options);

}  // namespace coracle::client
