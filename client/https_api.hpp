// HttpsApi: the live end of Api: HTTP/1.1 over TLS through net::Client, to one of several
// apiservers. A server that cannot be reached is left for the next; a request that was sent and not
// answered is retried only when it is a GET.
//
// The servers are tried in turn, beginning with the one that answered last. token_file is read
// again when it is older than a minute.
//
// Thread: the executor's strand; the executor must outlive it.
#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "client/api.hpp"
#include "client/kubeconfig.hpp"

namespace coracle::net {
class AsioExecutor;
}

namespace coracle::client {

struct HttpsApiOptions {
  ClientConfig config;
  std::string user_agent = "coracle";
  Duration request_timeout = std::chrono::seconds(60);  // of those that set none
};

class HttpsApi : public Api {
 public:
  // Another certificate from now on. What is under way ends as if its server had gone: informers
  // and watches begin again. InvalidArgument: it does not parse; then the old one stays.
  virtual Status change_certificate(const std::string& cert_pem, const std::string& key_pem) = 0;
};

// Target client_https. InvalidArgument: no server, a bad URL, a certificate or key that does not
// parse.
Result<std::unique_ptr<HttpsApi>> make_https_api(net::AsioExecutor& executor,
                                                 HttpsApiOptions options);

}  // namespace coracle::client
