#include "apiserver/chain/user.hpp"

#include <algorithm>

namespace coracle::apiserver {

bool UserInfo::in_group(std::string_view group) const {
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

Task<Decision> AuthenticatedAuthorizer::authorize(UserInfo user, RequestInfo request) {
  if (user.authenticated()) co_return Decision{true, ""};
  const std::string& path = request.path;
  const bool open =
      !request.is_resource && (path == "/version" || path == "/healthz" || path == "/livez" ||
                               path == "/readyz" || path.starts_with("/healthz/") ||
                               path.starts_with("/livez/") || path.starts_with("/readyz/"));
  co_return Decision{open, ""};
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
