// Claims: what placement reads of PersistentVolumeClaims and of the volumes they are bound to, and
// who has what while its bind is under way. Pure; the owner is the cache's Snapshot.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "framework/pod_info.hpp"
#include "framework/storage.hpp"

namespace coracle::scheduler {

struct ClaimFacts {
  bool one_pod_only = false;  // ReadWriteOncePod
  std::string volume;         // the PersistentVolume it is bound to; empty: none yet
};
ClaimFacts parse_claim(const json::value& claim);
// The disk behind a PersistentVolume; nothing where it is of a kind that is not counted.
std::optional<DiskUse> parse_volume(const json::value& volume);

// What pods were promised besides room on a node: by name, one holder (a pod's uid) each. A promise
// lasts from the plugin's reserve until the informer shows the pod placed or gone, or the bind
// fails. Bound: the assumed pods, times what each takes.
class Reservations {
 public:
  // False: another pod has it. What one has already may be taken again.
  bool take(const std::string& what, const std::string& uid);
  // Nothing when it is another's, or nobody's.
  void give_back(const std::string& what, const std::string& uid);
  void give_back_all(const std::string& uid);
  // Whether somebody but this pod has it.
  bool is_taken(const std::string& what, const std::string& by_other_than_uid) const;
  bool empty() const { return holders_.empty() && devices_.empty() && promises_.empty(); }
  // The devices a pod was given on its node.
  void give_devices(const std::string& uid, std::vector<std::uint8_t> devices);
  const std::vector<std::uint8_t>& devices_of(const std::string& uid) const;
  void take_back_devices(const std::string& uid) { devices_.erase(uid); }
  // What a claim to devices (by its uid) will say is allocated for it, once the pod's bind gets so
  // far.
  struct Promise {
    std::string pod;  // its uid
    SharedObject allocation;
  };
  void promise(const std::string& claim, const std::string& pod, SharedObject allocation);
  const Promise* promised(const std::string& claim) const;  // null: nothing
  const std::map<std::string, Promise>& promises() const { return promises_; }
  void take_back_promises(const std::string& pod);

 private:
  std::map<std::string, std::string> holders_;
  std::map<std::string, std::vector<std::uint8_t>> devices_;  // by uid
  std::map<std::string, Promise> promises_;                   // by the claim's uid
};

}  // namespace coracle::scheduler
