// Claims: what placement reads of PersistentVolumeClaims and of the volumes they are bound to, and
// who has what while its bind is under way. Pure; the owner is the cache's Snapshot.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "framework/pod_info.hpp"

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
  bool empty() const { return holders_.empty(); }

 private:
  std::map<std::string, std::string> holders_;
};

}  // namespace coracle::scheduler
