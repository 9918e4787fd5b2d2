// Garbage collector: deletes objects whose owners are all gone, carries out foreground and orphan
// deletion. Pure (upstream: pkg/controller/garbagecollector).
//
// When is an owner gone? If its deletion was seen (the key says so), or if the cache of its kind is
// complete up to a version later than the dependent's and does not hold it: an owner is written
// before its dependents are. Otherwise it may only not be seen yet, and nothing is deleted. Garbage
// is deleted at the version that was seen, for it may have been orphaned since.
//
// An owner that waits for its dependents (foreground deletion) takes those along that no other
// owner keeps; the others lose their reference to it. In a circle of owners one stops to block.
#pragma once

#include <map>
#include <optional>

#include "controllers/controller.hpp"

namespace coracle::controllers {

class GarbageCollector final : public Controller {
 public:
  GarbageCollector();

  std::string_view name() const override { return "generic-garbage-collector"; }
  std::vector<client::Gvr> watched() const override { return watched_; }
  bool follows_custom_kinds() const override { return true; }
  // Keys: "PLURAL.GROUP|NAMESPACE/NAME" and, behind another '|', the uid of an owner that is gone.
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;

 private:
  struct Dependent {
    client::Gvr gvr;
    client::ObjectPtr object;
  };
  enum class Owner { kThere, kWaits, kGone, kUnknown };
  // What is known of an owner without looking: its uid, or "".
  struct Known {
    std::string gone, waits;
  };

  std::vector<Dependent> dependents_of(const World& world, const std::string& uid) const;
  void wake_owners(const World& world, const json::value& dependent, const Enqueue& enqueue) const;
  Owner look_up(const World& world, const json::value& reference, const json::value& dependent,
                const Known& known) const;
  bool in_circle(const World& world, const std::string& uid) const;
  // Of the key that begins so; nothing when there is no such kind (any more).
  std::optional<client::Gvr> gvr_of_key(const World& world, const std::string& resource) const;
  // The built-in kinds and the custom ones of now.
  std::vector<client::Gvr> kinds(const World& world) const;
  std::optional<client::Gvr> gvr_of(const World& world, const json::value& reference) const;
  void foreground(const World& world, const client::Gvr& gvr, const client::ObjectPtr& object,
                  Plan* plan) const;
  void orphan(const World& world, const client::Gvr& gvr, const client::ObjectPtr& object,
              Plan* plan) const;
  void judge(const World& world, const client::Gvr& gvr, const client::ObjectPtr& object,
             const Known& known, Plan* plan) const;

  std::vector<client::Gvr> watched_;
  std::map<std::string, client::Gvr> by_key_;  // of watched_
};

}  // namespace coracle::controllers
