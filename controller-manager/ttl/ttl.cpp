#include "ttl/ttl.hpp"

#include "api/object.hpp"
#include "base/strings.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers {
namespace {

constexpr char kAnnotation[] = "node.alpha.kubernetes.io/ttl";

struct Step {
  std::size_t from, to;
  std::int64_t seconds;
};
constexpr Step kSteps[] = {
    {0, 100, 0}, {90, 500, 15}, {450, 1000, 30}, {900, 2000, 60}, {1800, 1'000'000'000, 300}};

}  // namespace

std::int64_t ttl_seconds(std::size_t nodes, std::int64_t current) {
  for (const Step& step : kSteps) {
    if (step.seconds == current && nodes >= step.from && nodes <= step.to) return current;
  }
  for (const Step& step : kSteps) {
    if (nodes <= step.to) return step.seconds;
  }
  return 300;
}

void TtlController::touched(const World&, const client::Gvr&, const json::value*,
                            const json::value* after, const Enqueue& enqueue) const {
  if (after != nullptr) enqueue(client::object_key(*after));
}

Plan TtlController::reconcile(const World& world, const std::string& key, Instant) const {
  Plan plan;
  const ObjectPtr node = world.get(gvr::kNodes, "", key);
  if (node == nullptr || is_deleting(*node)) return plan;
  long long current = -1;
  if (!parse_int(api::annotation_of(*node, kAnnotation), &current)) current = -1;
  const std::int64_t wanted = ttl_seconds(world.of(gvr::kNodes).size(), current);
  if (wanted == current) return plan;
  json::value patch = json::object();
  make_object(patch, "metadata.annotations")[kAnnotation] = std::to_string(wanted);
  plan.patch(gvr::kNodes, *node, std::move(patch));
  return plan;
}

}  // namespace coracle::controllers
