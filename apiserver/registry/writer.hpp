// Writer: create, update and patch of any kind, and of their /status.
//
// decode -> defaults -> admission that changes -> prepare -> validate -> admission that refuses ->
// store. Objects are worked on in the storage version. Errors are what the client is sent.
#pragma once

#include "api/strategy.hpp"
#include "apiserver/admission/admission.hpp"
#include "apiserver/registry/codec.hpp"
#include "apiserver/registry/field_manager.hpp"
#include "apiserver/registry/patcher.hpp"
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

  // Who writes which fields: recorded by the writer, or by what made the object (an apply).
  enum class Owners { kTrack, kGiven };
  // The rest of a create, for an object of the served version whose name and namespace are set.
  Task<Outcome<Saved>> create_object(Context& c, json::value object,
                                     Owners owners = Owners::kTrack);
  // Replaces fields of the stored object by what `make` returns (storage version), with all checks
  // of an update.
  using Make = std::function<Outcome<json::value>(const json::value& current)>;
  using MakeLater = std::function<Task<Outcome<json::value>>(const json::value& current)>;
  Task<Outcome<Saved>> update_object(Context& c, api::WriteTarget target, Make make,
                                     Owners owners = Owners::kTrack);
  Task<Outcome<Saved>> update_object_later(Context& c, api::WriteTarget target, MakeLater make,
                                           Owners owners = Owners::kTrack);
  FieldWriter field_writer(const Context& c) const;

 private:
  struct Update {
    api::WriteTarget target;
    Owners owners;
    MakeLater make;
  };
  // Tells what is unwise about an object that passed its checks.
  void warn(Context& c, const json::value& object, const json::value* old) const;
  Outcome<Done> check_preconditions(const Context& c, json::value& next,
                                    const json::value& current) const;
  Task<Outcome<Change>> decide_update(Context& c, const Update& update, const json::value& current);
  Task<Outcome<Saved>> update_service(Context& c, Update update);
  // `last`: `object` will not be needed any more.
  Task<Outcome<Saved>> insert(Context& c, json::value& object, bool last);
  Outcome<json::value> decode_named(Context& c, Body body);
  Task<Outcome<json::value>> apply_patch(Context& c, const Patch& patch,
                                         const json::value& current);
  Task<Outcome<json::value>> apply_configured(Context& c, const ApplyRequest& request,
                                              const json::value& current);
  Task<Outcome<json::value>> updated(Context& c, const json::value& object,
                                     const json::value& current);
  Task<Reply> reply(Context& c, int code, Bytes tail);
  Task<Reply> apply(Context& c, Patch patch);

  Machinery& m_;
  StoreAccess& access_;
  Admission& admission_;
  ServiceAllocator& services_;
};

// A custom object in a version that is not stored, by the schema of that version; the storage
// version's is asked later, of what became of it.
Outcome<Done> check_served_version(const Context& c, const json::value& object,
                                   const json::value* old);
// Name and namespace of a body against those of the URL: fills them in, or 400.
Outcome<Done> settle_identity(const Context& c, json::value& object, bool name_in_url);

}  // namespace coracle::apiserver
