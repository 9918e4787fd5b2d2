#include "controllers/world.hpp"

#include "controllers/controller.hpp"

namespace coracle::controllers {

client::ObjectCache& FixedWorld::at(const client::Gvr& gvr) {
  auto& slot = caches_[gvr.root() + "/" + gvr.plural];
  if (!slot) {
    slot = std::make_unique<client::ObjectCache>();
    add_common_indexes(gvr, [&](const std::string& name, client::IndexFunction function) {
      slot->add_index(name, std::move(function));
    });
  }
  return *slot;
}

void FixedWorld::put(const client::Gvr& gvr, const json::value& object) {
  at(gvr).put(client::object_key(object), std::make_shared<const json::value>(object));
}

}  // namespace coracle::controllers
