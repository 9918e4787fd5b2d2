// Plugin: one question about pod and node. A plugin implements what it needs of, in the order of a
// pod's way: pre_enqueue (may it be tried at all?), less (who is first?), pre_filter and filter
// (may it run there?), add_pod and remove_pod (and if others came or left?), post_filter and pick
// (nothing fits: who would have to leave?), pre_score, score and normalize (how well?), reserve and
// unreserve (the node is chosen: what does it take?), permit and falls_with (shall it wait?),
// before_bind and may_bind (what must be written and seen before?), take_back (it was not bound:
// what of that must not stay?), bind, post_bind; helped_by and helps (what could turn a no?).
// Plugins are pure and immutable: what pre_* computes for the pod goes into a PluginState that the
// cycle hands back, what reserve takes into Reservations. A score is 0..kScoreMax after normalize;
// the profile's weight multiplies it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "framework/cluster_events.hpp"
#include "framework/post_filter.hpp"
#include "framework/snapshot.hpp"
#include "framework/verdict.hpp"

namespace coracle::scheduler {

inline constexpr std::int64_t kScoreMax = 100;
inline constexpr std::int64_t kExtenderScoreMax = 10;

struct PluginState {
  virtual ~PluginState() = default;
};
using StatePtr = std::unique_ptr<PluginState>;

// A pod that waits in the queue.
struct QueuedPod {
  const PodInfo* pod = nullptr;
  TimePoint since;  // when it was first seen, or tried in vain last
};

// Whether the bind may go on: now, or when permit() says so on a later look, within `wait`.
struct Permission {
  Verdict verdict = Verdict::yes();  // kNotNow with a wait: not yet; else a no
  Duration wait{0};
};

class Plugin {
 public:
  virtual ~Plugin() = default;
  virtual std::string_view name() const = 0;
  // True: it says nothing itself; its filter and score are asked between the steps of a decision
  // (external/process_plugin.hpp).
  virtual bool is_asked_outside() const { return false; }

  // Whether filter, and score before normalize, read nothing but the PodShape of the pod and the
  // node: no state, no world. Then they are asked once for all pods of a shape until the node
  // changes.
  virtual bool sees_one_node() const { return false; }

  // A no keeps the pod out of the queue until it changes.
  virtual Verdict pre_enqueue(const PodInfo&, const Snapshot&) const { return Verdict::yes(); }
  // Whether `a` is to be tried before `b`: a strict weak order.
  virtual bool less(const QueuedPod& /*a*/, const QueuedPod& /*b*/) const { return false; }

  // Once a pod, before filter. A no here is for all nodes.
  virtual Verdict pre_filter(const PodInfo&, const Snapshot&, StatePtr*) const {
    return Verdict::yes();
  }
  // After a yes of pre_filter: the only nodes worth a look, by name; nothing: all of them.
  virtual std::optional<std::set<std::string>> only_nodes(const PodInfo&) const { return {}; }
  // What pre_filter computed, if `other` counted on the node, or did not any more. The node shows
  // it already.
  virtual void add_pod(const PodInfo&, const PodInfo& /*other*/, const NodeInfo&,
                       PluginState*) const {}
  virtual void remove_pod(const PodInfo&, const PodInfo& /*other*/, const NodeInfo&,
                          PluginState*) const {}
  virtual Verdict filter(const PodInfo&, const NodeInfo&, const PluginState*) const {
    return Verdict::yes();
  }

  // Once a pod that fits nowhere, and which of the candidates (there is one at least) is the best.
  virtual PostFiltered post_filter(const PostFilterInput&) const { return {}; }
  virtual size_t pick(const Candidates&) const { return 0; }

  // Once a pod that fits several nodes; `fitting` are indexes into snapshot.nodes.
  virtual Verdict pre_score(const PodInfo&, const Snapshot&,
                            const std::vector<std::uint32_t>& fitting, StatePtr*) const {
    return Verdict::yes();
  }
  virtual std::int64_t score(const PodInfo&, const NodeInfo&, const PluginState*) const {
    return 0;
  }
  virtual void normalize(const PluginState*, std::vector<std::int64_t>&) const {}

  // The pod is about to count on the node, though its bind is still to come: takes what others must
  // not get meanwhile. A no undoes the placement.
  virtual Verdict reserve(const PodInfo&, const std::string& /*node*/, const Snapshot&,
                          Reservations&) const {
    return Verdict::yes();
  }
  // A later step or the bind failed. Also called when reserve took nothing, or was not called.
  virtual void unreserve(const PodInfo&, const std::string& /*node*/, Reservations&) const {}

  // When the node is reserved, and again whenever a pod is reserved, placed or gone.
  virtual Permission permit(const PodInfo&, const std::string& /*node*/, const Snapshot&) const {
    return {};
  }

  // Whether `waiting`, which this plugin holds up, is to give up as well when `failed` has.
  virtual bool falls_with(const PodInfo& /*waiting*/, const PodInfo& /*failed*/,
                          const Snapshot&) const {
    return false;
  }

  // Once, when it is permitted.
  virtual Writes before_bind(const PodInfo&, const std::string& /*node*/, const Snapshot&) const {
    return {};
  }
  // After its writes, and then whenever something changes: yes, not yet, or never there.
  virtual Verdict may_bind(const PodInfo&, const std::string& /*node*/, const Snapshot&) const {
    return Verdict::yes();
  }

  // The bind, or a step before it, failed; unreserve follows when these are done, or have failed.
  // `wrote`: before_bind's writes may have been made, whether the world shows it yet or not.
  virtual Writes take_back(const PodInfo&, const Snapshot&, bool /*wrote*/) const { return {}; }

  // The Binding to post; nothing: the next plugin's.
  virtual std::optional<json::value> bind(const PodInfo&, const std::string& /*node*/) const {
    return {};
  }
  // It is bound.
  virtual void post_bind(const PodInfo&, const std::string& /*node*/, Reservations&) const {}

  // Events after which a pod that this plugin rejected is worth another try.
  virtual Events helped_by() const { return 0; }
  // A closer look at one of those events (upstream's queueing hint); the default trusts the bits.
  virtual bool helps(const PodInfo&, const Change&) const { return true; }
};

// Whether a change of a node turned the no of a filter that needs no state into a yes.
bool turned_by_node(const Plugin& plugin, const PodInfo& pod, const Change& change);

// The usual normalize: the largest becomes kScoreMax; `reverse`: the largest becomes 0.
void scale_scores(std::vector<std::int64_t>& scores, bool reverse);
// Another: the least becomes 0 and the largest kScoreMax; all alike: 0.
void stretch_scores(std::vector<std::int64_t>& scores);

}  // namespace coracle::scheduler
