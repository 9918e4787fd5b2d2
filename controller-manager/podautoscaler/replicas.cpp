#include "podautoscaler/replicas.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "api/object.hpp"
#include "api/quantity.hpp"
#include "controllers/pods.hpp"

namespace coracle::controllers::autoscaler {
namespace {

constexpr Duration kCpuInitialization = std::chrono::minutes(5);
constexpr Duration kInitialReadiness = std::chrono::seconds(30);
constexpr char kNothing[] = "did not receive metrics for targeted pods (pods might be unready)";

struct Groups {
  std::int64_t ready = 0;
  std::set<std::string> unready, missing, ignored;
};

// A young pod's work of starting says nothing about its load.
bool is_too_young(const json::value& pod, const Sample& sample, WallTime now) {
  const json::value* ready = condition(pod, "Ready");
  const auto started = time_at(pod, "status.startTime");
  const auto since = condition_since(pod, "Ready");
  if (ready == nullptr || !started || !since) return true;
  const bool not_ready = get_string(*ready, "status") == "False";
  if (*started + kCpuInitialization > now) return not_ready || sample.at < *since + sample.window;
  return not_ready && *started + kInitialReadiness > *since;
}

Groups group(const Question& question, const Samples& samples) {
  Groups groups;
  for (const client::ObjectPtr& pod : question.pods) {
    const std::string name(api::name_of(*pod));
    const auto sample = samples.find(name);
    if (is_deleting(*pod) || phase_of(*pod) == "Failed") {
      groups.ignored.insert(name);
    } else if (phase_of(*pod) == "Pending") {
      groups.unready.insert(name);
    } else if (sample == samples.end()) {
      groups.missing.insert(name);
    } else if (question.resource == "cpu" && is_too_young(*pod, sample->second, question.now)) {
      groups.unready.insert(name);
    } else {
      ++groups.ready;
    }
  }
  return groups;
}

Result<std::map<std::string, std::int64_t>> requests_of(const Question& question,
                                                        std::string_view container) {
  std::map<std::string, std::int64_t> requests;
  for (const client::ObjectPtr& pod : question.pods) {
    std::int64_t sum = 0;
    for (const json::value& c : get_array(*pod, "spec.containers")) {
      if (!container.empty() && get_string(c, "name") != container) continue;
      const auto text = get_string(get_object(c, "resources.requests"), question.resource);
      const auto quantity = api::Quantity::parse(text);
      if (text.empty() || !quantity.ok()) {
        return invalid_argument(fmt::format("missing request for {} in container {} of Pod {}",
                                            question.resource, get_string(c, "name"),
                                            api::name_of(*pod)));
      }
      sum += quantity->milli_value();
    }
    requests[std::string(api::name_of(*pod))] = sum;
  }
  return requests;
}

// What one measure of the samples says: the ratio of usage and target, and what is shown of it.
struct Measure {
  double ratio = 1;
  std::int64_t utilization = 0, average = 0;
};
using Measuring = std::function<Measure(const Samples&)>;

std::int64_t rounded_up(double n) { return static_cast<std::int64_t>(std::ceil(n)); }

// `filler`: what a pod without a sample is taken to use when fewer replicas are at stake.
Result<Answer> answer(const Question& question, Samples samples, const Measuring& measuring,
                      const std::function<std::int64_t(const std::string&)>& filler) {
  const Groups groups = group(question, samples);
  for (const auto* away : {&groups.ignored, &groups.unready}) {
    for (const std::string& name : *away) samples.erase(name);
  }
  if (samples.empty()) return invalid_argument(kNothing);
  const Measure measure = measuring(samples);
  const Answer same{question.current, measure.utilization, measure.average};
  const auto so_many = [&](std::int64_t replicas) {
    return Answer{replicas, measure.utilization, measure.average};
  };
  const bool unready_counts = !groups.unready.empty() && measure.ratio > 1;
  if (!unready_counts && groups.missing.empty()) {
    if (question.tolerance.holds(measure.ratio)) return same;
    return so_many(rounded_up(measure.ratio * static_cast<double>(groups.ready)));
  }
  // Those we know nothing of are taken to be such that less happens.
  for (const std::string& name : groups.missing) {
    if (measure.ratio < 1) samples[name].value = filler(name);
    if (measure.ratio > 1) samples[name].value = 0;
  }
  if (unready_counts) {
    for (const std::string& name : groups.unready) samples[name].value = 0;
  }
  const double ratio = measuring(samples).ratio;
  const bool turned = (measure.ratio < 1 && ratio > 1) || (measure.ratio > 1 && ratio < 1);
  if (question.tolerance.holds(ratio) || turned) return same;
  const std::int64_t replicas = rounded_up(ratio * static_cast<double>(samples.size()));
  const bool backwards =
      (ratio < 1 && replicas > question.current) || (ratio > 1 && replicas < question.current);
  return backwards ? same : so_many(replicas);
}

}  // namespace

Result<Answer> by_utilization(const Question& question, Samples samples, std::string_view container,
                              std::int64_t target_percent) {
  ASSIGN_OR_RETURN(const auto requests, requests_of(question, container));
  const auto measuring = [&](const Samples& known) {
    std::int64_t usage = 0, requested = 0;
    for (const auto& [name, sample] : known) {
      const auto request = requests.find(name);
      if (request == requests.end()) continue;
      usage += sample.value;
      requested += request->second;
    }
    if (requested == 0) return Measure{};
    const std::int64_t percent = usage * 100 / requested;
    return Measure{static_cast<double>(percent) / static_cast<double>(target_percent), percent,
                   usage / static_cast<std::int64_t>(known.size())};
  };
  // Samples of pods that are not selected any more count for nothing.
  std::erase_if(samples, [&](const auto& sample) { return !requests.contains(sample.first); });
  return answer(question, std::move(samples), measuring, [&](const std::string& name) {
    return requests.at(name) * std::max<std::int64_t>(100, target_percent) / 100;
  });
}

Result<Answer> by_average(const Question& question, Samples samples, std::int64_t target) {
  const auto measuring = [&](const Samples& known) {
    std::int64_t usage = 0;
    for (const auto& [name, sample] : known) usage += sample.value;
    const std::int64_t average = usage / static_cast<std::int64_t>(known.size());
    return Measure{static_cast<double>(average) / static_cast<double>(target), 0, average};
  };
  std::set<std::string> selected;
  for (const client::ObjectPtr& pod : question.pods) selected.emplace(api::name_of(*pod));
  std::erase_if(samples, [&](const auto& sample) { return !selected.contains(sample.first); });
  return answer(question, std::move(samples), measuring,
                [&](const std::string&) { return target; });
}

}  // namespace coracle::controllers::autoscaler
