// Cycle: where one pod goes, and why. Pure: profile, pod and snapshot in, Decision out.
//
// Sampling: above kSampleFrom nodes it stops looking when enough fit, and begins the next search
// where this one ended. Ties among the best go round robin. Both live in Rotation, the only state.
//
// The steps are apart because extenders may be asked between them. The world may change then, but
// not during a step.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "cycle/asking.hpp"
#include "cycle/explanation.hpp"
#include "cycle/filters.hpp"
#include "framework/profile.hpp"

namespace coracle::scheduler {

inline constexpr size_t kSampleFrom = 100;
// Of so many nodes of a decision, all filters are asked; of the others, those up to the first no.
inline constexpr size_t kFullyAskedMax = 1000;

struct Rotation {
  size_t next_start = 0;
  std::uint64_t ties = 0;
  Rng chance{1};  // where the search for victims begins
};

struct Decision {
  enum class Kind { kPlaced, kFitsNowhere, kBroken };
  Kind kind = Kind::kFitsNowhere;
  PodPtr pod;
  std::string node;  // of kPlaced
  // Upstream's sentence; of kBroken: what failed.
  std::string message;
  std::vector<const Plugin*> rejected_by;  // each once
  // Of kFitsNowhere: it will fit on `nominated` when the victims have left.
  std::string nominated;
  std::vector<PodPtr> victims;
  bool clear_nomination = false;
  Writes writes;  // after which it may fit
  int looked_at = 0, nodes = 0;
  std::vector<std::string> notes;  // what went on without: plugins that were left out, and why
  Explanation why;
};

class Cycle {
 public:
  using Indexes = std::vector<std::uint32_t>;  // of world.nodes
  using Noes = std::vector<std::pair<std::uint32_t, const Verdict*>>;
  Cycle(const Profile& profile, PodPtr pod, const Snapshot& world, Rotation& rotation);

  // 1. Which nodes the filters let. A decision that is broken has none. `judged`: others filter or
  // score what fits, so that one node is not enough even if no plugin scores.
  void filter(bool judged = false);
  const Indexes& fitting() const { return fitting_; }
  bool broken() const { return decision_.kind == Decision::Kind::kBroken; }

  // 1b. Plugins that are programs (external/): what one said of the nodes that fitted when it was
  // asked; its scores are kept for score(). Or it has no say: a note, if that is a failure.
  void take_answer(const Plugin& plugin, const std::map<std::string, Verdict>& noes,
                   std::map<std::string, std::int64_t> scores);
  void leave_out(const Plugin& plugin, std::string note = {});

  // 2. Extenders: takes the world as it is now; nodes that went are out.
  std::vector<std::string> fitting_names() const;
  void keep(const std::vector<std::string>& names);
  void reject(const std::string& node, Verdict verdict, const Plugin* by);
  void note_rejection(const Plugin* plugin);
  void fail(std::string message);

  // 3a. Nothing fits: PostFilter. The candidates are for extenders to judge; one is settled on.
  Candidates post_filter();
  void nominate(const Candidates& candidates);
  void end_preemption(std::string message);  // it failed: the nomination stays as it is
  // 3b. Something fits: scores, and what extenders add to them (by node, weighted).
  void score();
  void add_extender_scores(const std::string& name, std::int64_t weight,
                           const std::map<std::string, std::int64_t>& scores);
  void choose();

  Decision take() { return std::move(decision_); }

 private:
  // The scores of one plugin, as fitting_; false: it has no say, or failed.
  bool score_one(const Plugin& plugin, std::vector<std::int64_t>* raw,
                 std::vector<std::int64_t>* scores);
  bool ready(const Filters& filters);
  bool try_nominated(Filters& filters, FilterAsking& asking);
  void look_at_all(FilterAsking& asking, const Filters& filters, size_t enough);
  void look_at(FilterAsking& asking, std::uint32_t index);
  void take_known(size_t index, size_t count);  // they fit
  // Indexes of the nodes to look at, from `start` on; nothing: all of them.
  std::optional<Indexes> only(const Filters& filters, size_t start) const;
  Noes all_noes() const;
  std::string filter_message() const;

  const Profile& profile_;
  const Snapshot& world_;
  Rotation& rotation_;
  Decision decision_;
  Indexes fitting_;
  std::vector<std::int64_t> totals_;  // as fitting_
  // Normalized scores that were said outside, by node; of those that are left out: none.
  std::map<const Plugin*, std::map<std::string, std::int64_t>> said_;
  std::vector<const Plugin*> left_out_;
  bool shares_ = false;  // with pods of its shape
  // Who refused first, by index and slot of the node as it was then; the number is of
  // decision_.why.
  struct No {
    std::uint32_t index, slot;
    std::uint16_t number;
  };
  std::vector<No> noes_;
  std::vector<std::pair<std::string, std::uint16_t>> told_;  // by extenders, by node
  std::uint64_t layout_ = 0;                                 // whose indexes those of noes_ are
  Verdict all_nodes_ = Verdict::yes();                       // a no of pre_filter, for all
  std::string absent_;  // why nodes were not looked at: other plugins named some
  std::string post_message_;
  const Plugin* post_by_ = nullptr;
};

// All of it, without extenders.
Decision decide(const Profile& profile, const PodPtr& pod, const Snapshot& world,
                Rotation& rotation);
// How many fitting nodes are enough.
size_t enough_nodes(size_t nodes, int percentage);

}  // namespace coracle::scheduler
