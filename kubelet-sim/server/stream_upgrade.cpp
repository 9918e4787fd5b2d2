#include "kubelet_server/stream_upgrade.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace coracle::kubelet {
namespace {

constexpr std::string_view kVersions = "X-Stream-Protocol-Version";

}  // namespace

bool is_spdy_upgrade(const net::Request& request) {
  return request.headers.has_token("Connection", "upgrade") &&
         request.headers.has_token("Upgrade", "SPDY/3.1");
}

Result<std::string> choose_stream_protocol(const net::Request& request,
                                           const std::vector<std::string>& supported) {
  std::vector<std::string> asked;
  for (const std::string_view line : request.headers.values(kVersions)) {
    for (const std::string& one : split(line, ',')) asked.emplace_back(trim(one));
  }
  if (asked.empty()) return std::string();
  for (const std::string& one : asked) {
    if (std::find(supported.begin(), supported.end(), one) != supported.end()) return one;
  }
  return Status(Code::kPermissionDenied,
                "unable to upgrade: unable to negotiate protocol: client supports [" +
                    join(asked, " ") + "], server accepts [" + join(supported, " ") + "]");
}

std::shared_ptr<net::ByteStream> accept_spdy(net::Exchange& exchange, const std::string& protocol) {
  net::Headers headers{{"Connection", "Upgrade"}, {"Upgrade", "SPDY/3.1"}};
  if (!protocol.empty()) headers.add(std::string(kVersions), protocol);
  return exchange.upgrade(101, std::move(headers));
}

net::Response plain_answer(int status, std::string text) {
  return net::make_response(status, std::move(text), "text/plain; charset=utf-8");
}

net::Response refuse_protocol(const Status& why, const std::vector<std::string>& supported) {
  net::Response response = plain_answer(403, why.message() + "\n");
  for (const std::string& one : supported) {
    response.headers.add("X-Accepted-Stream-Protocol-Versions", one);
  }
  return response;
}

}  // namespace coracle::kubelet
