// Filters: the filter plugins of a profile about one pod: what pre_filter computed, kept for the
// nodes, and for "what if". Pure; the world must stand still while it is used.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "framework/profile.hpp"

namespace coracle::scheduler {

class Filters final : public FilterRun {
 public:
  // A filter that has a say about this pod.
  struct Active {
    const Plugin* plugin;
    StatePtr state;
    bool rejected = false;  // by its pre_filter: it has no state, and its no stands
  };

  Filters(const Profile& profile, const PodInfo& pod, const Snapshot& world);

  // A no (or a failure) of pre_filter: for all nodes.
  const Verdict& verdict() const { return verdict_; }
  const Plugin* by() const { return by_; }
  // The only nodes to look at, if any plugin named them, and which plugins did.
  const std::optional<std::set<std::string>>& only() const { return only_; }
  const std::set<std::string>& narrowed_by() const { return narrowed_by_; }
  const std::vector<Active>& active() const { return active_; }
  const std::vector<const Plugin*>& skipped() const { return skipped_; }

  // The first no, and the index of the one in active() who said it.
  Verdict look(const NodeInfo& node, size_t* column);

  Verdict filter(const NodeInfo& node) override;
  void add_pod(const PodPtr& other, NodeInfo& node) override;
  void remove_pod(const PodPtr& other, NodeInfo& node) override;
  std::optional<SharedWork::Plugins> if_all_see_one_node() const override;

 private:
  // False: it is out for all nodes.
  bool pre_filter(const Plugin& plugin, StatePtr* state);
  bool narrow(const Plugin& plugin);
  Verdict run(const NodeInfo& node, size_t* column) const;

  const Profile& profile_;
  const PodInfo& pod_;
  const Snapshot& world_;
  std::vector<Active> active_;
  std::vector<const Plugin*> skipped_;
  Verdict verdict_ = Verdict::yes();
  const Plugin* by_ = nullptr;
  std::optional<std::set<std::string>> only_;
  std::set<std::string> narrowed_by_;
};

}  // namespace coracle::scheduler
