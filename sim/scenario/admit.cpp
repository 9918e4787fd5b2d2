#include <fmt/format.h>

#include "api/catalog.hpp"
#include "api/strategy.hpp"
#include "api/validate.hpp"
#include "base/strings.hpp"
#include "scenario/read_parts.hpp"

namespace coracle::sim {

Status admit(json::object& object) {
  json::value value = object;
  const api::ResourceInfo* info = api::Catalog::builtin().find_for(value);
  Status status;
  std::vector<std::string> unknown;
  if (info == nullptr) {
    status =
        invalid_argument(fmt::format("there is no kind \"{}\" in version \"{}\"",
                                     get_string(value, "kind"), get_string(value, "apiVersion")));
  } else {
    status = api::decode_in_place(value, *info->schema, &unknown);
  }
  if (status.ok() && !unknown.empty()) status = invalid_argument(join(unknown, ", "));
  if (status.ok()) {
    if (info->namespaced && get_string(value, "metadata.namespace").empty()) {
      set_path(value, "metadata.namespace", json::value("default"));
    }
    object = value.get_object();  // as a client would send it
    const api::Birth birth{"00000000-0000-0000-0000-000000000000", "2026-01-01T00:00:00Z"};
    api::default_object(*info, api::builtin_hooks(), value);
    api::prepare_create(*info, api::builtin_hooks(), value, birth);
    const api::FieldErrors errors = api::validate_create(*info, api::builtin_hooks(), value);
    if (!errors.empty()) status = invalid_argument(errors.text());
  }
  return status;
}

}  // namespace coracle::sim
