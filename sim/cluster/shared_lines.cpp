#include "cluster_sim/shared_lines.hpp"

namespace coracle::cluster_sim {
namespace {

void drop_managed_fields(json::value& event) {
  json::object* at = event.if_object();
  for (const char* name : {"object", "metadata"}) {
    json::value* member = at == nullptr ? nullptr : find_member(*at, name);
    at = member == nullptr ? nullptr : member->if_object();
  }
  if (at != nullptr) erase_key(*at, "managedFields");
}

}  // namespace

SharedLines::Tree SharedLines::event(std::string_view line) {
  if (const auto known = by_text_.find(line); known != by_text_.end()) return known->second->tree;
  ++parsed_;
  auto parsed = parse_json(line);
  if (!parsed.ok()) return nullptr;
  drop_managed_fields(*parsed);
  Tree tree = std::make_shared<const json::value>(*std::move(parsed));
  lines_.push_back({std::string(line), tree});
  by_text_.emplace(lines_.back().text, std::prev(lines_.end()));
  bytes_ += line.size();
  while (bytes_ > kBytesMax) {
    bytes_ -= lines_.front().text.size();
    by_text_.erase(lines_.front().text);
    lines_.pop_front();
  }
  return tree;
}

}  // namespace coracle::cluster_sim
