// Plugin: one question about pod and node. A plugin implements what it needs of: pre_filter and
// filter (may the pod run there?), pre_score, score and normalize (how well?), reserve and
// unreserve (the node is chosen: what does it take?), before_bind and may_bind (what must be
// written and seen before the pod is bound?), helped_by and helps (what could change a no?).
// plugins/registry.cpp says which of them a profile runs.
//
// Plugins are pure and immutable: what pre_* computes for the pod goes into a PluginState that the
// cycle hands back, what reserve takes into Reservations. A score is 0..kScoreMax after normalize;
// the profile's weight multiplies it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.hpp"
#include "framework/snapshot.hpp"

namespace coracle::scheduler {

inline constexpr std::int64_t kScoreMax = 100;

// What happens next, and the words for people. A verdict may have several reasons.
class [[nodiscard]] Verdict {
 public:
  enum class Kind : std::uint8_t {
    kYes,
    kSkip,    // of pre_filter, pre_score: the plugin has no say about this pod
    kNotNow,  // may fit when something changes, or when other pods leave
    kNever,   // this spec cannot fit this node, whatever pods leave it
    kBroken,  // the plugin failed
  };
  static Verdict yes() { return Verdict(Kind::kYes); }
  static Verdict skip() { return Verdict(Kind::kSkip); }
  static Verdict not_now(std::string reason) { return Verdict(Kind::kNotNow, std::move(reason)); }
  static Verdict never(std::string reason) { return Verdict(Kind::kNever, std::move(reason)); }
  static Verdict broken(const Status& status) { return Verdict(Kind::kBroken, status.to_string()); }
  static Verdict no(Kind kind, std::vector<std::string> reasons) {
    Verdict verdict(kind);
    verdict.reasons_ = std::move(reasons);
    return verdict;
  }

  Kind kind() const { return kind_; }
  bool is_yes() const { return kind_ == Kind::kYes; }
  bool is_skip() const { return kind_ == Kind::kSkip; }
  const std::vector<std::string>& reasons() const { return reasons_; }
  friend bool operator==(const Verdict&, const Verdict&) = default;

 private:
  explicit Verdict(Kind kind) : kind_(kind) {}
  Verdict(Kind kind, std::string reason) : kind_(kind) { reasons_.push_back(std::move(reason)); }

  Kind kind_;
  std::vector<std::string> reasons_;
};

// What happened in the cluster, as bits.
using Events = std::uint32_t;
namespace event {
inline constexpr Events kNodeAdded = 1u << 0;
inline constexpr Events kNodeGrew = 1u << 1;    // allocatable of something is more
inline constexpr Events kNodeLabels = 1u << 2;  // labels changed
inline constexpr Events kNodeTaints = 1u << 3;  // taints or unschedulable changed
inline constexpr Events kPodPlaced = 1u << 4;   // a pod now counts on a node
inline constexpr Events kPodGone = 1u << 5;     // a placed pod left
inline constexpr Events kPodLabels = 1u << 6;   // labels of a placed pod changed
inline constexpr Events kClaim = 1u << 7;       // a claim was added or changed
inline constexpr Events kNamespace = 1u << 8;   // labels of a namespace changed
inline constexpr Events kPodLeaving = 1u << 9;  // a placed pod is being deleted; it still counts
inline constexpr Events kVolume = 1u << 10;     // a PersistentVolume was added or changed
inline constexpr Events kStorageClass = 1u << 11;
inline constexpr Events kNodeAny = kNodeAdded | kNodeGrew | kNodeLabels | kNodeTaints;
}  // namespace event

// One change, with the party it is about where there is one.
struct Change {
  Events events = 0;
  const NodeInfo* node = nullptr;  // of node events
  const PodInfo* pod = nullptr;    // of pod events
  std::string_view claim{};        // of kClaim: "namespace/name"
};

struct PluginState {
  virtual ~PluginState() = default;
};
using StatePtr = std::unique_ptr<PluginState>;

class Plugin {
 public:
  virtual ~Plugin() = default;
  virtual std::string_view name() const = 0;

  // Once a pod, before filter. A no here is for all nodes.
  virtual Verdict pre_filter(const PodInfo&, const Snapshot&, StatePtr*) const {
    return Verdict::yes();
  }
  virtual Verdict filter(const PodInfo&, const NodeInfo&, const PluginState*) const {
    return Verdict::yes();
  }

  // Once a pod that fits several nodes; `fitting` are indexes into snapshot.nodes.
  virtual Verdict pre_score(const PodInfo&, const Snapshot&,
                            const std::vector<std::uint32_t>& fitting, StatePtr*) const {
    return Verdict::yes();
  }
  virtual std::int64_t score(const PodInfo&, const NodeInfo&, const PluginState*) const {
    return 0;
  }
  virtual void normalize(const PluginState*, std::vector<std::int64_t>&) const {}

  // The pod counts on the node from now on, though its bind is still to come: takes what others
  // must not get meanwhile. A no undoes the placement.
  virtual Verdict reserve(const PodInfo&, const std::string& /*node*/, const Snapshot&,
                          Reservations&) const {
    return Verdict::yes();
  }
  // A later step or the bind failed. Also called when reserve took nothing, or was not called.
  virtual void unreserve(const PodInfo&, const std::string& /*node*/, Reservations&) const {}

  // Once, when the node is reserved.
  virtual std::vector<PreBindWrite> before_bind(const PodInfo&, const std::string& /*node*/,
                                                const Snapshot&) const {
    return {};
  }
  // After its writes, and then whenever something changes: yes, not yet, or never there.
  virtual Verdict may_bind(const PodInfo&, const std::string& /*node*/, const Snapshot&) const {
    return Verdict::yes();
  }

  // Events after which a pod that this plugin rejected is worth another try.
  virtual Events helped_by() const { return 0; }
  // A closer look at one of those events; the default trusts the bits.
  virtual bool helps(const PodInfo&, const Change&) const { return true; }
};

// The usual normalize: the largest becomes kScoreMax; `reverse`: the largest becomes 0.
void scale_scores(std::vector<std::int64_t>& scores, bool reverse);

}  // namespace coracle::scheduler
