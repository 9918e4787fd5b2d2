// Patches of every kind onto an object: JSON patch, merge patch, strategic merge, apply. What comes
// of one decodes or is refused; merge patches and applies do nothing the second time; the patch
// that is made between two objects makes the one of the other.
#include "api/patch.hpp"
#include "apiserver/registry/field_manager.hpp"
#include "apiserver/registry/managed_fields.hpp"
#include "input.hpp"
#include "machinery.hpp"

namespace {

using namespace coracle;

json::value example(const fuzz::Kind& kind) {
  return fuzz::complete(fuzz::info_of(kind), *parse_json(kind.example));
}

// Two ways back to an object that was patched into another.
void make_patches(const json::value& from, const json::value& to, const api::Schema& schema) {
  const json::value merge = api::create_json_merge_patch(from, to);
  CHECK_MSG(api::apply_merge_patch(from, merge) == to, to_json(merge));
  const auto strategic = api::create_two_way_merge_patch(from, to, &schema);
  if (!strategic.ok()) return;  // lists without their keys
  const auto made = api::apply_strategic_patch(from, *strategic, &schema);
  CHECK_MSG(made.ok(), to_json(*strategic) << made.status().message());
  const auto three = api::create_three_way_merge_patch(from, to, from, &schema);
  CHECK(three.ok());
}

void patch(std::uint8_t way, const fuzz::Kind& kind, const json::value& document) {
  const api::ResourceInfo& info = fuzz::info_of(kind);
  const json::value current = example(kind);
  Result<json::value> patched = current;
  if (way == 0) {
    patched = api::apply_json_patch(current, document);
  } else if (way == 1) {
    patched = api::apply_merge_patch(current, document);
    CHECK(api::apply_merge_patch(*patched, document) == *patched);
  } else {
    patched = api::apply_strategic_patch(current, document, info.schema);
  }
  if (!patched.ok()) {
    CHECK(!patched.status().message().empty());
    return;
  }
  if (!patched->is_object()) return;
  json::value next = *patched;
  if (!api::decode_in_place(next, *info.schema, nullptr).ok()) return;
  const api::HookTable& hooks = api::builtin_hooks();
  api::default_object(info, hooks, next);
  make_patches(current, next, *info.schema);
  api::prepare_update(info, hooks, api::WriteTarget::kObject, next, current);
  api::validate_update(info, hooks, api::WriteTarget::kObject, next, current);
}

void apply(const fuzz::Kind& kind, const json::value& document, std::string_view manager) {
  const api::ResourceInfo& info = fuzz::info_of(kind);
  apiserver::FieldWriter writer{api::Catalog::builtin(), info, info, "first", "", "t"};
  json::value current = example(kind);
  apiserver::track_update(writer, nullptr, current);
  writer.manager = manager;
  apiserver::ApplyRequest request{document, true, "ns", "x"};
  const auto once = apiserver::apply_configuration(writer, &current, request);
  if (!once.ok()) {
    CHECK(!once.error().message().empty());
    return;
  }
  CHECK(apiserver::parse_owners(*once).has_value());
  const auto twice = apiserver::apply_configuration(writer, &*once, request);
  CHECK_MSG(twice.ok(), to_json(document) << " cannot be applied twice");
  CHECK_MSG(*twice == *once, to_json(*once) << " becomes " << to_json(*twice));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::uint8_t way = input.byte();
  const fuzz::Kind& kind = fuzz::kKinds[way / 4 % fuzz::kKinds.size()];
  const auto document = parse_json(input.rest());
  if (!document.ok()) return 0;
  if (way % 4 == 3) {
    if (document->is_object()) apply(kind, *document, "second");
  } else if (way % 4 == 0 ? document->is_array() : document->is_object()) {
    patch(way % 4, kind, *document);
  }
  return 0;
}
