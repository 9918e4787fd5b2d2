// Plan: what a reconcile decided: writes, events, and when to look again. A value; the runner
// carries it out (controller-manager/runner).
//
// Writes run in order; neighbours of the same verb on different objects may run at the same time. A
// failing write ends the plan: the key is tried again with back-off. Not found on a delete, and
// already exists on a create that says so, count as done. A look (kLook) reads from the server, not
// from a cache: where a plan must not act on what may be stale, it looks first.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "client/object_cache.hpp"
#include "client/resource.hpp"

namespace coracle::controllers {

struct Write {
  enum class Verb {
    kCreate,
    kUpdate,
    kUpdateStatus,
    kUpdateSubresource,  // PUT
    kPatch,
    kDelete,
    kDeleteAll,  // all of a namespace; counts as failed while the server still found some
    kLook,       // lists; counts as failed unless `holds`
    kAsk,        // creates a review; counts as failed unless the answer `agrees`
  };
  Verb verb = Verb::kCreate;
  client::Gvr gvr;
  std::string ns, name;  // of what is patched or deleted; the body's own otherwise
  json::value body;      // the object, or the patch
  client::PatchType patch_type = client::PatchType::kStrategic;
  std::string subresource;  // of a patch
  client::DeleteOptions delete_options;
  bool exists_is_fine = false;
  std::function<bool(const json::array& items)> holds;    // of kLook
  std::function<bool(const json::value& answer)> agrees;  // of kAsk

  // Told about the plan's object when it is done ("{name}" stands for the name that came back) or
  // failed (the server's message is put behind).
  std::string done_reason, done_message, failed_reason, failed_message;
};

struct EventNote {
  bool warning = false;
  std::string reason, message;
  client::ObjectPtr about = nullptr;  // another object than the plan's
};

struct Plan {
  std::vector<Write> writes;
  std::vector<EventNote> events;
  client::ObjectPtr about;              // whom events are about; null: nothing is told
  std::optional<Duration> again_after;  // look again then even if nothing happens
  // What World::memory(key) gives the next reconcile, once this plan is carried out; null: nothing
  // any more. It is lost with the program: for what makes decisions calmer, never for what must be.
  std::optional<json::value> remember;
  // What to write when a write failed (the first that did, and not for a conflict), if anything.
  std::function<std::optional<Write>(const Write& failed, const std::string& why)> if_failed;

  Write& create(const client::Gvr& gvr, json::value object);
  Write& update(const client::Gvr& gvr, json::value object);
  Write& update_status(const client::Gvr& gvr, json::value object);
  Write& patch(const client::Gvr& gvr, const json::value& object, json::value patch,
               client::PatchType type = client::PatchType::kStrategic);
  // With the object's uid as precondition.
  Write& remove(const client::Gvr& gvr, const json::value& object);
  Write& update_subresource(const client::Gvr& gvr, std::string subresource, json::value object);
  Write& remove_all(const client::Gvr& gvr, std::string ns);
  // The writes behind it are carried out only if the server's own list of that namespace (of that
  // name alone, unless it is empty) is one of which this holds.
  Write& only_if(const client::Gvr& gvr, std::string ns, std::string name,
                 std::function<bool(const json::array& items)> holds);
  // The writes behind it are carried out only if the server's answer to a review (an access review:
  // nothing is stored) is one that agrees.
  Write& ask(const client::Gvr& gvr, json::value review,
             std::function<bool(const json::value& answer)> agrees);
  void note(std::string reason, std::string message);
  void warn(std::string reason, std::string message);
  void look_again(Duration after);  // the earliest wins
};

}  // namespace coracle::controllers
