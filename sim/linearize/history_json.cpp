#include "linearize/history_json.hpp"

#include <functional>
#include <utility>

#include "linearize/history_fields.hpp"

namespace coracle::linearize {
namespace {

using mvcc::Compare;

constexpr std::pair<const char*, Compare::Target> kTargets[] = {
    {"version", Compare::Target::kVersion},
    {"create", Compare::Target::kCreate},
    {"mod", Compare::Target::kMod},
    {"value", Compare::Target::kValue},
    {"lease", Compare::Target::kLease}};
constexpr std::pair<const char*, Compare::Result> kResults[] = {{"=", Compare::Result::kEqual},
                                                                {">", Compare::Result::kGreater},
                                                                {"<", Compare::Result::kLess},
                                                                {"!=", Compare::Result::kNotEqual}};

template <class T, std::size_t N>
Status named(const std::pair<const char*, T> (&table)[N], const std::string& name, T* out) {
  for (const auto& [known, value] : table) {
    if (name == known) return *out = value, Status();
  }
  return invalid_argument("unknown: " + name);
}

Result<SeenKv> parse_kv(const json::value& value, bool is_event) {
  SeenKv kv;
  std::string type = "put";
  Fields fields(value);
  fields.text("key", &kv.key);
  fields.text("value", &kv.value);
  fields.number("create", &kv.create);
  fields.number("mod", &kv.mod);
  fields.number("version", &kv.version);
  fields.number("lease", &kv.lease);
  if (is_event) fields.text("type", &type);
  RETURN_IF_ERROR(fields.done());
  if (type == "delete") {
    // A tombstone has a key and a mod revision; the rest is zeros on the wire.
    return SeenKv{.key = kv.key, .mod = kv.mod, .deleted = true};
  }
  if (type != "put") return invalid_argument("unknown type: " + type);
  return kv;
}

Result<SeenKv> parse_plain_kv(const json::value& value) { return parse_kv(value, false); }
Result<SeenKv> parse_event(const json::value& value) { return parse_kv(value, true); }

Result<Answer> parse_answer(const json::value& value) {
  Answer answer;
  Fields fields(value);
  fields.text("error", &answer.error);
  fields.number("revision", &answer.revision);
  fields.number("count", &answer.count);
  fields.number("deleted", &answer.deleted);
  fields.flag("more", &answer.more);
  fields.flag("succeeded", &answer.succeeded);
  fields.list("kvs", &answer.kvs, parse_plain_kv);
  fields.list("prev_kvs", &answer.prev_kvs, parse_plain_kv);
  fields.list("events", &answer.events, parse_event);
  fields.list("responses", &answer.responses, parse_answer);
  RETURN_IF_ERROR(fields.done());
  return answer;
}

Result<mvcc::RangeRequest> parse_range(const json::value& value) {
  mvcc::RangeRequest r;
  Fields fields(value);
  fields.text("key", &r.key);
  fields.text("end", &r.range_end);
  fields.number("limit", &r.limit);
  fields.number("revision", &r.revision.value);
  fields.flag("serializable", &r.serializable);
  fields.flag("keys_only", &r.keys_only);
  fields.flag("count_only", &r.count_only);
  RETURN_IF_ERROR(fields.done());
  return r;
}

Result<mvcc::PutRequest> parse_put(const json::value& value) {
  mvcc::PutRequest r;
  Fields fields(value);
  fields.text("key", &r.key);
  fields.text("value", &r.value);
  fields.number("lease", &r.lease.value);
  fields.flag("prev_kv", &r.prev_kv);
  fields.flag("ignore_value", &r.ignore_value);
  fields.flag("ignore_lease", &r.ignore_lease);
  RETURN_IF_ERROR(fields.done());
  return r;
}

Result<mvcc::DeleteRequest> parse_delete(const json::value& value) {
  mvcc::DeleteRequest r;
  Fields fields(value);
  fields.text("key", &r.key);
  fields.text("end", &r.range_end);
  fields.flag("prev_kv", &r.prev_kv);
  RETURN_IF_ERROR(fields.done());
  return r;
}

Result<Compare> parse_compare(const json::value& value) {
  Compare c;
  std::string target = "version", result = "=";
  Fields fields(value);
  fields.text("key", &c.key);
  fields.text("end", &c.range_end);
  fields.text("target", &target);
  fields.text("result", &result);
  fields.number("number", &c.number);
  fields.text("value", &c.value);
  RETURN_IF_ERROR(fields.done());
  RETURN_IF_ERROR(named(kTargets, target, &c.target));
  RETURN_IF_ERROR(named(kResults, result, &c.result));
  return c;
}

Result<mvcc::RequestOp> parse_op(const json::value& value);

Result<mvcc::TxnRequest> parse_txn(const json::value& value) {
  std::optional<std::vector<Compare>> compare;
  std::optional<std::vector<mvcc::RequestOp>> success, failure;
  Fields fields(value);
  fields.list("compare", &compare, parse_compare);
  fields.list("then", &success, parse_op);
  fields.list("else", &failure, parse_op);
  RETURN_IF_ERROR(fields.done());
  mvcc::TxnRequest r;
  if (compare) r.compare = std::move(*compare);
  if (success) r.success = std::move(*success);
  if (failure) r.failure = std::move(*failure);
  return r;
}

template <class Variant, class T>
Result<Variant> wrap(Result<T> parsed) {
  if (!parsed.ok()) return parsed.status();
  return Variant(std::move(parsed).value());
}

// {"put": {...}}: the name and what is in it.
Result<std::pair<std::string, const json::value*>> only_member(const json::value& value) {
  if (!value.is_object() || value.get_object().size() != 1) {
    return invalid_argument("a request is an object with one member");
  }
  const auto& member = *value.get_object().begin();
  return std::pair(std::string(member.key()), &member.value());
}

Result<mvcc::RequestOp> parse_op(const json::value& value) {
  ASSIGN_OR_RETURN(const auto member, only_member(value));
  const auto& [name, body] = member;
  mvcc::RequestOp op;
  if (name == "range") {
    ASSIGN_OR_RETURN(op.request, parse_range(*body));
  } else if (name == "put") {
    ASSIGN_OR_RETURN(op.request, parse_put(*body));
  } else if (name == "delete") {
    ASSIGN_OR_RETURN(op.request, parse_delete(*body));
  } else if (name == "txn") {
    ASSIGN_OR_RETURN(op.request, parse_txn(*body));
  } else {
    return invalid_argument("unknown request: " + name);
  }
  return op;
}

Result<Request> parse_request(const json::value& value) {
  ASSIGN_OR_RETURN(const auto member, only_member(value));
  const auto& [name, body] = member;
  Fields fields(*body);
  if (name == "compact") {
    CompactRequest r;
    fields.number("revision", &r.revision);
    RETURN_IF_ERROR(fields.done());
    return Request(r);
  }
  if (name == "grant") {
    GrantRequest r;
    fields.number("lease", &r.lease.value);
    fields.number("ttl", &r.ttl);
    RETURN_IF_ERROR(fields.done());
    return Request(r);
  }
  if (name == "revoke") {
    RevokeRequest r;
    fields.number("lease", &r.lease.value);
    RETURN_IF_ERROR(fields.done());
    return Request(r);
  }
  if (name == "observe") {
    ObserveRequest r;
    fields.text("key", &r.key);
    fields.text("end", &r.range_end);
    fields.number("revision", &r.revision);
    RETURN_IF_ERROR(fields.done());
    return Request(r);
  }
  ASSIGN_OR_RETURN(mvcc::RequestOp op, parse_op(value));
  if (name == "range") return Request(std::get<mvcc::RangeRequest>(op.request));
  if (name == "put") return Request(std::get<mvcc::PutRequest>(op.request));
  if (name == "delete") return Request(std::get<mvcc::DeleteRequest>(op.request));
  return Request(std::get<mvcc::TxnRequest>(op.request));
}

}  // namespace

Result<Operation> parse_operation(const json::value& line) {
  Operation operation;
  std::optional<std::int64_t> call, returned;
  const json::value* request = nullptr;
  const json::value* result = nullptr;
  Fields fields(line);
  fields.number("client", &operation.client);
  fields.number("call", &call);
  fields.number("return", &returned);
  fields.any("request", &request);
  fields.any("result", &result);
  RETURN_IF_ERROR(fields.done());
  if (!call || request == nullptr) return invalid_argument("call and request are needed");
  if (returned.has_value() != (result != nullptr)) {
    return invalid_argument("return and result belong together");
  }
  ASSIGN_OR_RETURN(operation.request, parse_request(*request));
  operation.call = *call;
  if (result == nullptr) return operation;
  operation.returned = *returned;
  if (*returned < *call) return invalid_argument("it returned before it was called");
  ASSIGN_OR_RETURN(operation.answer, parse_answer(*result));
  return operation;
}

Result<History> parse_history(std::string_view text) {
  History history;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const std::string where = "line " + std::to_string(number);
    auto value = parse_json(line);
    if (!value.ok()) return value.status().with_context(where);
    auto operation = parse_operation(*value);
    if (!operation.ok()) return operation.status().with_context(where);
    operation->line = number;
    history.push_back(std::move(operation).value());
  }
  return history;
}

}  // namespace coracle::linearize
