#include "apiserver/registry/conversion.hpp"

#include "api/custom_kind.hpp"
#include "api/object.hpp"
#include "api/strategy.hpp"
#include "apiserver/registry/codec.hpp"
#include "apiserver/remote/hook_client.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver {

namespace {

std::string kind_text(std::string_view api_version, std::string_view kind) {
  return std::string(api_version) + ", Kind=" + std::string(kind);
}

// Upstream's errors of conversion have no reason.
api::ApiError conversion_error(const json::value& object, const std::string& what) {
  constexpr int kInternal = 500;
  api::ApiError error = api::internal_api_error("");
  error.http_code = kInternal;
  json::object status;
  status["kind"] = "Status";
  status["apiVersion"] = "v1";
  status["metadata"].emplace_object();
  status["status"] = "Failure";
  status["message"] = "conversion webhook for " +
                      kind_text(api::api_version_of(object), api::kind_of(object)) + " " + what;
  status["code"] = kInternal;
  error.status = std::move(status);
  return error;
}

Result<json::array> converted_objects(const json::value& answer, const std::string& uid) {
  const json::value* response = find(answer, "response");
  if (response == nullptr || !response->is_object())
    return invalid_argument("no response provided");
  constexpr const char* kWanted = "apiextensions.k8s.io/v1, Kind=ConversionReview";
  const std::string got = kind_text(api::api_version_of(answer), api::kind_of(answer));
  if (got != kWanted) {
    return invalid_argument(std::string("expected webhook response of ") + kWanted + ", got " +
                            got);
  }
  if (get_string(*response, "uid") != uid) {
    return invalid_argument("expected response.uid=" + quoted(uid) + ", got " +
                            quoted(get_string(*response, "uid")));
  }
  const std::string_view status = get_string(*response, "result.status");
  if (status != "Success") {
    const std::string_view message = get_string(*response, "result.message");
    return invalid_argument(message.empty() ? "response.result.status was '" + std::string(status) +
                                                  "', not 'Success'"
                                            : std::string(message));
  }
  return get_array(*response, "convertedObjects");
}

// What is wrong with the webhook's work on one object, or "".
std::string fault_of(const json::value& original, const json::value& made,
                     const api::ResourceInfo& to) {
  const auto differs = [](const char* what, std::string_view a, std::string_view b) {
    return a == b ? std::string()
                  : "must have the same " + std::string(what) + ": " + std::string(a) +
                        " != " + std::string(b);
  };
  if (!made.is_object()) return "the object is no JSON object";
  if (std::string f = differs("kind", api::kind_of(made), api::kind_of(original)); !f.empty())
    return f;
  if (std::string f = differs("name", api::name_of(made), api::name_of(original)); !f.empty())
    return f;
  if (std::string f = differs("namespace", api::namespace_of(made), api::namespace_of(original));
      !f.empty())
    return f;
  return differs("UID", api::uid_of(made), api::uid_of(original));
}

// Of the metadata only labels and annotations are the webhook's.
void restore_metadata(const json::value& original, json::value& made) {
  json::object metadata = get_object(original, "metadata");
  for (const char* key : {"labels", "annotations"}) {
    const json::value* theirs = find_keys(made, {"metadata", key});
    if (theirs != nullptr && theirs->is_object()) {
      metadata[key] = *theirs;
    } else {
      erase_key(metadata, key);
    }
  }
  made.get_object()["metadata"] = std::move(metadata);
}

// As typed decoding in that version would leave it.
void settle(const api::ResourceInfo& to, json::value& object) {
  if (!to.custom) return;
  to.custom->prune(object, nullptr);
  to.custom->set_defaults(object);
}

const json::value& webhook_of(const Machinery& m, const api::ResourceInfo& info) {
  static const json::value kNone;
  if (!info.custom) return kNone;
  const auto kind = m.catalog.hold(info);
  return kind ? kind->conversion_webhook() : kNone;
}

// One review. `batch` are not in the wanted version yet.
Task<Outcome<std::vector<json::value>>> ask(const Machinery& m, json::value webhook,
                                            const api::ResourceInfo& to,
                                            std::vector<json::value> batch) {
  const json::value first = batch.front();
  const json::value* client = find(webhook, "clientConfig");
  auto config = HookConfig::parse(client == nullptr ? json::value() : *client);
  if (!config.ok()) {
    co_return conversion_error(first, "failed: " + config.status().message());
  }
  if (m.webhooks == nullptr) {
    co_return conversion_error(first, "failed: this server calls no webhooks");
  }
  const std::string uid = m.rng.uuid();
  json::object request;
  request["uid"] = uid;
  request["desiredAPIVersion"] = to.api_version;
  json::array& objects = request["objects"].emplace_array();
  for (const json::value& object : batch) objects.push_back(object);
  json::object review;
  review["kind"] = "ConversionReview";
  review["apiVersion"] = "apiextensions.k8s.io/v1";
  review["request"] = std::move(request);
  const auto answer = co_await m.webhooks->post(
      *std::move(config), to_json(json::value(std::move(review))), kConversionTimeout);
  if (!answer.ok()) co_return conversion_error(first, "failed: " + answer.status().message());
  auto converted = converted_objects(*answer, uid);
  if (!converted.ok()) {
    co_return conversion_error(first, "failed: " + converted.status().message());
  }
  if (converted->size() != batch.size()) {
    co_return conversion_error(first, "returned " + std::to_string(converted->size()) +
                                          " objects, expected " + std::to_string(batch.size()));
  }
  std::vector<json::value> out;
  out.reserve(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    json::value made = std::move((*converted)[i]);
    const std::string at = "returned invalid converted object at index " + std::to_string(i) + ": ";
    if (api::api_version_of(made) != to.api_version) {
      co_return conversion_error(first, at + "invalid groupVersion (expected " + to.api_version +
                                            ", received " + std::string(api::api_version_of(made)) +
                                            ")");
    }
    const std::string fault = fault_of(batch[i], made, to);
    if (!fault.empty()) {
      co_return conversion_error(first, "returned invalid metadata for object at index " +
                                            std::to_string(i) + ": " + fault);
    }
    restore_metadata(batch[i], made);
    out.push_back(std::move(made));
  }
  co_return out;
}

}  // namespace

bool converted_by_webhook(const Context& c) {
  return c.hold_kind && !c.hold_kind->conversion_webhook().is_null();
}

json::value tree_as_stored(const api::ResourceInfo& storage, const CachedObject& object) {
  json::value tree = tree_of(storage, *object.tail());
  if (object.other_version()) tree.get_object()["apiVersion"] = *object.other_version();
  return tree;
}

Task<Outcome<std::vector<json::value>>> convert_all(const Machinery& m, const api::ResourceInfo& to,
                                                    std::vector<json::value> objects) {
  const auto hold = m.catalog.hold(to);
  const json::value webhook = webhook_of(m, to);
  if (webhook.is_null()) {
    for (json::value& object : objects) {
      const api::ResourceInfo* from = m.catalog.find_for(object);
      if (from != nullptr && from != &to) api::convert_object(*from, to, object);
      object.get_object()["apiVersion"] = to.api_version;
      if (from != &to) settle(to, object);
    }
    co_return objects;
  }
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (api::api_version_of(objects[i]) != to.api_version) places.push_back(i);
  }
  for (std::size_t start = 0; start < places.size(); start += kConversionBatchMax) {
    const std::size_t end = std::min(places.size(), start + kConversionBatchMax);
    std::vector<json::value> batch;
    for (std::size_t i = start; i < end; ++i) batch.push_back(objects[places[i]]);
    CO_TRY_OUTCOME(std::vector<json::value> made, co_await ask(m, webhook, to, std::move(batch)));
    for (std::size_t i = start; i < end; ++i) objects[places[i]] = std::move(made[i - start]);
  }
  for (json::value& object : objects) settle(to, object);
  co_return objects;
}

Task<Outcome<json::value>> convert_version(const Machinery& m, const api::ResourceInfo& from,
                                           const api::ResourceInfo& to, json::value object) {
  if (&from == &to) co_return object;
  if (webhook_of(m, to).is_null()) {
    api::convert_object(from, to, object);
    co_return object;
  }
  std::vector<json::value> one;
  one.push_back(std::move(object));
  CO_TRY_OUTCOME(std::vector<json::value> made, co_await convert_all(m, to, std::move(one)));
  co_return std::move(made.front());
}

Task<Outcome<Done>> convert_served(const Machinery& m, Context& c, std::vector<ObjectPtr> objects) {
  std::vector<json::value> trees;
  trees.reserve(objects.size());
  for (const ObjectPtr& object : objects) trees.push_back(tree_as_stored(*c.storage, *object));
  CO_TRY_OUTCOME(std::vector<json::value> made,
                 co_await convert_all(m, *c.resource, std::move(trees)));
  auto found = std::make_shared<std::map<const void*, json::value>>();
  for (std::size_t i = 0; i < objects.size(); ++i) {
    (*found)[objects[i]->tail()->data()] = std::move(made[i]);
  }
  c.converted = std::move(found);
  co_return Done{};
}

Task<Outcome<Done>> convert_served_tail(const Machinery& m, Context& c, Bytes tail) {
  CO_TRY_OUTCOME(json::value made,
                 co_await convert_version(m, *c.storage, *c.resource, tree_of(*c.storage, *tail)));
  auto found = std::make_shared<std::map<const void*, json::value>>();
  (*found)[tail->data()] = std::move(made);
  c.converted = std::move(found);
  co_return Done{};
}

}  // namespace coracle::apiserver
