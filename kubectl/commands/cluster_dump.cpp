// cluster-info dump: what there is, as lists, and what containers said.
#include <filesystem>
#include <fstream>
#include <ostream>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "kubectl/output.hpp"

namespace coracle::kubectl {
namespace {

namespace fs = std::filesystem;
using text::FlagType;

struct Part {
  const char* resource;
  const char* file;
};

constexpr Part kParts[] = {{"events", "events"},
                           {"replicationcontrollers", "replication-controllers"},
                           {"services", "services"},
                           {"daemonsets.apps", "daemonsets"},
                           {"deployments.apps", "deployments"},
                           {"replicasets.apps", "replicasets"},
                           {"pods", "pods"}};

class Dump {
 public:
  explicit Dump(Invocation& call)
      : call_(call), session_(call.session), folder_(call.flags.get("output-directory")) {}

  Status run() {
    ASSIGN_OR_RETURN(OutputFormat format, output_format(call_.flags));
    if (!call_.flags.has("output")) format.name = "json";
    extension_ = format.name == "yaml" ? ".yaml" : format.name == "json" ? ".json" : ".txt";
    ASSIGN_OR_RETURN(printer_, make_printer(format));
    RETURN_IF_ERROR(list("nodes", "", "nodes").status());
    ASSIGN_OR_RETURN(const auto namespaces, wanted());
    for (const std::string& ns : namespaces) RETURN_IF_ERROR(dump_namespace(ns));
    if (to_folder()) session_.io.out << "Cluster info dumped to " << folder_ << "\n";
    return {};
  }

 private:
  bool to_folder() const { return !folder_.empty() && folder_ != "-"; }

  Result<std::vector<std::string>> wanted() {
    if (!call_.flags.is_set("all-namespaces")) {
      std::vector<std::string> out = call_.flags.list("namespaces");
      if (out.empty()) out = {"kube-system", session_.namespace_name()};
      return out;
    }
    ASSIGN_OR_RETURN(const Resource* resource, session_.resource("namespaces"));
    TRY_SERVER(const json::value found, session_.list(*resource, ""));
    std::vector<std::string> out;
    for (const json::value& item : get_array(found, "items")) out.emplace_back(api::name_of(item));
    return out;
  }

  // Standard output, or a file of the folder.
  Status write(const std::string& name, const std::string& text) {
    if (!to_folder()) {
      session_.io.out << text;
      return {};
    }
    const fs::path path = fs::path(folder_) / name;
    std::error_code ignored;
    fs::create_directories(path.parent_path(), ignored);
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.flush();
    return file ? Status() : fail("open " + path.string() + ": cannot be written");
  }

  Result<json::value> list(const std::string& type, const std::string& ns,
                           const std::string& file) {
    ASSIGN_OR_RETURN(const Resource* resource, session_.resource(type));
    TRY_SERVER(json::value found, session_.list(*resource, ns));
    ASSIGN_OR_RETURN(const std::string text, printer_->print(without_managed_fields(found)));
    const std::string folder = ns.empty() ? "" : ns + "/";
    RETURN_IF_ERROR(write(folder + file + extension_, text));
    return found;
  }

  Status dump_namespace(const std::string& ns) {
    json::value pods;
    for (const Part& part : kParts) {
      ASSIGN_OR_RETURN(pods, list(part.resource, ns, part.file));
    }
    for (const json::value& pod : get_array(pods, "items")) RETURN_IF_ERROR(logs(ns, pod));
    return {};
  }

  // A container that has no logs is said to have none; the dump goes on.
  Status logs(const std::string& ns, const json::value& pod) {
    const std::string name(api::name_of(pod));
    ASSIGN_OR_RETURN(const Resource* pods, session_.resource("pods"));
    std::string text;
    for (const char* containers : {"spec.initContainers", "spec.containers"}) {
      for (const json::value& container : get_array(pod, containers)) {
        const std::string one(get_string(container, "name"));
        const std::string where =
            " logs for container " + one + " of pod " + ns + "/" + name + " ====\n";
        text += "==== START" + where;
        const client::QueryList query = {{"container", one}};
        auto answer = session_.call(
            {.method = "GET", .target = pods->path(ns, name, "log") + client::encode_query(query)});
        text += answer.ok() ? answer.value().body
                            : "Request log error: " + answer.error().message + "\n";
        text += "==== END" + where;
      }
    }
    return write(ns + "/" + name + "/logs.txt", text);
  }

  Invocation& call_;
  Session& session_;
  const std::string folder_;
  std::string extension_;
  std::unique_ptr<ObjectPrinter> printer_;
};

}  // namespace

Command cluster_dump_command() {
  Command command{.name = "cluster-info dump",
                  .usage = "[--output-directory=DIR]",
                  .summary = "Print what is needed to find out what is wrong with a cluster",
                  .examples =
                      "  kubectl cluster-info dump\n"
                      "  kubectl cluster-info dump --all-namespaces --output-directory=state\n"};
  command.flags = output_flags();
  command.flags.push_back({"output-directory", 0, FlagType::kString, "",
                           "Where files go; else (or with -) all is printed"});
  command.flags.push_back(
      {"namespaces", 0, FlagType::kList, "", "Which; else the current one and kube-system"});
  command.flags.push_back({"all-namespaces", 'A', FlagType::kBool, "false", "All of them"});
  command.run = [](Invocation& call) { return Dump(call).run(); };
  return command;
}

}  // namespace coracle::kubectl
