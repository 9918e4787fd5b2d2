// Admission: what the server adds to new objects and which writes it refuses although they are
// valid by themselves: namespaces that are missing or going, service accounts and their token
// volume, priorities, default tolerations.
//
// Strand only. Reads the watch caches; what is missing there is looked for again after a read
// barrier before it is refused. Objects are in the storage version.
#pragma once

#include "apiserver/registry/context.hpp"

namespace coracle::apiserver {

class Admission {
 public:
  explicit Admission(Machinery& machinery) : m_(machinery) {}

  // Before defaults are validated; may change `object`.
  Task<Outcome<Done>> admit_create(Context& c, json::value& object);
  Outcome<Done> admit_delete(const Context& c) const;

 private:
  Task<Outcome<Done>> namespace_open(Context& c, std::string name);
  Task<ObjectPtr> find_settled(std::string prefix, std::string key);
  Task<Outcome<Done>> service_account(Context& c, json::value& pod);
  Task<Outcome<Done>> priority(Context& c, json::value& pod);

  Machinery& m_;
};

}  // namespace coracle::apiserver
