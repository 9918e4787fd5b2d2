#include "grpc_tls/credentials.hpp"

#include <grpcpp/grpcpp.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

namespace coracle {
namespace {

namespace gx = grpc::experimental;

constexpr unsigned kLookEverySeconds = 2;

std::shared_ptr<gx::CertificateProviderInterface> watch(const TlsFiles& files) {
  return std::make_shared<gx::FileWatcherCertificateProvider>(files.key, files.cert, files.ca,
                                                              kLookEverySeconds);
}

}  // namespace

std::shared_ptr<grpc::ServerCredentials> tls_server_credentials(const TlsFiles& files) {
  gx::TlsServerCredentialsOptions options(watch(files));
  options.watch_identity_key_cert_pairs();
  if (!files.ca.empty()) {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return gx::TlsServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> tls_channel_credentials(const TlsFiles& files) {
  gx::TlsChannelCredentialsOptions options;
  if (!files.empty()) options.set_certificate_provider(watch(files));
  if (!files.ca.empty()) options.watch_root_certs();
  if (!files.cert.empty()) options.watch_identity_key_cert_pairs();
  return gx::TlsCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> channel_credentials(const std::string& url,
                                                              const TlsFiles& files) {
  if (url.starts_with("https://")) return tls_channel_credentials(files);
  return grpc::InsecureChannelCredentials();
}

}  // namespace coracle
