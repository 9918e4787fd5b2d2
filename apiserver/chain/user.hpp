// Who asks, and the interfaces that decide who that is and what they may do.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "apiserver/chain/outcome.hpp"
#include "apiserver/chain/request_info.hpp"

namespace coracle::apiserver {

struct UserInfo {
  std::string name, uid;
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>> extra;

  bool in_group(std::string_view group) const;
  bool authenticated() const { return in_group("system:authenticated"); }
};

inline constexpr std::string_view kAnonymous = "system:anonymous";
inline constexpr std::string_view kMasters = "system:masters";

struct Decision {
  bool allowed = false;
  std::string reason;  // why, or why not; the latter is put behind the usual message
};

class Authorizer {
 public:
  virtual ~Authorizer() = default;
  // From what is known here: no store is asked.
  virtual Decision decide(const UserInfo& user, const RequestInfo& request) const = 0;
};

// The 403 of a refused request, in upstream's words.
api::ApiError forbidden(const UserInfo& user, const RequestInfo& request,
                        const std::string& reason);

}  // namespace coracle::apiserver
