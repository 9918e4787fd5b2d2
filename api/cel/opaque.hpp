// Opaque: what values hold that are neither texts nor numbers.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace coracle::api::cel {

struct Access;  // authorizer.hpp

struct Opaque {
  std::string text;                // as it was written; of ips and cidrs: the network address
  std::string bytes;               // 4 or 16
  std::int64_t bits = 0;           // of a prefix
  std::vector<std::string> parts;  // url: scheme, host, path, query; semver: prerelease, build
  std::int64_t major = 0, minor = 0, patch = 0;
  std::shared_ptr<const Access> access;  // authorizer.hpp
};

}  // namespace coracle::api::cel
