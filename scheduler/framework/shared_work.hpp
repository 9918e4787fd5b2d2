// SharedWork: what plugins that see one node at a time said about pods of a shape, by slot of the
// node, good while the node's stamp is the same. So pods that are alike share the work, and after a
// placement only the node that took the pod is asked anew.
//
// A shape is kept from the second time on that it is seen lately: pods that are all different cost
// no memory. Bound: shapes_max() and kPreemptedMax, the longest unused go. A copy begins empty: it
// is of one world. One strand.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "framework/candidate.hpp"
#include "framework/pod_info.hpp"
#include "framework/verdict.hpp"

namespace coracle::scheduler {

class Plugin;

class SharedWork {
 public:
  static constexpr std::uint16_t kPassed = 0xffff;
  // Of one shape; nodes with words beyond them are asked each time.
  static constexpr size_t kTextsMax = 1000;
  // Plugins that see one node, owned: no other can come to have the address of one of them.
  using Plugins = std::vector<std::shared_ptr<const Plugin>>;

  // What is kept is about pods of one shape (and, of preemption, of one priority) and by whom.
  struct Kept {
    PodShape shape;
    Plugins plugins;
    std::int64_t priority = 0;
    std::uint64_t used = 0;
  };
  struct Filtered : Kept {
    std::vector<Verdict> texts;
    std::vector<std::uint64_t> stamps;    // by slot; 0: never asked
    std::vector<std::uint64_t> fits;      // by slot: its stamp, if nobody says no
    std::vector<std::uint16_t> verdicts;  // by slot, one for each plugin: kPassed or index of texts
  };
  struct Scored : Kept {  // by one plugin
    std::vector<std::uint64_t> stamps;
    std::vector<std::int64_t> raw;
  };
  // What preemption found out; its victims are kept alive by it.
  struct Preempted : Kept {
    std::vector<std::uint64_t> stamps;
    std::vector<DryRun> runs;  // by slot
  };
  static constexpr size_t kPreemptedMax = 4;

  SharedWork() = default;
  SharedWork(const SharedWork&) noexcept {}
  SharedWork& operator=(const SharedWork&) noexcept {
    *this = SharedWork();
    return *this;
  }
  SharedWork(SharedWork&&) = default;
  SharedWork& operator=(SharedWork&&) = default;
  ~SharedWork() = default;

  // Whether answers about the shape are kept; to be asked once a decision.
  bool shares(const PodShape& shape);
  // With room for all slots. Good until the next call.
  Filtered& filtered(const PodShape& shape, const Plugins& plugins, size_t slots);
  Scored& scored(const PodShape& shape, const Plugins& plugin, size_t slots);
  Preempted& preempted(const PodShape& shape, std::int64_t priority, const Plugins& plugins,
                       size_t slots);

  static size_t shapes_max(size_t slots);

 private:
  template <class Work>
  Work& find(std::vector<std::unique_ptr<Work>>& all, const PodShape& shape, const Plugins& plugins,
             size_t max, std::int64_t priority = 0);

  std::vector<std::unique_ptr<Filtered>> filtered_;
  std::vector<std::unique_ptr<Scored>> scored_;
  std::vector<std::unique_ptr<Preempted>> preempted_;
  std::array<std::uint64_t, 256> seen_{};  // hashes of the shapes of the last decisions
  size_t seen_next_ = 0;
  std::uint64_t uses_ = 0;
};

}  // namespace coracle::scheduler
