// Internal to net: the head of an answer as it goes over the wire.
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "net/http.hpp"

namespace coracle::net {

bool status_has_body(int status);  // not 1xx, 204, 304

struct ResponseHead {
  int status = 200;
  std::optional<std::size_t> length;  // none: a stream
  bool chunked = true;                // a stream's framing; else the end of the connection ends it
  bool keep_alive = true;
  WallTime now;

  // Adds Date, Content-Length or Transfer-Encoding, and Connection.
  std::string serialize(const Headers& headers) const;
};

}  // namespace coracle::net
