// Subresources other than status: scale, binding, eviction, finalize; connections are the
// Connector's.
#pragma once

#include <functional>

#include "apiserver/registry/reader.hpp"
#include "apiserver/registry/remover.hpp"
#include "apiserver/registry/writer.hpp"

namespace coracle::apiserver {

class Subresources {
 public:
  Subresources(Machinery& machinery, StoreAccess& access, Reader& reader, Writer& writer,
               Remover& remover, Admission& admission)
      : m_(machinery),
        access_(access),
        reader_(reader),
        writer_(writer),
        remover_(remover),
        admission_(admission) {}

  Task<Reply> handle(Context& c);

 private:
  Task<Reply> get_scale(Context& c);
  Task<Reply> put_scale(Context& c);
  Task<Reply> patch_scale(Context& c);
  Task<Reply> apply_scale(Context& c, Patch patch);
  Reply reply_scale(const Context& c, const Saved& saved) const;
  Task<Outcome<Saved>> write_scale(Context& c,
                                   std::function<Outcome<json::value>(json::value)> make);
  Task<Reply> bind(Context& c);
  Task<Reply> evict(Context& c);
  Task<Outcome<std::string>> spend_budget(Context& c, const json::value& pod);
  Task<Outcome<Done>> mark_evicted(Context& c, DeleteOptions& options);
  Task<Reply> finalize(Context& c);
  Task<Outcome<json::value>> read_fresh(Context& c);

  Machinery& m_;
  StoreAccess& access_;
  Reader& reader_;
  Writer& writer_;
  Remover& remover_;
  Admission& admission_;
};

}  // namespace coracle::apiserver
