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

  // Before the object is checked; may change it. `old` is null on create.
  Task<Outcome<Done>> mutate(Context& c, json::value& object, const json::value* old);
  // Whether mutate() has anything to do in this update.
  bool changes_updates(const Context& c) const;
  // Once the object is known to be valid.
  Task<Outcome<Done>> validate(Context& c, const json::value& object, const json::value* old);
  // Both, of a deletion. `options`: the DeleteOptions.
  Task<Outcome<Done>> admit_delete(Context& c, const json::value& old, json::value options);
  // Policies and webhooks alone, of what is sent to a subresource and is no object of its kind:
  // Binding, Eviction (CREATE), PodExecOptions and its kin (CONNECT). May change it.
  Task<Outcome<Done>> admit_body(Context& c, std::string_view operation, json::value& body);

 private:
  Task<Outcome<Done>> mutate_once(Admitted& a, json::value* object, const json::value* old);
  Task<Outcome<Done>> check(Admitted& a, const json::value* object, const json::value* old);

  Machinery& m_;
  AdmissionState state_;
  std::vector<Plugin> plugins_;  // those that are on
};

}  // namespace coracle::apiserver
