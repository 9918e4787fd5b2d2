#include "framework/claims.hpp"

#include "framework/pod_parts.hpp"

namespace coracle::scheduler {

ClaimFacts parse_claim(const json::value& claim) {
  ClaimFacts facts;
  for (const json::value& mode : get_array(claim, "spec.accessModes")) {
    if (mode == json::value("ReadWriteOncePod")) facts.one_pod_only = true;
  }
  facts.volume = get_string(claim, "spec.volumeName");
  return facts;
}

std::optional<DiskUse> parse_volume(const json::value& volume) {
  const json::value* spec = find(volume, "spec");
  return spec == nullptr ? std::nullopt : parse_disk(*spec);
}

bool Reservations::take(const std::string& what, const std::string& uid) {
  return holders_.emplace(what, uid).first->second == uid;
}

void Reservations::give_back(const std::string& what, const std::string& uid) {
  const auto found = holders_.find(what);
  if (found != holders_.end() && found->second == uid) holders_.erase(found);
}

void Reservations::give_back_all(const std::string& uid) {
  std::erase_if(holders_, [&uid](const auto& entry) { return entry.second == uid; });
  devices_.erase(uid);
  take_back_promises(uid);
}

void Reservations::promise(const std::string& claim, const std::string& pod,
                           SharedObject allocation) {
  promises_[claim] = {pod, std::move(allocation)};
}

const Reservations::Promise* Reservations::promised(const std::string& claim) const {
  const auto found = promises_.find(claim);
  return found == promises_.end() ? nullptr : &found->second;
}

void Reservations::take_back_promises(const std::string& pod) {
  std::erase_if(promises_, [&pod](const auto& entry) { return entry.second.pod == pod; });
}

void Reservations::give_devices(const std::string& uid, std::vector<std::uint8_t> devices) {
  devices_[uid] = std::move(devices);
}

const std::vector<std::uint8_t>& Reservations::devices_of(const std::string& uid) const {
  static const std::vector<std::uint8_t> kNone;
  const auto found = devices_.find(uid);
  return found == devices_.end() ? kNone : found->second;
}

bool Reservations::is_taken(const std::string& what, const std::string& by_other_than_uid) const {
  const auto found = holders_.find(what);
  return found != holders_.end() && found->second != by_other_than_uid;
}

}  // namespace coracle::scheduler
