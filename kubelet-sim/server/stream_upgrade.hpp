// What a client asks a connection to become, and the refusals, as upstream's kubelet words them.
// Pure but for the answers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/server.hpp"

namespace coracle::kubelet {

bool is_spdy_upgrade(const net::Request& request);

// The first of the client's X-Stream-Protocol-Version that is supported; "" when it names none.
// PermissionDenied: none fits; the message is the answer's.
Result<std::string> choose_stream_protocol(const net::Request& request,
                                           const std::vector<std::string>& supported);
// 101 with the protocol agreed on.
std::shared_ptr<net::ByteStream> accept_spdy(net::Exchange& exchange, const std::string& protocol);

net::Response plain_answer(int status, std::string text);
// The answer to a failed negotiation, with what would have been accepted.
net::Response refuse_protocol(const Status& why, const std::vector<std::string>& supported);

}  // namespace coracle::kubelet
