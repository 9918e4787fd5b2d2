#include "apiserver/flow/flow_control.hpp"

#include <algorithm>

#include "apiserver/bootstrap_objects.hpp"
#include "apiserver/chain/deadlines.hpp"

namespace coracle::apiserver {

namespace {

constexpr const char* kTooMany = "Too many requests, please try again later.";

std::uint64_t flow_hash(const std::string& schema, const std::string& flow) {
  std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a
  const auto mix = [&](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    hash *= 1099511628211ULL;
  };
  mix(schema);
  mix(flow);
  hash ^= hash >> 33;  // hands are dealt from the low bits
  hash *= 0xff51afd7ed558ccdULL;
  return hash ^ hash >> 33;
}

QueueSet::Settings settings_of(const PriorityLevel& config) {
  return {config.queues, config.hand_size, config.queue_length_max};
}

MetricLabels labels_of(const FlowSchema& schema) {
  return {{"flow_schema", schema.name()}, {"priority_level", schema.level()}};
}

const std::string& name_of(const FlowSchema& schema) { return schema.name(); }
const std::string& name_of(const PriorityLevel& level) { return level.name; }

template <class List>
bool has_name(const List& list, const std::string& name) {
  return std::any_of(list.begin(), list.end(),
                     [&](const auto& one) { return name_of(one) == name; });
}

}  // namespace

FlowControl::Ticket::Ticket(Ticket&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)),
      schema_(std::move(other.schema_)),
      waiter_(std::move(other.waiter_)),
      queue_(other.queue_),
      seats_(other.seats_),
      began_(other.began_) {}

FlowControl::Ticket::~Ticket() {
  if (owner_ == nullptr || !*schema_->level->alive) return;
  if (!waiter_) {
    owner_->finish(*schema_, queue_, seats_, began_);
    return;
  }
  waiter_->done = nullptr;
  if (waiter_->state == Waiter::State::kWaiting) owner_->refuse(waiter_, "cancelled");
  if (waiter_->state == Waiter::State::kExecuting) {
    owner_->finish(*schema_, waiter_->queue, waiter_->seats, waiter_->began);
  }
}

FlowControl::FlowControl(Executor& executor, Metrics& metrics, FlowLimits limits)
    : executor_(executor), metrics_(metrics), limits_(limits) {
  configure({}, {});
}

FlowControl::~FlowControl() {
  *alive_ = false;
  for (auto& [id, waiter] : waiting_) executor_.cancel(waiter->timer);
  for (auto& [id, waiter] : std::exchange(waiting_, {})) waiter->done = nullptr;
}

void FlowControl::configure(std::vector<FlowSchema> schemas, std::vector<PriorityLevel> levels) {
  json::value catch_all;
  for (const json::value& object : flow_control_objects()) {
    const std::string name(get_string(object, "metadata.name"));
    if (!is_mandatory_flow(name)) continue;
    if (get_string(object, "kind") == "FlowSchema") {
      if (name == "catch-all") catch_all = object;
      if (!has_name(schemas, name)) schemas.push_back(FlowSchema::from_json(object));
    } else if (!has_name(levels, name)) {
      levels.push_back(PriorityLevel::from_json(object));
    }
  }
  set_levels(std::move(levels));
  std::sort(schemas.begin(), schemas.end(),
            [](const FlowSchema& a, const FlowSchema& b) { return a.before(b); });
  schemas_.clear();
  SchemaPtr last;
  for (FlowSchema& schema : schemas) {
    const auto level = levels_.find(schema.level());
    if (level == levels_.end() || level->second->quiescing) continue;  // dangling
    SchemaPtr made = make_schema(std::move(schema), level->second);
    if (made->schema.name() == "catch-all") last = made;
    schemas_.push_back(std::move(made));
  }
  // Of a stored one whose level is not there: it takes the rest all the same.
  if (!last) last = make_schema(FlowSchema::from_json(catch_all), levels_.at("catch-all"));
  schemas_.push_back(std::move(last));
}

FlowControl::SchemaPtr FlowControl::make_schema(FlowSchema schema, std::shared_ptr<Level> level) {
  auto out = std::make_shared<Schema>();
  const MetricLabels labels = labels_of(schema);
  out->executing = &metrics_.gauge("apiserver_flowcontrol_current_executing_requests",
                                   "Requests that execute", labels);
  out->seats =
      &metrics_.gauge("apiserver_flowcontrol_current_executing_seats", "Seats they have", labels);
  out->in_queue = &metrics_.gauge("apiserver_flowcontrol_current_inqueue_requests",
                                  "Requests that wait", labels);
  out->dispatched = &metrics_.counter("apiserver_flowcontrol_dispatched_requests_total",
                                      "Requests that began to execute", labels);
  out->identity =
      std::make_shared<const FlowIdentity>(FlowIdentity{schema.uid(), level->config.uid});
  out->schema = std::move(schema);
  out->level = std::move(level);
  return out;
}

void FlowControl::set_levels(std::vector<PriorityLevel> configs) {
  std::erase_if(levels_, [](const auto& entry) {
    return entry.second->quiescing && entry.second->queues.idle();
  });
  for (auto& [name, level] : levels_) level->quiescing = !has_name(configs, name);
  const int seats = limits_.reads + limits_.writes;
  const std::vector<SeatShare> shares = nominal_shares(configs, std::max(seats, 1));
  for (std::size_t i = 0; i < configs.size(); ++i) {
    const std::string name = configs[i].name;
    std::shared_ptr<Level>& level = levels_[name];
    const int limit = std::max(1, shares[i].nominal);
    const bool same = level && level->config.shares == configs[i].shares &&
                      level->share.nominal == shares[i].nominal;
    if (!level) {
      level = std::make_shared<Level>(Level{{}, {}, QueueSet(settings_of(configs[i]), limit)});
      level->alive = alive_;
      level->limit_gauge =
          &metrics_.gauge("apiserver_flowcontrol_current_limit_seats",
                          "Seats a priority level may use now", {{"priority_level", name}});
    }
    level->queues.set_settings(settings_of(configs[i]));
    if (!same) level->queues.set_limit(limit);
    level->limit_gauge->set(level->queues.limit());
    level->share = shares[i];
    level->config = std::move(configs[i]);
    metrics_
        .gauge("apiserver_flowcontrol_nominal_limit_seats", "Its share of the server's seats",
               {{"priority_level", name}})
        .set(shares[i].nominal);
    dispatch(*level, executor_.now());
  }
}

const FlowControl::SchemaPtr& FlowControl::classify(const UserInfo& user,
                                                    const RequestInfo& request) const {
  for (const SchemaPtr& one : schemas_) {
    if (one->schema.matches(user, request)) return one;
  }
  return schemas_.back();
}

Outcome<FlowControl::Ticket> FlowControl::enter(const UserInfo& user, const RequestInfo& request,
                                                int seats,
                                                std::shared_ptr<const FlowIdentity>* identity) {
  Ticket ticket;
  if (request.verb != "watch" && is_long_running(request)) return ticket;
  const SchemaPtr& schema = classify(user, request);
  *identity = schema->identity;
  Level& level = *schema->level;
  const TimePoint now = executor_.now();
  if (now >= next_rebalance_) rebalance(now);
  const bool unlimited = level.config.exempt || limits_.reads + limits_.writes == 0;
  if (unlimited) level.queues.set_limit(level.queues.seats_in_use() + seats);
  const QueueSet::Id id = next_id_++;
  const std::string& flow = schema->schema.flow_of(user, request);
  const auto arrival = level.queues.arrive(id, flow_hash(schema->schema.name(), flow), seats, now);
  level.demand = std::max(level.demand, level.queues.seats_wanted());
  using Verdict = QueueSet::Arrival::Verdict;
  if (arrival.verdict == Verdict::kQueueFull) return rejection(*schema, "queue-full");
  if (arrival.verdict == Verdict::kNoSeat) return rejection(*schema, "concurrency-limit");
  ticket.owner_ = this;
  ticket.schema_ = schema;
  ticket.queue_ = arrival.queue;
  ticket.seats_ = seats;
  ticket.began_ = now;
  if (arrival.verdict == Verdict::kExecute) {
    schema->dispatched->add();
    schema->executing->add(1);
    schema->seats->add(seats);
    return ticket;
  }
  auto waiter = std::make_shared<Waiter>();
  waiter->schema = schema;
  waiter->id = id;
  waiter->queue = arrival.queue;
  waiter->seats = seats;
  waiter->arrived = executor_.wall_now();
  waiter->user = user.name;
  waiter->flow = flow;
  waiter->request = request;
  waiting_[id] = waiter;
  schema->in_queue->add(1);
  ticket.waiter_ = std::move(waiter);
  dispatch(level, now);
  return ticket;
}

Callback<Outcome<Done>> FlowControl::admitted(const Ticket& ticket) {
  return Callback<Outcome<Done>>(
      [this, waiter = ticket.waiter_](std::function<void(Outcome<Done>)> done) {
        waiter->done = std::move(done);
        waiter->timer = executor_.after(limits_.wait_max, [this, alive = alive_, waiter] {
          if (*alive) refuse(waiter, "time-out");
        });
      });
}

void FlowControl::give_up(const std::weak_ptr<Waiter>& waiter) {
  if (const auto held = waiter.lock()) refuse(held, "cancelled");
}

void FlowControl::refuse(const std::shared_ptr<Waiter>& waiter, const char* reason) {
  if (waiter->state != Waiter::State::kWaiting) return;
  const SchemaPtr schema = waiter->schema;
  const TimePoint now = executor_.now();
  executor_.cancel(waiter->timer);
  waiter->state = Waiter::State::kRefused;
  waiting_.erase(waiter->id);
  schema->in_queue->add(-1);
  schema->level->queues.leave(waiter->id, waiter->queue, now);
  const api::ApiError error = rejection(*schema, reason);
  dispatch(*schema->level, now);
  if (auto done = std::exchange(waiter->done, nullptr)) done(error);
}

api::ApiError FlowControl::rejection(const Schema& schema, const char* reason) {
  MetricLabels labels = labels_of(schema.schema);
  labels.emplace_back("reason", reason);
  metrics_.counter("apiserver_flowcontrol_rejected_requests_total", "Requests answered 429", labels)
      .add();
  return api::too_many_requests_error(kTooMany, 1);
}

// In a later turn: a request must not go on inside the end of another one.
void FlowControl::dispatch(Level& level, TimePoint now) {
  for (const QueueSet::Started& one : level.queues.dispatch(now)) {
    const auto at = waiting_.find(one.id);
    CHECK(at != waiting_.end());
    const std::shared_ptr<Waiter> waiter = std::move(at->second);
    waiting_.erase(at);
    executor_.cancel(waiter->timer);
    waiter->state = Waiter::State::kExecuting;
    waiter->began = now;
    waiter->schema->in_queue->add(-1);
    waiter->schema->dispatched->add();
    waiter->schema->executing->add(1);
    waiter->schema->seats->add(waiter->seats);
    executor_.post([waiter, alive = alive_] {
      if (!*alive) return;
      if (auto done = std::exchange(waiter->done, nullptr)) done(Done{});
    });
  }
}

void FlowControl::finish(const Schema& schema, int queue, int seats, TimePoint began) {
  const TimePoint now = executor_.now();
  Level& level = *schema.level;
  level.queues.finish(queue, seats, now - began, now);
  schema.executing->add(-1);
  schema.seats->add(-seats);
  if (level.queues.waiting() == 0) return;
  if (now >= next_rebalance_) rebalance(now);
  dispatch(level, now);
}

void FlowControl::rebalance(TimePoint now) {
  next_rebalance_ = now + kRebalance;
  const int total = limits_.reads + limits_.writes;
  if (total == 0) return;
  std::vector<SeatShare> shares;
  std::vector<int> demand;
  std::vector<Level*> limited;
  for (auto& [name, level] : levels_) {
    if (level->quiescing) continue;
    shares.push_back(level->share);
    demand.push_back(std::exchange(level->demand, level->queues.seats_wanted()));
    limited.push_back(level.get());
  }
  const std::vector<int> seats = shared_out(shares, demand, total);
  for (std::size_t i = 0; i < limited.size(); ++i) {
    if (limited[i]->config.exempt) continue;
    limited[i]->queues.set_limit(seats[i]);
    limited[i]->limit_gauge->set(seats[i]);
    dispatch(*limited[i], now);
  }
}

std::vector<std::shared_ptr<const FlowControl::Waiter>> FlowControl::waiters() const {
  std::vector<std::shared_ptr<const Waiter>> out;
  for (const auto& [id, waiter] : waiting_) out.push_back(waiter);
  return out;
}

}  // namespace coracle::apiserver
