// The folder of a node's logs (/var/log), as a kubelet shows it under /logs/: a page for each
// folder in the words of Go's file server, files in the CRI's format. Pure.
//
//   containers/POD_NAMESPACE_CONTAINER-ID.log   pods/NAMESPACE_POD_UID/CONTAINER/RESTARTS.log
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "kubelet/pod_machine.hpp"

namespace coracle::kubelet {

using NodeLogs = std::map<std::string, const LogBuffer*>;  // by the path in the folder

// Adds the files of a pod; what it points to is the machine's.
void add_pod_logs(const json::value& pod, const PodMachine& machine, NodeLogs* logs);

struct LogPage {
  int status = 200;  // 301: the body is where to; 404: there is no such file
  std::string type, body;
};
// `path`: what follows /logs/.
LogPage log_page(const NodeLogs& logs, std::string_view path);

}  // namespace coracle::kubelet
