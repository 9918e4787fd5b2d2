// compression: which answers are sent as gzip, as upstream decides: those of more than 128 KiB to
// clients that name gzip in Accept-Encoding. Watches and logs never are.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "net/http.hpp"

namespace coracle::apiserver {

inline constexpr std::size_t kGzipBytesMin = 128 * 1024;

bool wants_gzip(const net::Request& request, const net::Response& response);
// Level 1, as upstream: it costs about 5 ms a megabyte.
std::string gzip(const std::vector<net::Bytes>& parts);

// Where compressing is done, so that other requests need not wait for it.
class GzipPort {
 public:
  virtual ~GzipPort() = default;
  // `done` is called later, on the strand; with "" when there is too much to do already: then the
  // answer goes as it is.
  virtual void compress(std::vector<net::Bytes> parts, std::function<void(std::string)> done) = 0;
};

}  // namespace coracle::apiserver
