// HttpsApi: the live end of Api: HTTP/1.1 over TLS through net::Client, to one of several
// apiservers. A server that cannot be reached is left for the next; a request that was sent and not
// answered is retried only when it is a GET.
//
// Thread: the Executor's strand; the Executor must outlive it.
#pragma once

#include <memory>
#include <string>

#include "base/executor.hpp"
#include "client/api.hpp"
#include "client/kubeconfig.hpp"

namespace coracle::client {

struct HttpsApiOptions {
  ClientConfig config;
  std::string user_agent = "coracle";
};

// Target client_https. InvalidArgument: no server, a bad URL, a certificate or key that does not
// parse.
Result<std::unique_ptr<Api>> make_https_api(Executor& executor, HttpsApiOptions options);

}  // namespace coracle::client
