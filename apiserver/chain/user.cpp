#include "apiserver/chain/user.hpp"

#include <algorithm>

namespace coracle::apiserver {

bool UserInfo::in_group(std::string_view group) const {
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

api::ApiError forbidden(const UserInfo& user, const RequestInfo& request,
                        const std::string& reason) {
  std::string why = "User \"" + user.name + "\" cannot " + request.verb;
  const std::string tail = reason.empty() ? "" : ": " + reason;
  if (!request.is_resource) {
    return api::forbidden_error({}, "", why + " path \"" + request.path + "\"" + tail);
  }
  std::string resource = request.resource;
  if (!request.subresource.empty()) resource += "/" + request.subresource;
  why += " resource \"" + resource + "\" in API group \"" + request.group + "\"";
  why += request.ns.empty() ? " at the cluster scope" : " in the namespace \"" + request.ns + "\"";
  return api::forbidden_error({request.group, request.resource}, request.name, why + tail);
}

}  // namespace coracle::apiserver
