#include "apiserver/aggregation/aggregator.hpp"

#include "api/custom_kind.hpp"
#include "api/object.hpp"
#include "apiserver/aggregation/front_proxy.hpp"
#include "apiserver/aggregation/registration.hpp"
#include "apiserver/bootstrap.hpp"
#include "apiserver/registry/codec.hpp"
#include "base/log.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

constexpr int kUnavailable = 503;

net::Response refused(std::string why) {
  return net::make_response(kUnavailable, why + "\n", "text/plain; charset=utf-8");
}

}  // namespace

Aggregator::Aggregator(Machinery& machinery, Registry& registry, RemotePort* remote, Found found)
    : m_(machinery),
      registry_(registry),
      remote_(remote),
      found_(std::move(found)),
      kind_(m_.catalog.find("apiregistration.k8s.io", "v1", "apiservices")),
      definitions_(m_.catalog.find("apiextensions.k8s.io", "v1", "customresourcedefinitions")),
      table_(m_.feed),
      availability_(m_.executor, m_.feed, m_.rng, remote) {
  for (const api::GroupInfo& group : m_.catalog.groups()) {
    for (const std::string& version : group.versions)
      builtin_.push_back(version + "." + group.name);
  }
  any_.heard = [this](const EventPtr&) { wake(); };
  services_.heard = [this](const EventPtr& event) {
    if (is_behind_service(event->now() ? event->now() : event->before())) wake();
  };
}

Aggregator::~Aggregator() {
  *alive_ = false;
  stop();
}

void Aggregator::listen(std::string_view prefix, Listener& listener) {
  ResourceCache* cache = m_.feed.cache(prefix);
  if (cache == nullptr) return;
  const auto id = cache->watch({}, m_.feed.revision(), &listener);
  CHECK_MSG(id.ok(), id.status().to_string());
  watches_.emplace_back(cache, *id);
}

void Aggregator::start() {
  if (kind_ == nullptr || !watches_.empty() || stopped_) return;
  listen(kApiServicesPrefix, any_);
  if (definitions_ != nullptr) listen(definitions_->storage_prefix, any_);
  listen("services/specs", services_);
  listen("endpointslices", services_);
  wake();
}

void Aggregator::stop() {
  stopped_ = true;
  for (const auto& [cache, id] : std::exchange(watches_, {})) cache->unwatch(id);
  m_.executor.cancel(std::exchange(timer_, 0));
}

bool Aggregator::is_behind_service(const ObjectPtr& object) {
  const json::value* label = find_member(object->labels(), "kubernetes.io/service-name");
  const std::string_view name = label != nullptr && label->is_string()
                                    ? std::string_view(label->get_string())
                                    : object->name();
  for (const RemoteVersion& one : table_.remote()) {
    if (one.service.ns == object->ns() && one.service.name == name) return true;
  }
  return false;
}

void Aggregator::wake() {
  if (running_) {
    again_ = true;
  } else {
    wake_at(kSettle);
  }
}

void Aggregator::wake_at(Duration delay) {
  if (stopped_) return;
  const TimePoint due = m_.executor.now() + delay;
  if (timer_ != 0 && due_ <= due) return;
  m_.executor.cancel(timer_);
  due_ = due;
  timer_ = m_.executor.after(delay, [this] {
    timer_ = 0;
    spawn(run(), std::function<void(bool)>([](bool) {}));
  });
}

Task<bool> Aggregator::run() {
  const auto alive = alive_;
  running_ = true;
  bool more = true;
  while (more) {
    again_ = false;
    for (const auto step :
         {&Aggregator::register_custom, &Aggregator::check_all, &Aggregator::discover_all}) {
      co_await (this->*step)();
      if (!*alive || stopped_) co_return false;
    }
    more = again_;
    if (more) {
      co_await sleep_on(m_.executor, kSettle);
      if (!*alive || stopped_) co_return false;
    }
  }
  running_ = false;
  wake_at(kEvery);
  co_return true;
}

std::map<std::string, json::value> Aggregator::services() const {
  std::map<std::string, json::value> out;
  const ResourceCache* cache = m_.feed.cache(kApiServicesPrefix);
  if (cache == nullptr) return out;
  cache->scan("", "", [&](const ObjectPtr& object) {
    out[std::string(object->name())] = tree_of(*kind_, *object->tail());
    return true;
  });
  return out;
}

Task<bool> Aggregator::register_custom() {
  const auto alive = alive_;
  const ResourceCache* cache =
      definitions_ == nullptr ? nullptr : m_.feed.cache(definitions_->storage_prefix);
  if (cache == nullptr) co_return true;
  std::vector<json::value> definitions;
  cache->scan("", "", [&](const ObjectPtr& object) {
    definitions.push_back(tree_of(*definitions_, *object->tail()));
    return true;
  });
  RegistrationPlan plan = plan_registrations(definitions, services(), builtin_);
  for (json::value& service : plan.create) {
    const Status made = co_await create_as_server(m_, registry_, std::move(service));
    if (!*alive || stopped_) co_return false;
    if (!made.ok()) log::warn("cannot register a custom group version: {}", made.message());
  }
  const auto write = [this](const std::string& name, Decide decide) {
    return registry_.access().mutate({kind_, "", name}, std::move(decide), false);
  };
  for (const auto& [name, spec] : plan.repair) {
    const json::value wanted = spec;
    (void)co_await write(name, [wanted](const json::value& now) -> Outcome<Change> {
      Change change{Change::Kind::kPut, now};
      change.object.get_object()["spec"] = wanted;
      return change;
    });
    if (!*alive || stopped_) co_return false;
  }
  for (const std::string& name : plan.remove) {
    (void)co_await write(name, [](const json::value& now) -> Outcome<Change> {
      return Change{Change::Kind::kDelete, now};
    });
    if (!*alive || stopped_) co_return false;
  }
  co_return true;
}

Task<bool> Aggregator::write_condition(std::string name, AvailableCondition condition) {
  const std::string now = format_time(m_.executor.wall_now());
  const Decide decide = [condition, now](const json::value& current) -> Outcome<Change> {
    Change change{Change::Kind::kPut, current};
    api::set_definition_condition(change.object, "Available", condition.available, condition.reason,
                                  condition.message, now);
    if (api::same_object(change.object, current)) change.kind = Change::Kind::kNone;
    return change;
  };
  const auto saved = co_await registry_.access().mutate({kind_, "", name}, decide, false);
  co_return saved.ok();
}

Task<bool> Aggregator::check_all() {
  const auto alive = alive_;
  for (const auto& [name, object] : services()) {
    const json::value* condition = nullptr;
    for (const json::value& one : get_array(object, "status.conditions")) {
      if (get_string(one, "type") == "Available") condition = &one;
    }
    const RemoteVersion* remote = nullptr;
    for (const RemoteVersion& one : table_.remote()) {
      if (one.name == name) remote = &one;
    }
    AvailableCondition now = Availability::local();
    if (remote != nullptr) now = co_await availability_.check(*remote);
    if (!*alive || stopped_) co_return false;
    const bool known = condition != nullptr &&
                       (get_string(*condition, "status") == "True") == now.available &&
                       get_string(*condition, "reason") == now.reason &&
                       get_string(*condition, "message") == now.message;
    if (known) continue;
    co_await write_condition(name, std::move(now));
    if (!*alive || stopped_) co_return false;
  }
  (void)co_await m_.feed.read_barrier();
  co_return true;
}

Task<bool> Aggregator::discover_all() {
  const auto alive = alive_;
  std::vector<RemoteDiscovery> fresh;
  const std::vector<RemoteVersion> all = table_.remote();
  for (const RemoteVersion& remote : all) {
    RemoteDiscovery one;
    one.group = remote.group;
    one.version = remote.version;
    one.group_priority = remote.group_priority;
    one.version_priority = remote.version_priority;
    if (remote.available) {
      one = co_await availability_.discover(remote);
      if (!*alive || stopped_) co_return false;
    } else {
      // What it served when it was last seen stays known.
      for (const RemoteDiscovery& known : known_) {
        if (known.group == one.group && known.version == one.version) {
          one.resources = known.resources;
        }
      }
    }
    fresh.push_back(std::move(one));
  }
  if (fresh == known_) co_return true;
  known_ = std::move(fresh);
  found_(known_);
  co_return true;
}

const RemoteVersion* Aggregator::owner_of(const RequestInfo& info) {
  if (table_.remote().empty()) return nullptr;
  if (info.is_resource) return table_.find(info.group, info.version);
  std::string_view path = info.path;
  if (path.starts_with("/openapi/v3/apis/")) path.remove_prefix(11);
  if (!path.starts_with("/apis/")) return nullptr;
  const std::vector<std::string> parts = split(path.substr(6), '/');
  return parts.size() == 2 ? table_.find(parts[0], parts[1]) : nullptr;
}

bool Aggregator::owns(const RequestInfo& info) { return owner_of(info) != nullptr; }

Aggregator::MaybeReply Aggregator::proxy(Context& c) {
  const RemoteVersion* remote = owner_of(c.info);
  CHECK(remote != nullptr);
  if (!remote->available || remote_ == nullptr) {
    return std::optional(refused("service unavailable"));
  }
  const auto route = remote->route(m_.feed, m_.rng);
  if (!route.ok()) return std::optional(refused("service unavailable"));
  remote_->pipe(*route, proxied_request(c.request, c.user), c.exchange,
                [](const Status& status) { return refused(status.message()); });
  return std::optional<net::Response>();
}

}  // namespace coracle::apiserver
