#include "member/config.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace coracle::store {
namespace {

std::uint64_t id_from(const std::string& text) {
  const std::uint64_t id = disk::get_u64(sha256(text), 0);
  return id == 0 ? 1 : id;
}

}  // namespace

std::uint64_t member_id(const Urls& peer_urls, const std::string& token) {
  Urls sorted = peer_urls;
  std::sort(sorted.begin(), sorted.end());
  return id_from("member\n" + join(sorted, ",") + "\n" + token);
}

std::uint64_t added_member_id(const Urls& peer_urls, const std::string& token, WallTime now) {
  Urls sorted = peer_urls;
  std::sort(sorted.begin(), sorted.end());
  return id_from("member\n" + join(sorted, ",") + "\n" + token + "\n" +
                 std::to_string(now.time_since_epoch().count()));
}

disk::Identity identity_of(const MemberConfig& config) {
  if (config.identity.member != 0) return config.identity;
  std::vector<std::string> ids;
  for (const auto& [name, urls] : config.initial_cluster) {
    ids.push_back(fmt::format("{:016x}", member_id(urls, config.cluster_token)));
  }
  std::sort(ids.begin(), ids.end());
  return {id_from("cluster\n" + join(ids, ",") + "\n" + config.cluster_token),
          member_id(config.advertise_peer, config.cluster_token)};
}

}  // namespace coracle::store
