#include "runner/runner.hpp"

#include <algorithm>

#include "api/object.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"

namespace coracle::controllers {
namespace {

using client::WorkQueueDriver;
constexpr auto kDone = WorkQueueDriver::Outcome::kDone;
constexpr auto kRetry = WorkQueueDriver::Outcome::kRetry;
constexpr Duration kVisibleCheck = std::chrono::seconds(1);

std::int64_t version_of(const json::value& object) {
  long long version = 0;
  return parse_int(api::resource_version_of(object), &version) ? version : 0;
}

}  // namespace

Runner::Runner(Executor& executor, client::Api& api, SharedInformers& informers,
               std::unique_ptr<Controller> controller, Metrics& metrics)
    : executor_(executor),
      api_(api),
      informers_(informers),
      controller_(std::move(controller)),
      watched_(controller_->watched()),
      world_(
          [this](const client::Gvr& gvr) -> const client::ObjectCache& {
            static const client::ObjectCache kNothing;
            const client::Informer* informer = informers_.find(gvr);
            return informer == nullptr ? kNothing : informer->cache();
          },
          [this](const client::Gvr& gvr) -> std::int64_t {
            long long version = 0;
            const client::Informer* informer = informers_.find(gvr);
            if (informer == nullptr) return 0;
            return parse_int(informer->resource_version(), &version) ? version : 0;
          },
          [this](const client::Gvr& gvr) { return informers_.find(gvr) != nullptr; },
          [this](const std::string& key) -> const json::value* {
            const auto found = memory_.find(key);
            return found == memory_.end() ? nullptr : &found->second;
          }),
      recorder_(executor, api, {std::string(controller_->name()), ""}),
      reconciles_(metrics.counter("controller_reconciles_total", "Reconciles by controller.",
                                  {{"controller", std::string(controller_->name())}})),
      failures_(metrics.counter("controller_failures_total", "Reconciles that must be tried again.",
                                {{"controller", std::string(controller_->name())}})),
      queue_metrics_(metrics, std::string(controller_->name())),
      queue_(executor, kWorkers, [this](const std::string& key, auto finish) {
        const TimePoint began = executor_.now();
        queue_metrics_.began(key, began);
        queue_metrics_.depth(queue_.queue().size());
        spawn<Outcome>(work(key), [this, finish, began](Outcome outcome) {
          queue_metrics_.ended(executor_.now() - began, outcome.outcome == kRetry);
          finish(outcome);
        });
      }) {}

void Runner::start() {
  if (started_) return;
  started_ = true;
  queue_.start();
  for (const client::Gvr& gvr : watched_) listen(gvr, informers_.get(gvr));
  if (controller_->follows_custom_kinds()) {
    informers_.on_custom_kind(
        [this](const client::Gvr& gvr, client::Informer& informer) { listen(gvr, informer); });
  }
}

void Runner::listen(const client::Gvr& gvr, client::Informer& informer) {
  informer.add_handler(
      {[this, gvr](const auto& o, bool) { on_event(gvr, nullptr, o.get()); },
       [this, gvr](const auto& a, const auto& b) { on_event(gvr, a.get(), b.get()); },
       [this, gvr](const auto& o, bool) { on_event(gvr, o.get(), nullptr); }});
}

void Runner::stop() {
  stopped_ = true;
  queue_.stop();
}

void Runner::on_event(const client::Gvr& gvr, const json::value* before, const json::value* after) {
  if (stopped_) return;
  controller_->touched(world_, gvr, before, after, [this](const std::string& key) {
    queue_metrics_.added(key, executor_.now());
    queue_.add(key);
    queue_metrics_.depth(queue_.queue().size());
  });
}

Task<Runner::Outcome> Runner::work(std::string key) {
  if (stopped_) co_return Outcome{kDone, {}};
  // An event about what we wrote will queue the key again; the check is for writes without one.
  if (!settled(key)) co_return Outcome{kDone, kVisibleCheck};
  reconciles_.add();
  auto plan = std::make_shared<Plan>(
      controller_->reconcile(world_, key, {executor_.now(), executor_.wall_now()}));
  const auto again_after = plan->again_after;
  for (const EventNote& note : plan->events) tell(*plan, note);
  if (!co_await carry_out(key, plan)) {
    failures_.add();
    co_return Outcome{kRetry, {}};
  }
  if (plan->remember && plan->remember->is_null()) {
    memory_.erase(key);
  } else if (plan->remember) {
    memory_[key] = *plan->remember;
  }
  if (!pending_.contains(key)) co_return Outcome{kDone, again_after};
  co_return Outcome{kDone, again_after ? std::min(*again_after, kVisibleCheck) : kVisibleCheck};
}

// Runs of the same verb go out together, kParallelWrites at a time; the first failure ends it.
Task<bool> Runner::carry_out(std::string key, std::shared_ptr<Plan> plan) {
  const auto failure = std::make_shared<std::optional<Failure>>();
  size_t next = 0;
  while (next < plan->writes.size()) {
    size_t end = next + 1;
    while (end < plan->writes.size() && end - next < kParallelWrites &&
           plan->writes[end].verb == plan->writes[next].verb) {
      ++end;
    }
    const bool good = co_await Callback<bool>([&](std::function<void(bool)> done) {
      auto left = std::make_shared<size_t>(end - next);
      auto all = std::make_shared<bool>(true);
      for (size_t i = next; i < end; ++i) {
        spawn<bool>(carry_out_one(key, plan, i, failure), [left, all, done](bool one) {
          *all = *all && one;
          if (--*left == 0) done(*all);
        });
      }
    });
    if (!good && !stopped_ && *failure && plan->if_failed) {
      co_await write_failure(key, plan, **failure);
    }
    if (!good || stopped_) co_return good;
    next = end;
  }
  co_return true;
}

Task<bool> Runner::write_failure(std::string key, std::shared_ptr<Plan> plan, Failure failure) {
  const auto write = plan->if_failed(plan->writes[failure.index], failure.why);
  if (!write) co_return true;
  const auto answer = co_await send(*write);
  if (answer.ok()) expect(key, *write, answer.value());
  co_return answer.ok();
}

Task<bool> Runner::carry_out_one(std::string key, std::shared_ptr<Plan> plan, size_t index,
                                 FirstFailure failure) {
  const Write& write = plan->writes[index];
  const auto answer = co_await send(write);
  if (answer.ok() && write.verb == Write::Verb::kDeleteAll) {
    co_return get_array(answer.value(), "items").empty();
  }
  if (answer.ok() && write.verb == Write::Verb::kLook) {
    co_return write.holds(get_array(answer.value(), "items"));
  }
  if (answer.ok() && write.verb == Write::Verb::kAsk) co_return write.agrees(answer.value());
  if (answer.ok()) {
    expect(key, write, answer.value());
    if (!write.done_reason.empty()) {
      tell(*plan, {false, write.done_reason,
                   replace_all(write.done_message, "{name}", api::name_of(answer.value()))});
    }
    co_return true;
  }
  const client::ApiError& error = answer.error();
  if (write.verb == Write::Verb::kDelete && error.is_not_found()) co_return true;
  if (write.exists_is_fine && error.is_already_exists()) co_return true;
  if (!*failure && !error.is_conflict()) *failure = Failure{index, error.message};
  if (!write.failed_reason.empty() && !error.is_conflict()) {
    tell(*plan, {true, write.failed_reason, write.failed_message + error.message});
  }
  if (!error.is_conflict() && !error.is_not_found()) {
    log::warn("{}: {} {}: {}", controller_->name(), key, write.gvr.plural, error.message);
  }
  co_return false;
}

Task<client::ApiResult<json::value>> Runner::send(const Write& write) {
  const client::ResourceClient resource(api_, write.gvr);
  switch (write.verb) {
    case Write::Verb::kCreate:
    case Write::Verb::kAsk:
      co_return co_await resource.create(write.ns, write.body);
    case Write::Verb::kUpdate:
      co_return co_await resource.update(write.body);
    case Write::Verb::kUpdateStatus:
      co_return co_await resource.update_status(write.body);
    case Write::Verb::kPatch:
      co_return co_await resource.patch(write.ns, write.name, write.patch_type, write.body, {},
                                        write.subresource);
    case Write::Verb::kUpdateSubresource:
      co_return co_await resource.update_subresource(write.ns, write.name, write.subresource,
                                                     write.body);
    case Write::Verb::kDelete:
      co_return co_await resource.remove(write.ns, write.name, write.delete_options);
    case Write::Verb::kDeleteAll: {
      client::ListOptions selection;
      selection.namespace_name = write.ns;
      co_return co_await resource.remove_collection(selection, write.delete_options);
    }
    case Write::Verb::kLook: {
      client::ListOptions selection;
      selection.namespace_name = write.ns;
      if (!write.name.empty()) selection.field_selector = "metadata.name=" + write.name;
      co_return co_await resource.list_all(selection);
    }
  }
  co_return client::ApiError{};
}

void Runner::tell(const Plan& plan, const EventNote& note) {
  const client::ObjectPtr& about = note.about ? note.about : plan.about;
  if (!about) return;
  client::EventInput input;
  input.regarding = client::object_reference(*about);
  input.type = note.warning ? "Warning" : "Normal";
  input.reason = note.reason;
  input.message = note.message;
  recorder_.record(std::move(input));
}

void Runner::expect(const std::string& key, const Write& write, const json::value& answer) {
  const bool own = std::find(watched_.begin(), watched_.end(), write.gvr) != watched_.end();
  const bool custom = controller_->follows_custom_kinds() && world_.follows(write.gvr);
  if (!own && !custom) return;
  Expected expected;
  expected.gvr = write.gvr;
  if (write.verb == Write::Verb::kDelete) {
    expected.key = write.ns.empty() ? write.name : write.ns + "/" + write.name;
    expected.uid = write.delete_options.uid;
  } else {
    expected.key = client::object_key(answer);
    expected.uid = api::uid_of(answer);
    expected.resource_version = version_of(answer);
  }
  Pending& pending = pending_[key];
  pending.since = executor_.now();
  pending.writes.push_back(std::move(expected));
}

bool Runner::visible(const Expected& expected) const {
  const client::ObjectPtr object = world_.of(expected.gvr).get(expected.key);
  if (expected.resource_version == 0) {
    return object == nullptr || api::uid_of(*object) != expected.uid ||
           !api::deletion_timestamp_of(*object).empty();
  }
  // Written and gone again already: the informer has passed our version if it shows a later one.
  if (object == nullptr || api::uid_of(*object) != expected.uid) {
    return world_.version(expected.gvr) >= expected.resource_version;
  }
  return version_of(*object) >= expected.resource_version;
}

bool Runner::settled(const std::string& key) {
  const auto found = pending_.find(key);
  if (found == pending_.end()) return true;
  std::erase_if(found->second.writes, [this](const Expected& e) { return visible(e); });
  const bool waited = executor_.now() - found->second.since > kVisibleMax;
  if (!found->second.writes.empty() && !waited) return false;
  pending_.erase(found);
  return true;
}

}  // namespace coracle::controllers
