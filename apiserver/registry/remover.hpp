// Remover: delete and deletecollection: grace, finalizers, preconditions, propagation.
#pragma once

#include <optional>

#include "apiserver/admission/admission.hpp"
#include "apiserver/registry/reader.hpp"
#include "apiserver/registry/service_claims.hpp"
#include "apiserver/registry/store_access.hpp"

namespace coracle::apiserver {

struct DeleteOptions {
  std::optional<std::int64_t> grace_seconds;
  std::string uid, resource_version;  // preconditions
  std::string propagation;            // "", Background, Foreground, Orphan
  bool dry_run = false;

  json::value to_json() const;  // as admission is shown it
};

Outcome<DeleteOptions> delete_options_of(const json::value& body);
// Of a body when there is one (then the query counts for nothing), else of the query.
Outcome<DeleteOptions> parse_delete_options(const Context& c, const api::Catalog& catalog);

class Remover {
 public:
  Remover(Machinery& machinery, StoreAccess& access, Admission& admission,
          ServiceAllocator& services, Reader& reader)
      : m_(machinery),
        access_(access),
        admission_(admission),
        services_(services),
        reader_(reader) {}

  Task<Reply> remove(Context& c);
  Task<Reply> remove_collection(Context& c);
  // `uid`: of the object that went or is going.
  Task<Outcome<Saved>> remove_object(Context& c, DeleteOptions options);

 private:
  Outcome<Change> decide(const Context& c, const DeleteOptions& options,
                         const json::value& current) const;

  Machinery& m_;
  StoreAccess& access_;
  Admission& admission_;
  ServiceAllocator& services_;
  Reader& reader_;
};

}  // namespace coracle::apiserver
