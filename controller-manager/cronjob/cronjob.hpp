// CronJob controller: makes a Job whenever the schedule comes round. Pure (upstream:
// pkg/controller/cronjob). Jobs are named after the minute they are for, so that none is made
// twice.
#pragma once

#include "base/time_zone.hpp"
#include "controllers/controller.hpp"

namespace coracle::controllers {

class CronJobController final : public Controller {
 public:
  explicit CronJobController(TimeZones zones) : zones_(std::move(zones)) {}
  std::string_view name() const override { return "cronjob-controller"; }
  std::vector<client::Gvr> watched() const override { return {gvr::kCronJobs, gvr::kJobs}; }
  void touched(const World& world, const client::Gvr& gvr, const json::value* before,
               const json::value* after, const Enqueue& enqueue) const override;
  Plan reconcile(const World& world, const std::string& key, Instant now) const override;

 private:
  const TimeZones zones_;
};

}  // namespace coracle::controllers
