#include "kubelet_driver/serving_certificate.hpp"

#include "base/log.hpp"
#include "client_https/node_bootstrap.hpp"

namespace coracle::kubelet {
namespace {

// Upstream's: a request that nobody approves is left for a new one.
constexpr Duration kPatience = std::chrono::minutes(15);
constexpr Duration kRetry = std::chrono::seconds(5);

}  // namespace

Result<net::KeyPair> self_signed(const std::string& node, const std::string& address,
                                 WallTime now) {
  const auto validity = net::Validity::days(now, 365);
  ASSIGN_OR_RETURN(const net::KeyPair ca, net::make_ca(node + "-ca", validity));
  net::CertRequest request;
  request.common_name = node;
  request.dns_names = {node};
  request.ip_addresses = {address};
  request.server = true;
  return net::issue(ca, request, validity);
}

void ServingCertificate::keep(client::ClientConfig config, std::string node, std::string address) {
  config_ = std::move(config);
  node_ = std::move(node);
  address_ = std::move(address);
  ask();
}

void ServingCertificate::look_in(Duration delay) {
  executor_.after(delay, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->ask();
  });
}

void ServingCertificate::ask() {
  spawn<Result<client::NodeIdentity>>(
      client::request_serving_identity(executor_, config_, node_, address_, kPatience),
      [self = shared_from_this()](const Result<client::NodeIdentity>& made) {
        Status outcome = made.status();
        if (outcome.ok()) {
          outcome = self->server_.change_certificate(made->cert_pem, made->key_pem);
        }
        if (!outcome.ok()) {
          log::warn("the node's serving certificate: {}", outcome.message());
          return self->look_in(kRetry);
        }
        log::info("the node's server has a certificate of the cluster, good until {}",
                  format_time(made->not_after));
        const double jitter = static_cast<double>(self->rng_.below(1000)) / 1000.0;
        self->look_in(std::max<Duration>(
            kRetry, client::renewal_of(*made, jitter) - self->executor_.wall_now()));
      });
}

}  // namespace coracle::kubelet
