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

// An object, of which `read` takes all members.
template <class T, class Read>
Result<T> parsed(const json::value& value, Read read) {
  T out;
  Fields fields(value);
  read(fields, out);
  RETURN_IF_ERROR(fields.done());
  return out;
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
  return parsed<Answer>(value, [](Fields& f, auto& out) {
    f.text("error", &out.error);
    f.number("revision", &out.revision);
    f.number("count", &out.count);
    f.number("deleted", &out.deleted);
    f.flag("more", &out.more);
    f.flag("succeeded", &out.succeeded);
    f.list("kvs", &out.kvs, parse_plain_kv);
    f.list("prev_kvs", &out.prev_kvs, parse_plain_kv);
    f.list("events", &out.events, parse_event);
    f.list("responses", &out.responses, parse_answer);
  });
}

Result<mvcc::RangeRequest> parse_range(const json::value& value) {
  return parsed<mvcc::RangeRequest>(value, [](Fields& f, auto& out) {
    f.text("key", &out.key);
    f.text("end", &out.range_end);
    f.number("limit", &out.limit);
    f.number("revision", &out.revision.value);
    f.flag("serializable", &out.serializable);
    f.flag("keys_only", &out.keys_only);
    f.flag("count_only", &out.count_only);
  });
}

Result<mvcc::PutRequest> parse_put(const json::value& value) {
  return parsed<mvcc::PutRequest>(value, [](Fields& f, auto& out) {
    f.text("key", &out.key);
    f.text("value", &out.value);
    f.number("lease", &out.lease.value);
    f.flag("prev_kv", &out.prev_kv);
    f.flag("ignore_value", &out.ignore_value);
    f.flag("ignore_lease", &out.ignore_lease);
  });
}

Result<mvcc::DeleteRequest> parse_delete(const json::value& value) {
  return parsed<mvcc::DeleteRequest>(value, [](Fields& f, auto& out) {
    f.text("key", &out.key);
    f.text("end", &out.range_end);
    f.flag("prev_kv", &out.prev_kv);
  });
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

Result<CompactRequest> parse_compact(const json::value& value) {
  return parsed<CompactRequest>(value,
                                [](Fields& f, auto& out) { f.number("revision", &out.revision); });
}

Result<GrantRequest> parse_grant(const json::value& value) {
  return parsed<GrantRequest>(value, [](Fields& f, auto& out) {
    f.number("lease", &out.lease.value);
    f.number("ttl", &out.ttl);
  });
}

Result<RevokeRequest> parse_revoke(const json::value& value) {
  return parsed<RevokeRequest>(value,
                               [](Fields& f, auto& out) { f.number("lease", &out.lease.value); });
}

Result<ObserveRequest> parse_observe(const json::value& value) {
  return parsed<ObserveRequest>(value, [](Fields& f, auto& out) {
    f.text("key", &out.key);
    f.text("end", &out.range_end);
    f.number("revision", &out.revision);
  });
}

Result<Request> parse_request(const json::value& value) {
  ASSIGN_OR_RETURN(const auto member, only_member(value));
  const auto& [name, body] = member;
  if (name == "compact") return wrap<Request>(parse_compact(*body));
  if (name == "grant") return wrap<Request>(parse_grant(*body));
  if (name == "revoke") return wrap<Request>(parse_revoke(*body));
  if (name == "observe") return wrap<Request>(parse_observe(*body));
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
