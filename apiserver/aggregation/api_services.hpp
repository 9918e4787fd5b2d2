// ApiServices: which group versions other servers answer for, as the APIService objects say. Read
// from the watch cache when that has changed.
//
// Thread: apiserver strand.
#pragma once

#include <string>
#include <vector>

#include "apiserver/remote/remote.hpp"
#include "apiserver/remote/service_route.hpp"

namespace coracle::apiserver {

inline constexpr std::string_view kApiServicesPrefix = "apiservices";

struct RemoteVersion {
  std::string name;  // of the APIService: "v1.example.com"
  std::string group, version;
  ServicePortName service;
  std::string ca_pem;
  bool insecure = false;
  bool available = false;  // as its condition says
  int group_priority = 0, version_priority = 0;

  std::string path() const { return "/apis/" + group + "/" + version; }
  // Unavailable when the service leads nowhere.
  Result<RemoteServer> route(const StoreFeed& feed, Rng& rng) const;
};

class ApiServices {
 public:
  explicit ApiServices(const StoreFeed& feed) : feed_(feed) {}

  // Those with a service, by name.
  const std::vector<RemoteVersion>& remote();
  // nullptr: not another server's. A pointer lives until the next call.
  const RemoteVersion* find(std::string_view group, std::string_view version);

 private:
  const StoreFeed& feed_;
  std::vector<RemoteVersion> remote_;
  std::int64_t as_of_ = -1;
  std::size_t size_ = 0;
};

}  // namespace coracle::apiserver
