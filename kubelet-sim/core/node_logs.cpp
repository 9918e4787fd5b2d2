#include "kubelet/node_logs.hpp"

#include <fmt/format.h>

#include <set>

namespace coracle::kubelet {
namespace {

constexpr char kHtml[] = "text/html; charset=utf-8", kText[] = "text/plain; charset=utf-8";

std::string folder_page(const std::set<std::string>& names) {
  std::string page =
      "<!doctype html>\n<meta name=\"viewport\" content=\"width=device-width\">\n<pre>\n";
  for (const std::string& name : names) page += fmt::format("<a href=\"{0}\">{0}</a>\n", name);
  return page + "</pre>\n";
}

// Which of a command's two streams a line came from is not known here.
std::string file_text(const LogBuffer& lines) {
  std::string text;
  for (const LogLine& line : lines) {
    const std::string micro = format_micro_time(line.time);
    text += fmt::format("{}000Z stdout {} {}\n", micro.substr(0, micro.size() - 1),
                        line.whole ? 'F' : 'P', line.text);
  }
  return text;
}

}  // namespace

void add_pod_logs(const json::value& pod, const PodMachine& machine, NodeLogs* logs) {
  const std::string_view ns = get_string(pod, "metadata.namespace");
  const std::string_view name = get_string(pod, "metadata.name");
  for (const char* list : {"status.initContainerStatuses", "status.containerStatuses",
                           "status.ephemeralContainerStatuses"}) {
    for (const json::value& status : get_array(pod, list)) {
      const std::string_view container = get_string(status, "name");
      const ContainerMachine* const c = machine.container(container);
      std::string_view id = get_string(status, "containerID");
      if (c == nullptr || id.empty()) continue;  // it has not run
      if (const size_t scheme = id.find("://"); scheme != std::string_view::npos) {
        id.remove_prefix(scheme + 3);
      }
      const std::string folder =
          fmt::format("pods/{}_{}_{}/{}/", ns, name, get_string(pod, "metadata.uid"), container);
      const std::int64_t run = get_int(status, "restartCount");
      (*logs)[fmt::format("{}{}.log", folder, run)] = &c->logs(false);
      (*logs)[fmt::format("containers/{}_{}_{}-{}.log", name, ns, container, id)] = &c->logs(false);
      if (run > 0 && c->has_previous()) {
        (*logs)[fmt::format("{}{}.log", folder, run - 1)] = &c->logs(true);
      }
    }
  }
}

LogPage log_page(const NodeLogs& logs, std::string_view path) {
  if (const auto file = logs.find(std::string(path)); file != logs.end()) {
    return {200, kText, file_text(*file->second)};
  }
  const bool folder = path.empty() || path.ends_with('/');
  const std::string start = folder ? std::string(path) : fmt::format("{}/", path);
  std::set<std::string> names;
  for (auto at = logs.lower_bound(start); at != logs.end() && at->first.starts_with(start); ++at) {
    const std::string rest = at->first.substr(start.size());
    const size_t slash = rest.find('/');
    names.insert(slash == std::string::npos ? rest : rest.substr(0, slash + 1));
  }
  if (path.empty()) names.insert({"containers/", "pods/"});  // they are there before any file
  const bool empty = names.empty() && (start == "containers/" || start == "pods/");
  if (names.empty() && !empty) return {404, kText, "404 page not found\n"};
  if (!folder) return {301, kText, start.substr(start.rfind('/', start.size() - 2) + 1)};
  return {200, kHtml, folder_page(names)};
}

}  // namespace coracle::kubelet
