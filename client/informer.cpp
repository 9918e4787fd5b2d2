#include "client/informer.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "client/resource_watch.hpp"

namespace coracle::client {
namespace {

std::int64_t whole_seconds(Duration span) {
  return std::chrono::duration_cast<std::chrono::seconds>(span).count();
}

constexpr const char* kInitialEventsEnd = "k8s.io/initial-events-end";
// A server that ignores sendInitialEvents never sends the bookmark that ends them.
constexpr Duration kWatchListPatience = std::chrono::seconds(60);
constexpr Duration kShortWatch = std::chrono::seconds(1);
// Of a list, put into the cache before others of the strand have their turn.
constexpr size_t kObjectsATurn = 1000;

std::string version_of(const json::value& object) {
  return std::string(get_string(object, "metadata.resourceVersion"));
}

bool ends_initial_events(const json::value& bookmark) {
  const json::value* mark = find_keys(bookmark, {"metadata", "annotations", kInitialEventsEnd});
  return mark && mark->is_string() && mark->as_string() == "true";
}

// For objects that go as soon as the handlers have seen them.
std::shared_ptr<const JsonBrief> brief_of(const InformerOptions& options) {
  if (!options.stub || options.left_out.empty()) return nullptr;
  std::vector<std::string> paths;
  for (const std::string& path : options.left_out) paths.push_back("object." + path);
  return std::make_shared<JsonBrief>(paths);
}

bool is_too_large_version(const ApiError& error) {
  return error.http == 504 && error.message.find("Too large resource version") != std::string::npos;
}

}  // namespace

json::value stub_of(const json::value& object) {
  json::object names;
  const json::value* metadata = find_member(object, "metadata");
  if (metadata == nullptr) return json::object{{"metadata", std::move(names)}};
  names.reserve(4);
  for (const char* name : {"name", "namespace", "uid", "resourceVersion"}) {
    const json::value* value = find_member(*metadata, name);
    if (value != nullptr) names.emplace(name, *value);
  }
  return json::object{{"metadata", std::move(names)}};
}

class Informer::Core : public std::enable_shared_from_this<Informer::Core> {
 public:
  Core(Executor& executor, Api& api, Rng rng, InformerOptions options)
      : executor_(executor),
        client_(api, options.gvr),
        rng_(rng),
        options_(std::move(options)),
        brief_(brief_of(options_)),
        backoff_(options_.backoff_first),
        watch_list_(options_.use_watch_list) {}

  void start() {
    if (std::exchange(running_, true)) return;
    ++era_;
    proceed();
  }
  void stop() {
    running_ = false;
    ++era_;
    drop_watch();
    if (timer_) executor_.cancel(std::exchange(timer_, 0));
  }
  void add_handler(InformerHandler handler) {
    handlers_.push_back(std::make_shared<const InformerHandler>(std::move(handler)));
    const auto added = handlers_.back();
    if (!added->on_add) return;
    for (const ObjectPtr& object : cache_.all()) added->on_add(object, true);
  }
  void when_synced(std::function<void()> work) {
    if (synced_) return work();
    waiting_.push_back(std::move(work));
  }

  ObjectCache cache_;
  InformerCounters counters_;
  std::string version_, last_error_;
  bool synced_ = false;
  const Gvr& gvr() const { return client_.gvr(); }

 private:
  // Runs `work` unless the informer was stopped, restarted or destroyed meanwhile.
  template <class F>
  auto guarded(F work) {
    return [weak = weak_from_this(), era = era_, work](auto&&... args) {
      auto self = weak.lock();
      if (self && self->era_ == era) work(*self, std::forward<decltype(args)>(args)...);
    };
  }

  void proceed();  // lists or watches, by what is known
  void list();
  void on_list(ApiResult<json::value> result);
  void open_watch(bool initial_events);
  void on_event(ResourceEvent event);
  void on_initial_event(ResourceEvent& event, const std::string& key);
  void on_watch_end(const std::optional<ApiError>& error);
  void on_watch_list_refused(const ApiError& error);
  void on_patience_over();

  // Makes the cache equal to a list, piece by piece, and then calls `then`. Events of the watch
  // wait until it is over.
  void replace(std::map<std::string, ObjectPtr> objects, const std::string& version,
               std::function<void()> then);
  void replace_more();
  void end_replace();
  void upsert(const std::string& key, ObjectPtr object);
  void remove(const std::string& key, const ObjectPtr& last, bool unknown);
  ObjectPtr keep(std::shared_ptr<json::value> object) const;
  ObjectPtr keep(ResourceEvent event) const {
    if (!event.shared) return keep(std::move(event.object));
    if (!options_.transform) return std::move(event.shared);
    return keep(std::make_shared<json::value>(*event.shared));
  }
  void put(const std::string& key, const ObjectPtr& object) {
    cache_.put(
        key, options_.stub ? std::make_shared<const json::value>(options_.stub(*object)) : object);
  }
  template <class F>
  void each_handler(const F& call);
  void fail(const ApiError& error);
  void retry_later();
  void drop_watch();
  // Stopped in the middle of a list: the next start reads it anew, and not an older one.
  void forget_replacement() {
    if (!replacing_) return;
    replacing_.reset();
    held_.clear();
    version_.clear();
    exact_list_ = true;
  }
  struct Replacement {
    std::map<std::string, ObjectPtr> objects;  // that are still to be put
    std::vector<std::string> vanished;         // to be removed, the last one first
    std::string version;
    std::function<void()> then;
  };

  Executor& executor_;
  ResourceClient client_;
  Rng rng_;
  InformerOptions options_;
  const std::shared_ptr<const JsonBrief> brief_;
  Duration backoff_;
  bool watch_list_;  // false once the server refused it
  bool running_ = false;
  bool exact_list_ = false;  // the last version is gone from the server: list the newest
  bool initial_ = false;     // the watch is still sending initial events into incoming_
  std::uint64_t era_ = 0;    // goes up with every step: what belongs to an older one is ignored
  TimePoint watch_since_;
  Executor::TimerId timer_ = 0;
  std::unique_ptr<ResourceWatch> watch_;
  std::map<std::string, ObjectPtr> incoming_;
  std::optional<Replacement> replacing_;
  std::deque<ResourceEvent> held_;  // came meanwhile
  std::vector<std::shared_ptr<const InformerHandler>> handlers_;
  std::vector<std::function<void()>> waiting_;
};

void Informer::Core::proceed() {
  if (!version_.empty() && !exact_list_) return open_watch(false);
  if (watch_list_) return open_watch(true);
  list();
}

void Informer::Core::list() {
  ++counters_.lists;
  ListOptions options{.namespace_name = options_.namespace_name,
                      .label_selector = options_.label_selector,
                      .field_selector = options_.field_selector};
  if (!exact_list_) options.resource_version = version_.empty() ? "0" : version_;
  // After a 410 one page: a continue token may have been what expired.
  const std::int64_t page = exact_list_ ? 0 : options_.page;
  std::function<void(ApiResult<json::value>)> done =
      guarded([](Core& self, ApiResult<json::value> r) { self.on_list(std::move(r)); });
  spawn<ApiResult<json::value>>(client_.list_all(options, page), std::move(done));
}

void Informer::Core::on_list(ApiResult<json::value> result) {
  if (!result.ok()) {
    if (result.error().is_gone() || is_too_large_version(result.error())) exact_list_ = true;
    return fail(result.error());
  }
  json::value& list = result.value();
  const std::string version = version_of(list);
  std::string kind(get_string(list, "kind"));
  if (kind.ends_with("List")) kind.resize(kind.size() - 4);
  std::map<std::string, ObjectPtr> objects;
  json::value* items = list.is_object() ? find_member(list.as_object(), "items") : nullptr;
  if (items && items->is_array()) {
    for (json::value& item : items->as_array()) {
      if (!item.is_object()) continue;
      // Items of a list do not carry these, events of a watch do.
      if (!item.as_object().contains("kind")) {
        item.as_object()["kind"] = kind;
        item.as_object()["apiVersion"] = get_string(list, "apiVersion");
      }
      const std::string key = object_key(item);
      objects[key] = keep(std::make_shared<json::value>(std::move(item)));
    }
  }
  replace(std::move(objects), version, [this] { open_watch(false); });
}

void Informer::Core::open_watch(bool initial_events) {
  drop_watch();
  ++era_;
  ++counters_.watches;
  initial_ = initial_events;
  incoming_.clear();
  watch_since_ = executor_.now();
  // Where the list of a watch ends is told by one, so a first watch without them is a short one.
  const bool bookmarks = options_.watch.bookmarks || initial_events;
  const WatchPace pace = bookmarks && !options_.watch.bookmarks ? WatchPace() : options_.watch;
  ResourceWatchOptions options{
      .namespace_name = options_.namespace_name,
      .label_selector = options_.label_selector,
      .field_selector = options_.field_selector,
      .bookmarks = bookmarks,
      .send_initial_events = initial_events,
      .timeout_seconds = rng_.between(whole_seconds(pace.at_least), whole_seconds(pace.at_most)),
      .brief = brief_};
  if (!exact_list_) options.resource_version = version_;
  ResourceWatchSink sink;
  sink.on_event = guarded([](Core& self, ResourceEvent event) { self.on_event(std::move(event)); });
  sink.on_end =
      guarded([](Core& self, const std::optional<ApiError>& error) { self.on_watch_end(error); });
  if (initial_events) {
    timer_ = executor_.after(kWatchListPatience, guarded([](Core& self) {
                               self.timer_ = 0;
                               self.on_patience_over();
                             }));
  }
  watch_ = std::make_unique<ResourceWatch>(client_, options, std::move(sink));
}

void Informer::Core::on_event(ResourceEvent event) {
  if (replacing_) return held_.push_back(std::move(event));
  ++counters_.events;
  const std::string key = object_key(event.seen());
  if (initial_) return on_initial_event(event, key);
  const std::string_view version = get_string(event.seen(), "metadata.resourceVersion");
  if (!version.empty()) version_ = version;
  backoff_ = options_.backoff_first;
  last_error_.clear();
  if (event.type == ResourceEvent::Type::kBookmark) return;
  if (event.type == ResourceEvent::Type::kDeleted) {
    return remove(key, keep(std::move(event)), false);
  }
  upsert(key, keep(std::move(event)));
}

void Informer::Core::on_initial_event(ResourceEvent& event, const std::string& key) {
  if (event.type == ResourceEvent::Type::kDeleted) {
    incoming_.erase(key);
  } else if (event.type != ResourceEvent::Type::kBookmark) {
    incoming_[key] = keep(std::move(event));
  } else if (ends_initial_events(event.seen())) {
    initial_ = false;
    if (timer_) executor_.cancel(std::exchange(timer_, 0));
    replace(std::exchange(incoming_, {}), version_of(event.seen()), nullptr);
  }
}

void Informer::Core::on_watch_end(const std::optional<ApiError>& error) {
  const bool was_initial = initial_;
  drop_watch();
  if (error && error->is_gone()) {
    // What the server no longer knows how to continue is read anew, newest version.
    exact_list_ = true;
    return fail(*error);
  }
  if (error && was_initial) return on_watch_list_refused(*error);
  if (error) return fail(*error);
  if (was_initial || executor_.now() - watch_since_ < kShortWatch) return retry_later();
  backoff_ = options_.backoff_first;
  ++era_;
  proceed();
}

void Informer::Core::on_watch_list_refused(const ApiError& error) {
  // A list would meet these as well; anything else may be the server not knowing the option.
  const bool same_for_list =
      error.http == 0 || error.http == 401 || error.http == 403 || error.http == 429;
  if (is_too_large_version(error)) exact_list_ = true;
  if (same_for_list || is_too_large_version(error)) return fail(error);
  watch_list_ = false;
  ++counters_.errors;
  last_error_ = error.message;
  ++era_;
  list();
}

void Informer::Core::on_patience_over() {
  drop_watch();
  ++era_;
  watch_list_ = false;
  list();
}

ObjectPtr Informer::Core::keep(std::shared_ptr<json::value> object) const {
  json::object* root = object->if_object();
  json::value* metadata = root ? find_member(*root, "metadata") : nullptr;
  if (metadata && metadata->is_object()) erase_key(metadata->get_object(), "managedFields");
  if (options_.transform) options_.transform(*object);
  return object;
}

template <class F>
void Informer::Core::each_handler(const F& call) {
  // A handler may add another: that one has already been given the cache.
  const size_t count = handlers_.size();
  for (size_t i = 0; i < count; ++i) {
    const auto handler = handlers_[i];
    call(*handler);
  }
}

void Informer::Core::replace(std::map<std::string, ObjectPtr> objects, const std::string& version,
                             std::function<void()> then) {
  replacing_ = Replacement{std::move(objects), {}, version, std::move(then)};
  for (const auto& [key, object] : cache_.objects()) {
    if (!replacing_->objects.contains(key)) replacing_->vanished.push_back(key);
  }
  std::reverse(replacing_->vanished.begin(), replacing_->vanished.end());  // taken from the back
  replace_more();
}

void Informer::Core::replace_more() {
  const auto self = shared_from_this();  // a handler may let go of the last owner's stop()
  const auto era = era_;
  for (size_t done = 0; !replacing_->vanished.empty() || !replacing_->objects.empty(); ++done) {
    if (done == kObjectsATurn) {
      return executor_.post(guarded([](Core& core) { core.replace_more(); }));
    }
    if (!replacing_->vanished.empty()) {
      const std::string key = std::move(replacing_->vanished.back());
      replacing_->vanished.pop_back();
      remove(key, nullptr, true);
    } else {
      const auto entry = replacing_->objects.extract(replacing_->objects.begin());
      const ObjectPtr before = cache_.get(entry.key());
      const ObjectPtr& object = entry.mapped();
      if (!before || version_of(*before) != version_of(*object)) upsert(entry.key(), object);
    }
    if (era != era_) return;  // a handler has stopped it
  }
  end_replace();
}

void Informer::Core::end_replace() {
  const auto era = era_;
  const Replacement ended = *std::exchange(replacing_, std::nullopt);
  exact_list_ = false;
  version_ = ended.version;
  backoff_ = options_.backoff_first;
  last_error_.clear();
  if (!std::exchange(synced_, true)) {
    for (auto& work : std::exchange(waiting_, {})) work();
  }
  if (ended.then && era == era_) ended.then();
  for (auto& event : std::exchange(held_, {})) {
    if (era != era_) return;
    on_event(std::move(event));
  }
}

void Informer::Core::upsert(const std::string& key, ObjectPtr object) {
  const ObjectPtr before = cache_.get(key);
  if (before && get_string(*before, "metadata.uid") != get_string(*object, "metadata.uid")) {
    remove(key, nullptr, true);  // another object under the same name
    put(key, object);
  } else {
    put(key, object);
    if (before) {
      each_handler([&](const InformerHandler& handler) {
        if (handler.on_update) handler.on_update(before, object);
      });
      return;
    }
  }
  each_handler([&](const InformerHandler& handler) {
    if (handler.on_add) handler.on_add(object, !synced_);
  });
}

void Informer::Core::remove(const std::string& key, const ObjectPtr& last, bool unknown) {
  const ObjectPtr before = cache_.erase(key);
  if (!before) return;
  each_handler([&](const InformerHandler& handler) {
    if (handler.on_delete) handler.on_delete(last ? last : before, unknown);
  });
}

void Informer::Core::fail(const ApiError& error) {
  ++counters_.errors;
  last_error_ = error.message.empty() ? error.reason : error.message;
  retry_later();
}

void Informer::Core::retry_later() {
  drop_watch();
  ++era_;
  const double stretch = 1.0 + rng_.unit();
  const auto delay =
      Duration(static_cast<std::int64_t>(static_cast<double>(backoff_.count()) * stretch));
  backoff_ = std::min(backoff_ * 2, options_.backoff_max);
  timer_ = executor_.after(delay, guarded([](Core& self) {
                             self.timer_ = 0;
                             self.proceed();
                           }));
}

void Informer::Core::drop_watch() {
  if (timer_) executor_.cancel(std::exchange(timer_, 0));
  initial_ = false;
  watch_.reset();
  forget_replacement();
}

Informer::Informer(Executor& executor, Api& api, Rng rng, InformerOptions options)
    : core_(std::make_shared<Core>(executor, api, rng, std::move(options))) {}
Informer::~Informer() { core_->stop(); }

void Informer::add_handler(InformerHandler handler) { core_->add_handler(std::move(handler)); }
void Informer::add_index(const std::string& name, IndexFunction function) {
  core_->cache_.add_index(name, std::move(function));
}
void Informer::start() { core_->start(); }
void Informer::stop() { core_->stop(); }
bool Informer::has_synced() const { return core_->synced_; }
void Informer::when_synced(std::function<void()> work) { core_->when_synced(std::move(work)); }
const ObjectCache& Informer::cache() const { return core_->cache_; }
const std::string& Informer::resource_version() const { return core_->version_; }
const InformerCounters& Informer::counters() const { return core_->counters_; }
const std::string& Informer::last_error() const { return core_->last_error_; }
const Gvr& Informer::gvr() const { return core_->gvr(); }

Informer& InformerFactory::get(InformerOptions options) {
  const std::string key = options.gvr.root() + "/" + options.gvr.plural + "|" +
                          options.namespace_name + "|" + options.label_selector + "|" +
                          options.field_selector;
  auto& slot = informers_[key];
  if (!slot) {
    slot = std::make_unique<Informer>(executor_, api_, rng_.split(), std::move(options));
    if (started_) slot->start();
  }
  return *slot;
}

void InformerFactory::start() {
  started_ = true;
  for (auto& [key, informer] : informers_) informer->start();
}

void InformerFactory::stop() {
  started_ = false;
  for (auto& [key, informer] : informers_) informer->stop();
}

bool InformerFactory::has_synced() const {
  return std::all_of(informers_.begin(), informers_.end(),
                     [](const auto& entry) { return entry.second->has_synced(); });
}

void InformerFactory::when_synced(std::function<void()> work) {
  auto left = std::make_shared<size_t>(informers_.size() + 1);
  auto one_less = [left, work = std::move(work)] {
    if (--*left == 0) work();
  };
  for (auto& [key, informer] : informers_) informer->when_synced(one_less);
  one_less();
}

std::vector<Informer*> InformerFactory::informers() const {
  std::vector<Informer*> all;
  for (const auto& [key, informer] : informers_) all.push_back(informer.get());
  return all;
}

}  // namespace coracle::client
