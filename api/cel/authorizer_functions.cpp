// The library of the authorizer: questions are put together call by call, then asked.
#include "api/cel/authorizer.hpp"
#include "api/cel/functions.hpp"
#include "api/cel/opaque.hpp"
#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::api::cel {

namespace {

// Asking is what upstream charges for, as if it went over a network.
constexpr std::uint64_t kAskCost = 350'000;

const Access& access_of(const Value& value) { return *value.as_opaque().access; }

Value with(Kind kind, Access access) {
  Opaque out;
  out.access = std::make_shared<const Access>(std::move(access));
  return Value::opaque(kind, std::move(out));
}

// The same question with one more word in it.
template <std::string AccessQuestion::* Part, Kind Made>
Value adding(Args a, Budget&) {
  Access access = access_of(a[0]);
  access.question.*Part = std::string(a[1].as_text());
  return with(Made, std::move(access));
}

template <std::string AccessQuestion::* Part, Kind Made>
Value adding_some(Args a, Budget& budget) {
  if (trim(a[1].as_text()).empty()) {
    return Value::error(Made == Kind::kPathCheck ? "path must not be empty"
                                                 : "resource must not be empty");
  }
  return adding<Part, Made>(a, budget);
}

Value service_account(Args a, Budget&) {
  if (!check_dns1123_subdomain(a[2].as_text()).empty()) {
    return Value::error("Invalid service account name");
  }
  if (!check_dns1123_label(a[1].as_text()).empty()) {
    return Value::error("Invalid service account namespace");
  }
  Access access = access_of(a[0]);
  for (AccessQuestion* question : {&access.question, &access.request}) {
    question->account_namespace = std::string(a[1].as_text());
    question->account = std::string(a[2].as_text());
  }
  return with(Kind::kAuthorizer, std::move(access));
}

Value check(Args a, Budget& budget) {
  if (!budget.charge(kAskCost)) return Value::error(std::string(kBudgetSpent));
  Access access = access_of(a[0]);
  access.question.verb = std::string(a[1].as_text());
  access.answer = access.port->ask(access.question);
  return with(Kind::kDecision, std::move(access));
}

constexpr Overload kAuthorizer[] = {
    {"path", "A.s:P", adding_some<&AccessQuestion::path, Kind::kPathCheck>},
    {"group", "A.s:G", adding<&AccessQuestion::group, Kind::kGroupCheck>},
    {"serviceAccount", "A.ss:A", service_account},
    {"resource", "G.s:R", adding_some<&AccessQuestion::resource, Kind::kResourceCheck>},
    {"subresource", "R.s:R", adding<&AccessQuestion::subresource, Kind::kResourceCheck>},
    {"namespace", "R.s:R", adding<&AccessQuestion::ns, Kind::kResourceCheck>},
    {"name", "R.s:R", adding<&AccessQuestion::name, Kind::kResourceCheck>},
    {"fieldSelector", "R.s:R", adding<&AccessQuestion::field_selector, Kind::kResourceCheck>},
    {"labelSelector", "R.s:R", adding<&AccessQuestion::label_selector, Kind::kResourceCheck>},
    {"check", "P.s:X", check},
    {"check", "R.s:X", check},
    {"allowed", "X.:b", [](Args a, Budget&) { return Value::of(access_of(a[0]).answer.allowed); }},
    {"reason", "X.:s", [](Args a, Budget&) { return Value::text(access_of(a[0]).answer.reason); }},
    {"errored", "X.:b",
     [](Args a, Budget&) { return Value::of(!access_of(a[0]).answer.error.empty()); }},
    {"error", "X.:s", [](Args a, Budget&) { return Value::text(access_of(a[0]).answer.error); }},
};

}  // namespace

std::span<const Overload> authorizer_overloads() { return kAuthorizer; }

Value authorizer_value(const AccessPort& port, AccessQuestion request) {
  Access access;
  access.port = &port;
  access.request = std::move(request);
  return with(Kind::kAuthorizer, std::move(access));
}

Value request_resource(const Value& authorizer) {
  Access access = access_of(authorizer);
  access.question = access.request;
  return with(Kind::kResourceCheck, std::move(access));
}

}  // namespace coracle::api::cel
