#include "metrics_core/scrape_page.hpp"

#include <cstdlib>

namespace coracle::metrics {
namespace {

struct Sample {
  std::string_view name;
  std::string ns, pod, container;
  double value = 0;
  WallTime at;
};

// The text up to the closing quote, with escapes resolved; moves `rest` behind it.
std::string quoted_value(std::string_view* rest) {
  std::string out;
  while (!rest->empty() && rest->front() != '"') {
    char c = rest->front();
    rest->remove_prefix(1);
    if (c == '\\' && !rest->empty()) {
      c = rest->front() == 'n' ? '\n' : rest->front();
      rest->remove_prefix(1);
    }
    out += c;
  }
  if (!rest->empty()) rest->remove_prefix(1);
  return out;
}

// False: the braces are not closed.
bool read_labels(std::string_view* rest, Sample* sample) {
  while (!rest->empty() && rest->front() != '}') {
    const size_t equals = rest->find("=\"");
    if (equals == std::string_view::npos) return false;
    std::string_view key = rest->substr(0, equals);
    while (!key.empty() && (key.front() == ',' || key.front() == ' ')) key.remove_prefix(1);
    rest->remove_prefix(equals + 2);
    std::string value = quoted_value(rest);
    if (key == "namespace")
      sample->ns = std::move(value);
    else if (key == "pod")
      sample->pod = std::move(value);
    else if (key == "container")
      sample->container = std::move(value);
    if (!rest->empty() && rest->front() == ',') rest->remove_prefix(1);
  }
  if (rest->empty()) return false;
  rest->remove_prefix(1);
  return true;
}

std::optional<Sample> parse_line(std::string_view line, WallTime now) {
  if (line.empty() || line.front() == '#') return std::nullopt;
  Sample sample;
  const size_t end = line.find_first_of("{ ");
  if (end == std::string_view::npos) return std::nullopt;
  sample.name = line.substr(0, end);
  std::string_view rest = line.substr(end);
  if (rest.front() == '{') {
    rest.remove_prefix(1);
    if (!read_labels(&rest, &sample)) return std::nullopt;
  }
  const std::string numbers(rest);
  char* after = nullptr;
  sample.value = std::strtod(numbers.c_str(), &after);
  if (after == numbers.c_str() || !(sample.value >= 0) || sample.value > 9e18) return std::nullopt;
  sample.at = now;
  char* end_of_time = nullptr;
  const long long milliseconds = std::strtoll(after, &end_of_time, 10);
  if (end_of_time != after) sample.at = WallTime(std::chrono::milliseconds(milliseconds));
  return sample;
}

enum Seen { kCpu = 1, kMemory = 2, kBoth = 3 };

struct Draft {
  Point point;
  int seen = 0;
};

std::int64_t nanos(double seconds) { return static_cast<std::int64_t>(seconds * 1e9 + 0.5); }

void take(const Sample& sample, std::string_view kind, Draft* draft) {
  if (kind == "cpu_usage_seconds_total") {
    draft->point.cpu_nanos = nanos(sample.value);
    draft->point.at = sample.at;
    draft->seen |= kCpu;
  } else if (kind == "memory_working_set_bytes") {
    draft->point.memory_bytes = static_cast<std::int64_t>(sample.value);
    draft->seen |= kMemory;
  } else if (kind == "start_time_seconds" && sample.value < 9e9) {
    draft->point.started = WallTime(Duration(nanos(sample.value)));
  }
}

}  // namespace

NodeScrape parse_resource_page(std::string_view page, WallTime now) {
  constexpr std::string_view kNode = "node_", kContainer = "container_";
  Draft node;
  std::map<std::string, std::map<std::string, Draft>> pods;
  while (!page.empty()) {
    const size_t newline = std::min(page.find('\n'), page.size());
    const auto sample = parse_line(page.substr(0, newline), now);
    page.remove_prefix(std::min(newline + 1, page.size()));
    if (!sample) continue;
    if (sample->name.starts_with(kNode)) {
      take(*sample, sample->name.substr(kNode.size()), &node);
    } else if (sample->name.starts_with(kContainer) && !sample->pod.empty()) {
      take(*sample, sample->name.substr(kContainer.size()),
           &pods[sample->ns + "/" + sample->pod][sample->container]);
    }
  }
  NodeScrape scrape;
  if (node.seen == kBoth) scrape.node = node.point;
  for (const auto& [name, containers] : pods) {
    ContainerPoints points;
    for (const auto& [container, draft] : containers) {
      if (draft.seen == kBoth) points[container] = draft.point;
    }
    if (points.size() == containers.size()) scrape.pods[name] = std::move(points);
  }
  return scrape;
}

}  // namespace coracle::metrics
