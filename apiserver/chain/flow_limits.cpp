#include "apiserver/chain/flow_limits.hpp"

namespace coracle::apiserver {

namespace {

bool is_long(const RequestInfo& request) {
  const std::string& sub = request.subresource;
  return request.verb == "watch" || sub == "log" || sub == "exec" || sub == "attach" ||
         sub == "portforward" || sub == "proxy";
}

bool is_read(const RequestInfo& request) { return request.verb == "get" || request.verb == "list"; }

}  // namespace

Outcome<FlowControl::Ticket> FlowControl::enter(const UserInfo& user, const RequestInfo& request) {
  if (is_long(request)) return Ticket();
  const bool write = !is_read(request);
  Lane& lane = write ? writes_ : reads_;
  const int limit = write ? limits_.writes : limits_.reads;
  int& own = lane.by_user[user.name];
  const bool over =
      limit > 0 && (lane.busy >= limit || (2 * lane.busy >= limit && 2 * own >= limit));
  if (over && !user.in_group(kMasters)) {
    if (own == 0) lane.by_user.erase(user.name);
    return api::too_many_requests_error("Too many requests, please try again later.", 1);
  }
  ++own;
  ++lane.busy;
  return Ticket(this, write, user.name);
}

void FlowControl::leave(bool write, const std::string& user) {
  Lane& lane = write ? writes_ : reads_;
  --lane.busy;
  const auto own = lane.by_user.find(user);
  if (own != lane.by_user.end() && --own->second == 0) lane.by_user.erase(own);
}

}  // namespace coracle::apiserver
