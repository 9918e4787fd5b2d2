#include "storectl/connect.hpp"

#include <absl/synchronization/mutex.h>
#include <grpcpp/grpcpp.h>

#include "base/check.hpp"
#include "base/strings.hpp"
#include "grpc_tls/credentials.hpp"

namespace coracle::store {

const std::set<std::string>& connection_flags() {
  static const std::set<std::string> kFlags = {"--endpoints", "--cacert", "--cert", "--key"};
  return kFlags;
}

std::vector<std::string> endpoints_of(const Arguments& arguments) {
  const std::vector<std::string> endpoints =
      split(arguments.needed("--endpoints", "a lab's are in DIR/endpoints"), ',');
  if (endpoints.empty()) arguments.refuse("--endpoints is empty");
  return endpoints;
}

std::string endpoint_of(const Arguments& arguments) {
  const auto endpoints = endpoints_of(arguments);
  if (endpoints.size() != 1) arguments.refuse("--endpoints: one member is asked, not several");
  return endpoints.front();
}

std::shared_ptr<grpc::Channel> connect(const std::string& endpoint, const Arguments& arguments) {
  // Debian's abseil looks for deadlock cycles inside gRPC, at a price.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const TlsFiles files{arguments.value("--cert"), arguments.value("--key"),
                       arguments.value("--cacert")};
  if (const Status status = check_tls_files(files, {"--cert", "--key", "--cacert"}); !status.ok()) {
    arguments.refuse(status.message());
  }
  std::string address = endpoint;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (address.starts_with(scheme)) address.erase(0, scheme.size());
  }
  grpc::ChannelArguments channel;
  channel.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(address, channel_credentials(endpoint, files), channel);
}

}  // namespace coracle::store
