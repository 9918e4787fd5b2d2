// What ApiHandler tells the audit log.
#include "apiserver/api_handler.hpp"
#include "apiserver/registry/codec.hpp"

namespace coracle::apiserver {

namespace {

// Says when the stream that a request became has ended: when its exchange lets go of it.
struct StreamEnd {
  std::shared_ptr<const AuditLog> log;
  Executor& executor;
  std::string id, decision, reason;
  WallTime received;
  net::Request request;
  RequestInfo info;
  UserInfo user;
  std::shared_ptr<const UserInfo> impersonated;

  ~StreamEnd() {
    AuditRecord record{id, request, info, user, received, executor.wall_now()};
    record.impersonated = impersonated.get();
    record.code = 200;
    record.stage = AuditRecord::Stage::kStreamEnded;
    record.decision = decision;
    record.reason = reason;
    log->record(record);
  }
};

}  // namespace

// JSON, YAML or protobuf as a tree; null when it is none of them.
json::value ApiHandler::audited_tree(const Context& c, const net::Request& message) const {
  if (message.body.empty()) return nullptr;
  auto parsed = parse_json(message.body);
  if (parsed.ok()) return *std::move(parsed);
  if (c.resource == nullptr) return nullptr;
  auto body = parse_body(message, m_.catalog, c.resource->kind);
  return body.ok() ? std::move(body->value) : json::value();
}

void ApiHandler::audit(const Context& c, const net::Response* reply, const api::ApiError* error) {
  const UserInfo& asker = c.asker ? *c.asker : c.user;
  const AuditLevel level = options_.audit->level(asker, c.info);
  if (level == AuditLevel::kNone) return;
  AuditRecord record{m_.rng.uuid(), c.request, c.info, asker, c.received, m_.executor.wall_now()};
  if (c.asker) record.impersonated = &c.user;
  record.decision = c.decision;
  record.reason = c.reason;
  record.annotations = &c.audit_annotations;
  // In the client's words: what admission and defaults made of it is in the answer.
  const json::value object = audited_tree(c, c.request);
  if (!object.is_null()) record.object = &object;
  json::value body;
  if (error != nullptr) {
    record.code = error->http_code;
    record.response = &error->status;
  } else if (reply != nullptr) {
    record.code = reply->status;
    if (level == AuditLevel::kRequestResponse) {
      net::Request answer;  // read as a request's body is
      answer.headers.add("Content-Type", std::string(reply->headers.get("content-type")));
      answer.body = reply->body;
      for (const net::Bytes& chunk : reply->chunks) answer.body += *chunk;
      body = audited_tree(c, answer);
      if (!body.is_null()) record.response = &body;
    }
  } else {
    record.code = 200;
    record.stage = AuditRecord::Stage::kStarted;
  }
  options_.audit->record(record);
  if (record.stage != AuditRecord::Stage::kStarted) return;
  net::Request request = c.request;
  request.body.clear();
  // Made where it stays: its end is what is recorded.
  const std::shared_ptr<StreamEnd> end(new StreamEnd{
      options_.audit, m_.executor, record.id, c.decision, c.reason, c.received, std::move(request),
      c.info, asker, c.asker ? std::make_shared<const UserInfo>(c.user) : nullptr});
  c.exchange->on_close([end] {});
}

}  // namespace coracle::apiserver
