// Writer: create, update and patch of any kind, and of their /status.
//
// decode -> defaults -> admission -> prepare -> validate -> store. Objects are worked on in the
// storage version. Errors are what the client is sent.
#pragma once

#include "api/strategy.hpp"
#include "apiserver/registry/admission.hpp"
#include "apiserver/registry/codec.hpp"
#include "apiserver/registry/service_claims.hpp"
#include "apiserver/registry/store_access.hpp"

namespace coracle::apiserver {

class Writer {
 public:
  Writer(Machinery& machinery, StoreAccess& access, Admission& admission,
         ServiceAllocator& services)
      : m_(machinery), access_(access), admission_(admission), services_(services) {}

  Task<Reply> create(Context& c);
  Task<Reply> update(Context& c);
  Task<Reply> patch(Context& c);

  // The rest of a create, for an object of the served version whose name and namespace are set.
  Task<Outcome<Saved>> create_object(Context& c, json::value object);
  // Replaces fields of the stored object by what `make` returns (storage version), with all checks
  // of an update.
  using Make = std::function<Outcome<json::value>(const json::value& current)>;
  Task<Outcome<Saved>> update_object(Context& c, api::WriteTarget target, Make make);

 private:
  Outcome<Change> decide_update(Context& c, api::WriteTarget target, json::value next,
                                const json::value& current);
  Task<Outcome<Saved>> update_service(Context& c, api::WriteTarget target, Make make);
  Task<Outcome<Saved>> insert(Context& c, json::value object);
  Outcome<json::value> decode_named(Context& c, Body body);
  Outcome<json::value> apply_patch(Context& c, const std::string& type, const json::value& patch,
                                   const json::value& current);
  Task<Reply> apply(Context& c);

  Machinery& m_;
  StoreAccess& access_;
  Admission& admission_;
  ServiceAllocator& services_;
};

// Name and namespace of a body against those of the URL: fills them in, or 400.
Outcome<Done> settle_identity(const Context& c, json::value& object, bool name_in_url);

}  // namespace coracle::apiserver
