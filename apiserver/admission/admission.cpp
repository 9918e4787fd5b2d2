#include "apiserver/admission/admission.hpp"

#include "api/cel/cel.hpp"

namespace coracle::apiserver {

Admission::Admission(Machinery& machinery) : m_(machinery) {}
Admission::~Admission() = default;

Outcome<Done> Admission::check(Admitted& a, const json::value* object, const json::value* old) {
  for (const Plugin& plugin : admission_plugins()) {
    if (plugin.check == nullptr) continue;
    Outcome<Done> answer = plugin.check(a, object, old);
    if (!answer.ok()) return answer;
  }
  return Done{};
}

Task<Outcome<Done>> Admission::admit_create(Context& c, json::value& object) {
  Admitted a{m_, c, state_, "CREATE"};
  for (const Plugin& plugin : admission_plugins()) {
    if (plugin.fill == nullptr) continue;
    const Outcome<Done> answer = co_await plugin.fill(a, object);
    if (!answer.ok()) co_return answer;
  }
  co_return check(a, &object, nullptr);
}

Outcome<Done> Admission::admit_update(Context& c, const json::value& object,
                                      const json::value& old) {
  Admitted a{m_, c, state_, "UPDATE"};
  return check(a, &object, &old);
}

Outcome<Done> Admission::admit_delete(Context& c, const json::value& old) {
  Admitted a{m_, c, state_, "DELETE"};
  return check(a, nullptr, &old);
}

}  // namespace coracle::apiserver
