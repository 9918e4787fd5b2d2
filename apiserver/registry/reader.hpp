// Reader: get and list, from the watch cache; pages of an older revision from the store.
#pragma once

#include "apiserver/registry/codec.hpp"
#include "apiserver/registry/list_options.hpp"
#include "apiserver/registry/selection.hpp"

namespace coracle::apiserver {

class Reader {
 public:
  explicit Reader(Machinery& machinery) : m_(machinery) {}

  Task<Reply> get(Context& c);
  Task<Reply> list(Context& c);
  // Ok when the cache is as new as `revision` asks: absent = the store's latest, 0 = as it is, N =
  // not older (504 when it does not come).
  Task<Outcome<Done>> freshen(std::optional<std::int64_t> revision);

  struct Page {
    std::vector<ObjectPtr> objects;
    ListMeta meta;
  };
  // Everything selected, as of the cache's revision.
  Page collect(const Context& c, const Selection& selection) const;

 private:
  Page page_from_cache(const Context& c, const Selection& selection, std::string_view start,
                       std::int64_t limit, std::int64_t revision) const;
  Task<Outcome<Page>> page_from_store(Context& c, const Selection& selection, std::string start,
                                      std::int64_t limit, std::int64_t revision);
  Task<Outcome<Page>> page_at(Context& c, const Selection& selection, std::string start,
                              std::int64_t limit, std::int64_t revision);

  Machinery& m_;
};

}  // namespace coracle::apiserver
