#include "kubelet/usage_pages.hpp"

#include <fmt/format.h>

namespace coracle::kubelet {
namespace {

constexpr std::int64_t kInodes = 6'553'600;

// A division is exact where a product with 1e-9 is not: 1.7, not 1.7000000000000002.
double seconds(std::int64_t nanos) { return static_cast<double>(nanos) / 1e9; }

long long milliseconds(WallTime t) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch()).count();
}

// Families in the order a registry prints them: by name.
class Page {
 public:
  explicit Page(const char* stability) : stability_(stability) {}
  void family(const char* name, const char* type, const char* help) {
    name_ = name;
    out_ += fmt::format("# HELP {} {}{}\n# TYPE {} {}\n", name, stability_, help, name, type);
  }
  void sample(const std::string& labels, double value, WallTime at) {
    out_ += fmt::format("{}{} {} {}\n", name_, labels, value, milliseconds(at));
  }
  void sample(const std::string& labels, double value) {
    out_ += fmt::format("{}{} {}\n", name_, labels, value);
  }
  std::string take() { return std::move(out_); }

 private:
  const char* stability_;
  std::string out_, name_;
};
constexpr char kStable[] = "[STABLE] ";

std::string labels_of(const PodUse& pod) {
  return fmt::format("{{namespace=\"{}\",pod=\"{}\"}}", pod.ns, pod.name);
}
std::string labels_of(const PodUse& pod, const ContainerUse& c) {
  return fmt::format("{{container=\"{}\",namespace=\"{}\",pod=\"{}\"}}", c.name, pod.ns, pod.name);
}

json::object cpu(WallTime at, std::int64_t rate, std::int64_t total) {
  return {{"time", format_time(at)}, {"usageNanoCores", rate}, {"usageCoreNanoSeconds", total}};
}

json::object memory(WallTime at, std::int64_t bytes) {
  return {{"time", format_time(at)}, {"usageBytes", bytes}, {"workingSetBytes", bytes},
          {"rssBytes", bytes},       {"pageFaults", 0},     {"majorPageFaults", 0}};
}

// Of the node's one disk.
json::object disk(const NodeUse& node, std::int64_t used) {
  return {{"time", format_time(node.at)},
          {"availableBytes", std::max<std::int64_t>(0, node.disk_capacity - node.disk_bytes)},
          {"capacityBytes", node.disk_capacity},
          {"usedBytes", used},
          {"inodesFree", kInodes},
          {"inodes", kInodes},
          {"inodesUsed", 0}};
}

}  // namespace

std::string resource_metrics_page(const NodeUse& node) {
  Page page(kStable);
  const auto containers = [&](const auto& write) {
    for (const PodUse& pod : node.pods) {
      for (const ContainerUse& c : pod.containers) write(labels_of(pod, c), c);
    }
  };
  page.family("container_cpu_usage_seconds_total", "counter",
              "CPU time a container has used, in core-seconds");
  containers([&](const std::string& l, const ContainerUse& c) {
    page.sample(l, seconds(c.cpu_nanos), node.at);
  });
  page.family("container_memory_working_set_bytes", "gauge", "Working set of a container");
  containers([&](const std::string& l, const ContainerUse& c) {
    page.sample(l, static_cast<double>(c.memory_bytes), node.at);
  });
  page.family("container_start_time_seconds", "gauge",
              "When a container was started, in seconds of Unix time");
  containers([&](const std::string& l, const ContainerUse& c) {
    page.sample(l, seconds(c.started.time_since_epoch().count()));
  });
  page.family("node_cpu_usage_seconds_total", "counter",
              "CPU time the node has used, in core-seconds");
  page.sample("", seconds(node.cpu_nanos), node.at);
  page.family("node_memory_working_set_bytes", "gauge", "Working set of the node");
  page.sample("", static_cast<double>(node.memory_bytes), node.at);
  page.family("pod_cpu_usage_seconds_total", "counter", "CPU time a pod has used, in core-seconds");
  for (const PodUse& pod : node.pods) page.sample(labels_of(pod), seconds(pod.cpu_nanos), node.at);
  page.family("pod_memory_working_set_bytes", "gauge", "Working set of a pod");
  for (const PodUse& pod : node.pods) {
    page.sample(labels_of(pod), static_cast<double>(pod.memory_bytes), node.at);
  }
  page.family("resource_scrape_error", "gauge", "1 if the usage could not be found out, else 0");
  page.sample("", 0);
  return page.take();
}

std::string cadvisor_metrics_page(const NodeUse& node) {
  Page page("");
  const auto family = [&](const char* name, const char* type, const char* help,
                          const char* more_labels, double of_node, const auto& of_container) {
    page.family(name, type, help);
    const std::string root = fmt::format(
        "{{container=\"\",{}id=\"/\",image=\"\",name=\"\",namespace=\"\",pod=\"\"}}", more_labels);
    page.sample(root, of_node, node.at);
    for (const PodUse& pod : node.pods) {
      for (const ContainerUse& c : pod.containers) {
        page.sample(
            fmt::format("{{container=\"{}\",{}id=\"/kubepods/pod{}/{}\",image=\"{}\",name=\"{}\","
                        "namespace=\"{}\",pod=\"{}\"}}",
                        c.name, more_labels, pod.uid, c.name, c.image, c.name, pod.ns, pod.name),
            of_container(c), node.at);
      }
    }
  };
  const auto memory_of = [](const ContainerUse& c) { return static_cast<double>(c.memory_bytes); };
  const double node_memory = static_cast<double>(node.memory_bytes);
  family("container_cpu_usage_seconds_total", "counter", "CPU time that was used, in seconds",
         "cpu=\"total\",", seconds(node.cpu_nanos),
         [](const ContainerUse& c) { return seconds(c.cpu_nanos); });
  family("container_fs_usage_bytes", "gauge", "What is used of the file system", "",
         static_cast<double>(node.disk_bytes),
         [](const ContainerUse& c) { return static_cast<double>(c.disk_bytes); });
  family("container_last_seen", "gauge", "When it was seen last, in seconds of Unix time", "",
         seconds(node.at.time_since_epoch().count()),
         [&](const ContainerUse&) { return seconds(node.at.time_since_epoch().count()); });
  family("container_memory_rss", "gauge", "Resident memory", "", node_memory, memory_of);
  family("container_memory_usage_bytes", "gauge", "Memory in use", "", node_memory, memory_of);
  family("container_memory_working_set_bytes", "gauge", "Working set", "", node_memory, memory_of);
  family("container_start_time_seconds", "gauge", "When it was started, in seconds of Unix time",
         "", seconds(node.started.time_since_epoch().count()),
         [](const ContainerUse& c) { return seconds(c.started.time_since_epoch().count()); });
  page.family("machine_memory_bytes", "gauge", "Memory of the machine");
  page.sample("", static_cast<double>(node.memory_capacity), node.at);
  return page.take();
}

json::value stats_summary(const NodeUse& node, bool only_cpu_and_memory) {
  json::object n;
  n["nodeName"] = node.name;
  n["startTime"] = format_time(node.started);
  n["cpu"] = cpu(node.at, node.cpu_rate_nanos, node.cpu_nanos);
  json::object node_memory = memory(node.at, node.memory_bytes);
  node_memory["availableBytes"] =
      std::max<std::int64_t>(0, node.memory_capacity - node.memory_bytes);
  n["memory"] = std::move(node_memory);
  if (!only_cpu_and_memory) {
    n["fs"] = disk(node, node.disk_bytes);
    n["runtime"] = json::object({{"imageFs", disk(node, NodeMeter::kSystemDisk)}});
  }
  json::array pods;
  for (const PodUse& pod : node.pods) {
    json::object p;
    p["podRef"] = json::object({{"name", pod.name}, {"namespace", pod.ns}, {"uid", pod.uid}});
    p["startTime"] = format_time(pod.started);
    json::array containers;
    for (const ContainerUse& c : pod.containers) {
      json::object o;
      o["name"] = c.name;
      o["startTime"] = format_time(c.started);
      o["cpu"] = cpu(node.at, c.cpu_rate_nanos, c.cpu_nanos);
      o["memory"] = memory(node.at, c.memory_bytes);
      if (!only_cpu_and_memory) o["rootfs"] = disk(node, c.disk_bytes);
      containers.push_back(std::move(o));
    }
    p["containers"] = std::move(containers);
    p["cpu"] = cpu(node.at, pod.cpu_rate_nanos, pod.cpu_nanos);
    p["memory"] = memory(node.at, pod.memory_bytes);
    if (!only_cpu_and_memory) p["ephemeral-storage"] = disk(node, pod.disk_bytes);
    pods.push_back(std::move(p));
  }
  json::object summary;
  summary["node"] = std::move(n);
  summary["pods"] = std::move(pods);
  return json::value(std::move(summary));
}

}  // namespace coracle::kubelet
