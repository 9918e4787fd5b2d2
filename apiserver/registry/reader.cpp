#include "apiserver/registry/reader.hpp"

#include "apiserver/registry/conversion.hpp"

namespace coracle::apiserver {

namespace {

constexpr std::int64_t kStorePage = 500;

// Just after a key: the keys that follow it in byte order start here.
std::string after_key(const std::string& key) { return key + '\0'; }

}  // namespace

Task<Outcome<Done>> Reader::freshen(std::optional<std::int64_t> revision) {
  if (!revision) {
    const Status status = co_await m_.feed.read_barrier();
    if (!status.ok()) co_return store_error(status, true);
    co_return Done{};
  }
  const Status status = co_await m_.feed.wait_for(*revision);
  if (status.ok()) co_return Done{};
  if (status.code() == Code::kDeadlineExceeded) {
    co_return api::resource_version_too_large_error(static_cast<std::uint64_t>(*revision),
                                                    static_cast<std::uint64_t>(m_.feed.revision()));
  }
  co_return store_error(status, true);
}

namespace {

// A list that began too long ago may start over, or go on with what is there now.
api::ApiError expired_page(const std::string& start) {
  if (start.empty()) {
    return api::expired_error("The resourceVersion for the provided list is too old.");
  }
  api::ApiError error = api::expired_error(
      "The provided continue parameter is too old to display a consistent list result. You can "
      "start a new list without the continue parameter, or use the continue token in this response "
      "to retrieve the remainder of the results. Continuing with the provided token results in an "
      "inconsistent list - objects that were created, modified, or deleted between the time the "
      "first chunk was returned and now may show up in the list.");
  set_path(error.status, "metadata.continue",
           json::value(ContinueToken{ContinueToken::kLatest, start}.encode()));
  return error;
}

}  // namespace

Task<Reply> Reader::get(Context& c) {
  CO_TRY_OUTCOME(const std::optional<std::int64_t> revision,
                 parse_revision(c.request.query.get("resourceVersion")));
  const Outcome<Done> fresh = co_await freshen(revision);
  if (!fresh.ok()) co_return fresh.error();
  if (const std::string* why = c.cache->unreadable(c.key())) {
    co_return api::internal_api_error(*why);
  }
  const ObjectPtr object = c.cache->find(c.key());
  if (!object) co_return api::not_found_error(c.group_name(), c.info.name);
  if (converted_by_webhook(c)) {
    const Outcome<Done> made = co_await convert_served(m_, c, {object});
    if (!made.ok()) co_return made.error();
  }
  co_return reply_object(m_, c, 200, object->tail());
}

Reader::Page Reader::page_from_cache(const Context& c, const Selection& selection,
                                     std::string_view start, std::int64_t limit,
                                     std::int64_t revision) const {
  Page page;
  page.meta.revision = revision;
  std::int64_t left = 0;
  c.cache->scan(selection.scope().ns, start, [&](const ObjectPtr& object) {
    if (!selection.matches(*object)) return true;
    if (limit > 0 && static_cast<std::int64_t>(page.objects.size()) == limit) {
      ++left;
      return selection.everything();  // the rest is only counted when its count is told
    }
    page.objects.push_back(object);
    return true;
  });
  if (left > 0) {
    page.meta.next = ContinueToken{revision, after_key(page.objects.back()->key())}.encode();
    if (selection.everything()) page.meta.remaining = left;
  }
  return page;
}

Reader::Page Reader::collect(const Context& c, const Selection& selection) const {
  return page_from_cache(c, selection, "", 0, m_.feed.revision());
}

Task<Outcome<Reader::Page>> Reader::page_from_store(Context& c, const Selection& selection,
                                                    std::string start, std::int64_t limit,
                                                    std::int64_t revision) {
  const std::string prefix = std::string(kRegistry) + c.storage->storage_prefix + "/";
  const std::string scope = selection.scope().ns.empty() ? "" : selection.scope().ns + "/";
  client::RangeRequest request;
  request.key = prefix + std::max(start, scope);
  request.range_end = client::prefix_end(prefix + scope);
  request.revision = revision;
  request.limit = limit > 0 ? std::min(limit, kStorePage) : kStorePage;
  Page page;
  page.meta.revision = revision;
  while (true) {
    auto answer = co_await m_.store.range(request);
    if (!answer.ok() && answer.status().code() == Code::kOutOfRange) {
      co_return expired_page(start);
    }
    if (!answer.ok()) co_return store_error(answer.status(), true);
    std::int64_t seen = 0;
    for (client::KeyValue& kv : answer->kvs) {
      ++seen;
      request.key = after_key(kv.key);
      if (kv.form == client::KeyValue::Form::kUnreadable) {
        co_return api::internal_api_error(kv.value);
      }
      auto object = CachedObject::parse(c.cache->shape(), kv.key.substr(prefix.size()), kv.value,
                                        kv.mod_revision, kv.create_revision);
      if (!object.ok() || !selection.matches(**object)) continue;
      page.objects.push_back(*std::move(object));
      if (limit > 0 && static_cast<std::int64_t>(page.objects.size()) == limit) break;
    }
    const std::int64_t left = answer->count - seen;
    if (left <= 0) co_return page;
    if (limit > 0 && static_cast<std::int64_t>(page.objects.size()) == limit) {
      page.meta.next = ContinueToken{revision, request.key.substr(prefix.size())}.encode();
      if (selection.everything()) page.meta.remaining = left;
      co_return page;
    }
  }
}

Task<Outcome<Reader::Page>> Reader::page_at(Context& c, const Selection& selection,
                                            std::string start, std::int64_t limit,
                                            std::int64_t revision) {
  const Outcome<Done> fresh = co_await freshen(revision);
  if (!fresh.ok()) co_return fresh.error();
  // Nothing of this resource changed since: the cache is what it was then.
  if (c.cache->last_change() <= revision) {
    co_return page_from_cache(c, selection, start, limit, revision);
  }
  co_return co_await page_from_store(c, selection, std::move(start), limit, revision);
}

Task<Reply> Reader::list(Context& c) {
  CO_TRY_OUTCOME(const ListOptions options, parse_list_options(c.request.query, false));
  CO_TRY_OUTCOME(const Selection selection, Selection::parse(c));
  Outcome<Page> page = Page();
  if (options.token && options.token->revision == ContinueToken::kLatest) {
    const Outcome<Done> fresh = co_await freshen(std::nullopt);
    if (!fresh.ok()) co_return fresh.error();
    page = page_from_cache(c, selection, options.token->start, options.limit, m_.feed.revision());
  } else if (options.token) {
    page = co_await page_at(c, selection, options.token->start, options.limit,
                            options.token->revision);
  } else if (options.match == VersionMatch::kExact) {
    page = co_await page_at(c, selection, "", options.limit, *options.revision);
  } else {
    const Outcome<Done> fresh = co_await freshen(options.revision);
    if (!fresh.ok()) co_return fresh.error();
    // "Any version" is the cache as it is; upstream does not page it either.
    const std::int64_t limit = options.revision == 0 ? 0 : options.limit;
    page = page_from_cache(c, selection, "", limit, m_.feed.revision());
  }
  if (!page.ok()) co_return page.error();
  if (const std::string* why = c.cache->unreadable_in(selection.scope().ns)) {
    co_return api::internal_api_error(*why);
  }
  if (converted_by_webhook(c)) {
    const Outcome<Done> made = co_await convert_served(m_, c, page->objects);
    if (!made.ok()) co_return made.error();
  }
  co_return reply_list(m_, c, page->objects, page->meta);
}

}  // namespace coracle::apiserver
