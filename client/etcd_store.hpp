// EtcdStore: the live end of Store: etcd v3 over gRPC, our kvstore or stock etcd. It sends only the
// shapes a stock kube-apiserver sends. Target client_etcd, apart from client, so that only who
// needs it links protobuf and net.
//
// Endpoints are used round robin; on Unavailable the next is tried. Reads are retried until the
// time-out; a write is sent once and its failure means "outcome unknown". Watches of one endpoint
// share streams; when a stream is lost each of its watches ends with Unavailable.
//
// Certificates are read again before each connection, so they can be renewed without a restart.
//
// Thread: made, used and destroyed on the executor's strand, where all of it runs. The executor
// must outlive it. Bound: kWatchesPerStream watches share a stream.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/store.hpp"
#include "net/asio_executor.hpp"
#include "tls_files/tls_files.hpp"

namespace coracle::client {

struct EtcdStoreOptions {
  std::vector<std::string> endpoints;           // "127.0.0.1:2379", "http://..." or "https://..."
  Duration timeout = std::chrono::seconds(10);  // of one call, retries included
  TlsFiles tls;                                 // for https://; check_tls_files() was happy with it
};

inline constexpr int kWatchesPerStream = 100;

// InvalidArgument: no endpoints, or one that is not host:port.
Result<std::unique_ptr<Store>> make_etcd_store(net::AsioExecutor& executor,
                                               EtcdStoreOptions options);

}  // namespace coracle::client
