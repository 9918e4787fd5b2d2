// A CustomResourceDefinition, then an object of it: what passes the checks can be served, and its
// objects can be pruned, filled and checked; each step done twice changes nothing.
#include "api/custom_kind.hpp"
#include "api/hooks/custom_rules.hpp"
#include "api/table.hpp"
#include "input.hpp"
#include "machinery.hpp"

namespace {

using namespace coracle;

const api::ResourceInfo& definitions() {
  return *api::Catalog::builtin().find("apiextensions.k8s.io", "v1", "customresourcedefinitions");
}

// `text` is a whole definition, or only its schema.
Result<json::value> definition(std::string_view text, bool whole) {
  ASSIGN_OR_RETURN(json::value tree, parse_json(text));
  if (whole) return tree;
  json::value out = *parse_json(R"({"metadata":{"name":"boats.x.org"},"spec":{"group":"x.org",
    "scope":"Namespaced","names":{"plural":"boats","singular":"boat","kind":"Boat"},"versions":[
    {"name":"v1","served":true,"storage":true,"subresources":{"status":{}},
     "additionalPrinterColumns":[{"name":"A","type":"integer","jsonPath":".spec.a"},
       {"name":"B","type":"date","jsonPath":".spec.b"}]}]}})");
  set_path(out.at("spec").at("versions").as_array()[0], "schema.openAPIV3Schema", std::move(tree));
  return out;
}

void serve(const api::CustomKind& kind, const json::value& given) {
  const api::ResourceInfo& info = kind.storage();
  json::value object = given;
  object.as_object()["kind"] = info.kind;
  object.as_object()["apiVersion"] = info.api_version;
  std::vector<std::string> unknown;
  if (!api::decode_in_place(object, *info.schema, &unknown).ok()) return;
  info.custom->prune(object, &unknown);
  info.custom->set_defaults(object);
  json::value again = object;
  info.custom->prune(again, nullptr);
  info.custom->set_defaults(again);
  CHECK_MSG(again == object, to_json(object) << " becomes " << to_json(again));
  const api::HookTable& hooks = api::builtin_hooks();
  api::prepare_create(info, hooks, object);
  const api::FieldErrors errors = api::validate_create(info, hooks, object);
  for (const api::FieldError& error : errors.list()) CHECK(!error.text().empty());
  api::table_row(info, hooks, object, WallTime(), {});
  api::validate_update(info, hooks, api::WriteTarget::kObject, object, object);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const bool whole = input.byte() % 2 == 1;
  const auto object = parse_json(input.counted());
  auto made = definition(input.rest(), whole);
  if (!made.ok() || !made->is_object()) return 0;
  const api::HookTable& hooks = api::builtin_hooks();
  made->as_object()["kind"] = "CustomResourceDefinition";
  made->as_object()["apiVersion"] = "apiextensions.k8s.io/v1";
  if (!api::decode_in_place(*made, *definitions().schema, nullptr).ok()) return 0;
  api::default_object(definitions(), hooks, *made);
  api::prepare_create(definitions(), hooks, *made);
  if (!api::validate_create(definitions(), hooks, *made).empty()) return 0;
  *made = api::settled_definition(*made, {}, "2026-01-01T00:00:00Z");
  const auto kind =
      api::CustomKind::compile(*made, api::Catalog::builtin().schemas(), api::check_custom_rules);
  if (!kind.ok()) {
    CHECK(!kind.status().message().empty());
    return 0;
  }
  if (object.ok() && object->is_object()) serve(**kind, *object);
  return 0;
}
