// TLS credentials for gRPC, from files that are read again when they change: a certificate can be
// renewed without a restart. New connections use the new one, those that stand are kept.
//
// Thread:   any. gRPC watches the files on a thread of its own for each call here.
// REQUIRES: check_tls_files() was happy. With files that are broken later no new connection comes
//           about until they are mended; gRPC says so in its log (grpc_log.hpp).
#pragma once

#include <memory>
#include <string>

#include "tls_files/tls_files.hpp"

namespace grpc {
class ChannelCredentials;
class ServerCredentials;
}  // namespace grpc

namespace coracle {

// With `files.ca` a client without a certificate of one of those CAs cannot connect; without it
// clients are not asked for one.
std::shared_ptr<grpc::ServerCredentials> tls_server_credentials(const TlsFiles& files);

// The server's certificate must come from `files.ca` (else from one of the system's CAs) and name
// the host that is dialled. With cert and key the client shows them.
std::shared_ptr<grpc::ChannelCredentials> tls_channel_credentials(const TlsFiles& files);

// The channel credentials a URL asks for by its scheme: plain for http:// and none, else `files`'.
std::shared_ptr<grpc::ChannelCredentials> channel_credentials(const std::string& url,
                                                              const TlsFiles& files);

}  // namespace coracle
