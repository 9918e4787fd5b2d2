// HookClient: sends a review to a webhook and gives back what it answered: the part that webhooks
// of admission and of conversion share.
//
// Bounds: kAnswerMax bytes of an answer; the port bounds the calls under way.
#pragma once

#include "apiserver/remote/remote.hpp"
#include "apiserver/remote/service_route.hpp"

namespace coracle::apiserver {

// A clientConfig: {url | service: {namespace, name, port, path}, caBundle}.
struct HookConfig {
  bool by_service = false;
  ServicePortName service;
  std::string host;  // of a url
  std::uint16_t port = 443;
  std::string path;
  std::string ca_pem;
  // What a kubeconfig says beyond that.
  std::string server_name, cert_pem, key_pem, authorization;
  bool insecure = false;
  bool tells_timeout = true;  // the path ends in ?timeout=Ns

  // InvalidArgument: a caBundle that is no base64, a url that is none.
  static Result<HookConfig> parse(const json::value& client_config);
  // As errors name it: https://x.ns.svc:443/path
  std::string url() const;
};

class HookClient {
 public:
  static constexpr std::size_t kAnswerMax = 16 << 20;

  // `remote` may be null: then no webhook can be called. All outlive this.
  HookClient(const StoreFeed& feed, Rng& rng, RemotePort* remote)
      : feed_(feed), rng_(rng), remote_(remote) {}

  // The answer's JSON. Aborted where another try may help: the connection was cut, or the answer
  // was 429, 500, 504 or names a time to come back. Failures read as upstream's: `Post
  // "https://...": dial tcp ...`, `the server could not find the requested resource`, `context
  // deadline exceeded`.
  Task<Result<json::value>> post(HookConfig config, std::string review, Duration timeout);

 private:
  const StoreFeed& feed_;
  Rng& rng_;
  RemotePort* const remote_;
};

}  // namespace coracle::apiserver
