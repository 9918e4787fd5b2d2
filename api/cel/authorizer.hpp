// authorizer: the variable with which a policy asks whether its user may do something else. The
// answers come from outside, through a port that must outlive the values made with it; asking has
// no effect.
#pragma once

#include <memory>
#include <string>

#include "api/cel/value.hpp"

namespace coracle::api::cel {

struct AccessQuestion {
  // Whose rights: the request's own user, or a service account.
  std::string account_namespace, account;
  std::string path;  // "" = a resource
  std::string group, resource, subresource, ns, name;
  std::string field_selector, label_selector;
  std::string verb;
};

struct AccessAnswer {
  bool allowed = false;
  std::string reason, error;
};

class AccessPort {
 public:
  virtual ~AccessPort() = default;
  virtual AccessAnswer ask(const AccessQuestion& question) const = 0;
};

// What values of the four kinds of questions, and of their answers, hold.
struct Access {
  const AccessPort* port = nullptr;
  AccessQuestion question;
  AccessQuestion request;  // authorizer.requestResource
  AccessAnswer answer;
};

Value authorizer_value(const AccessPort& port, AccessQuestion request);
// authorizer.requestResource
Value request_resource(const Value& authorizer);

}  // namespace coracle::api::cel
