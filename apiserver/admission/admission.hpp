// Admission: what the server adds to objects and which writes it refuses although they are valid by
// themselves: the chain of plugins (plugins.cpp).
//
// Thread: apiserver strand. Reads the watch caches.
#pragma once

#include "apiserver/admission/plugin.hpp"

namespace coracle::apiserver {

class Admission {
 public:
  explicit Admission(Machinery& machinery);
  ~Admission();

  // Before the object is checked; may change it.
  Task<Outcome<Done>> admit_create(Context& c, json::value& object);
  // Of an update or patch, of subresources too, once the object is known to be valid.
  Outcome<Done> admit_update(Context& c, const json::value& object, const json::value& old);
  Outcome<Done> admit_delete(Context& c, const json::value& old);

 private:
  Outcome<Done> check(Admitted& a, const json::value* object, const json::value* old);

  Machinery& m_;
  AdmissionState state_;
};

}  // namespace coracle::apiserver
