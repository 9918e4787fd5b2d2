#include "controllers/plan.hpp"

#include <algorithm>

#include "api/object.hpp"

namespace coracle::controllers {
namespace {

Write& add(Plan* plan, Write::Verb verb, const client::Gvr& gvr) {
  Write& write = plan->writes.emplace_back();
  write.verb = verb;
  write.gvr = gvr;
  return write;
}

void identify(Write& write, const json::value& object) {
  write.ns = api::namespace_of(object);
  write.name = api::name_of(object);
}

}  // namespace

Write& Plan::create(const client::Gvr& gvr, json::value object) {
  Write& write = add(this, Write::Verb::kCreate, gvr);
  identify(write, object);
  write.body = std::move(object);
  return write;
}

Write& Plan::update(const client::Gvr& gvr, json::value object) {
  Write& write = add(this, Write::Verb::kUpdate, gvr);
  identify(write, object);
  write.body = std::move(object);
  return write;
}

Write& Plan::update_status(const client::Gvr& gvr, json::value object) {
  Write& write = add(this, Write::Verb::kUpdateStatus, gvr);
  identify(write, object);
  write.body = std::move(object);
  return write;
}

Write& Plan::patch(const client::Gvr& gvr, const json::value& object, json::value patch,
                   client::PatchType type) {
  Write& write = add(this, Write::Verb::kPatch, gvr);
  identify(write, object);
  write.body = std::move(patch);
  write.patch_type = type;
  return write;
}

Write& Plan::remove(const client::Gvr& gvr, const json::value& object) {
  Write& write = add(this, Write::Verb::kDelete, gvr);
  identify(write, object);
  write.delete_options.uid = api::uid_of(object);
  return write;
}

Write& Plan::update_subresource(const client::Gvr& gvr, std::string subresource,
                                json::value object) {
  Write& write = update(gvr, std::move(object));
  write.verb = Write::Verb::kUpdateSubresource;
  write.subresource = std::move(subresource);
  return write;
}

Write& Plan::remove_all(const client::Gvr& gvr, std::string ns) {
  Write& write = add(this, Write::Verb::kDeleteAll, gvr);
  write.ns = std::move(ns);
  return write;
}

Write& Plan::only_if(const client::Gvr& gvr, std::string ns, std::string name,
                     std::function<bool(const json::array& items)> holds) {
  Write& write = add(this, Write::Verb::kLook, gvr);
  write.ns = std::move(ns);
  write.name = std::move(name);
  write.holds = std::move(holds);
  return write;
}

Write& Plan::ask(const client::Gvr& gvr, json::value review,
                 std::function<bool(const json::value& answer)> agrees) {
  Write& write = add(this, Write::Verb::kAsk, gvr);
  write.body = std::move(review);
  write.agrees = std::move(agrees);
  return write;
}

void Plan::note(std::string reason, std::string message) {
  events.push_back({false, std::move(reason), std::move(message)});
}

void Plan::warn(std::string reason, std::string message) {
  events.push_back({true, std::move(reason), std::move(message)});
}

void Plan::look_again(Duration after) {
  after = std::max(after, Duration(0));
  if (!again_after || after < *again_after) again_after = after;
}

}  // namespace coracle::controllers
