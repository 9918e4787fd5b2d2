#include "cluster_sim/world.hpp"

#include <fmt/format.h>

#include "cluster_sim/parts.hpp"

namespace coracle::cluster_sim {

World::World(WorldOptions options) {
  const Status possible = cluster_sim::check(options);
  CHECK_MSG(possible.ok(), possible.message());
  parts_ = std::make_unique<Parts>(std::move(options));
}

World::~World() = default;

// ---- time ----

TimePoint World::now() const { return parts_->timeline.now(); }
WallTime World::wall_now() const { return parts_->site.epoch + now().time_since_epoch(); }
Duration World::elapsed() const { return now() - parts_->booted; }

void World::after(Duration delay, std::function<void()> work) {
  parts_->timeline.at(now() + delay, std::move(work));
}

void World::stop_at(std::uint64_t event) { parts_->stop_at = event; }
bool World::stopped() const {
  return !parts_->failure.empty() || parts_->timeline.ran() >= parts_->stop_at;
}

bool World::step() { return !stopped() && parts_->timeline.run_next(); }

void World::run_for(Duration span) {
  const TimePoint end = now() + span;
  while (!stopped()) {
    const auto next = parts_->timeline.next();
    if (!next || *next > end) return parts_->timeline.pass_until(end);
    parts_->timeline.run_next();
  }
}

bool World::run_until(const std::function<bool()>& done, Duration limit) {
  const TimePoint end = now() + limit;
  while (!stopped()) {
    if (done()) return true;
    const auto next = parts_->timeline.next();
    if (!next || *next > end) return false;
    parts_->timeline.run_next();
  }
  return false;
}

// ---- booting ----

Status World::boot(Duration limit) {
  const TimePoint end = now() + limit;
  const auto wait = [&](const char* what, const std::function<bool()>& done) -> Status {
    if (run_until(done, end - now())) return {};
    if (!failure().empty()) return failed_precondition(failure());
    return deadline_exceeded(fmt::format("the cluster does not start: {}", what));
  };
  Parts& p = *parts_;
  for (const auto& store : p.stores) store->start();
  RETURN_IF_ERROR(wait("the store has no leader", [&] { return p.store_ready(); }));
  for (const auto& server : p.apiservers) server->start();
  RETURN_IF_ERROR(wait("an apiserver is not ready", [&] { return Parts::ready(p.apiservers); }));
  p.observer->start();
  for (const auto& daemon : p.controllers) daemon->start();
  RETURN_IF_ERROR(wait("controllers have not synced", [&] { return Parts::ready(p.controllers); }));
  p.start_kubelets();
  RETURN_IF_ERROR(wait("nodes are not Ready", [&] { return p.nodes_ready(); }));
  for (const auto& daemon : p.schedulers) daemon->start();
  RETURN_IF_ERROR(wait("schedulers have not synced", [&] { return Parts::ready(p.schedulers); }));
  p.booted = now();
  p.check_every_minute();
  return {};
}

// ---- people ----

Executor& World::executor() { return *parts_->people.strand; }
client::Api& World::api() { return *parts_->api; }
Rng& World::rng() { return parts_->people_rng; }

// ---- hooks ----

void World::on_decision(DecisionHook hook) { parts_->decision_hooks.push_back(std::move(hook)); }
void World::on_pod(ObjectHook hook) { parts_->observer->on_pod(std::move(hook)); }
void World::on_node(ObjectHook hook) { parts_->observer->on_node(std::move(hook)); }
const client::ObjectCache& World::pods() { return parts_->observer->pods(); }
const client::ObjectCache& World::nodes() { return parts_->observer->nodes(); }

// ---- promises ----

const std::string& World::failure() const { return parts_->failure; }
void World::check() { parts_->check(); }
Stats World::stats() const { return parts_->stats(); }

std::optional<scheduler::Queue::Sizes> World::queue() const {
  std::optional<scheduler::Queue::Sizes> all;
  for (const auto& daemon : parts_->schedulers) {
    const scheduler::Queue* const queue = daemon->queue();
    if (queue == nullptr) continue;
    const auto sizes = queue->sizes();
    if (!all) all.emplace();
    all->active += sizes.active;
    all->backoff += sizes.backoff;
    all->parked += sizes.parked;
    all->gated += sizes.gated;
    all->taken += sizes.taken;
  }
  return all;
}

}  // namespace coracle::cluster_sim
