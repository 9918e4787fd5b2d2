// edit, diff: programs of the user's run over files of ours.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ostream>

#include "api/catalog.hpp"
#include "api/object.hpp"
#include "api/patch.hpp"
#include "base/strings.hpp"
#include "base/yaml.hpp"
#include "commands/commands.hpp"
#include "commands/editing.hpp"
#include "commands/last_applied.hpp"
#include "kubectl/output.hpp"
#include "kubectl/target.hpp"
#include "kubectl/write.hpp"

namespace coracle::kubectl {
namespace {

namespace fs = std::filesystem;
using text::FlagType;

constexpr const char* kHeader =
    "# Edit the object below. Lines that begin with '#' are ignored, and an empty file\n"
    "# ends the edit. If saving fails, the file is opened again with the failure.\n#\n";

// A directory of ours that goes away with it.
class TempDir {
 public:
  TempDir() {
    std::string name = (fs::temp_directory_path() / "kubectl-XXXXXX").string();
    if (::mkdtemp(name.data())) path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  bool ok() const { return !path_.empty(); }

 private:
  std::string path_;
};

std::string shell_quoted(const std::string& text) {
  return "'" + replace_all(text, "'", "'\\''") + "'";
}

int run_shell(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

Status write_file(const std::string& path, const std::string& text) {
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.flush();
  return file ? Status() : fail("cannot write " + path);
}

std::string editor() {
  for (const char* name : {"KUBE_EDITOR", "EDITOR"}) {
    const char* value = std::getenv(name);
    if (value && *value) return value;
  }
  return "vi";
}

Status edit_one(Invocation& call, WriteReport& report, Target& target) {
  const json::value original = without_managed_fields(target.object);
  ASSIGN_OR_RETURN(const auto edited, edit_object(original));
  if (!edited) {
    call.session.io.out << "Edit cancelled, no changes made.\n";
    return {};
  }
  const api::ResourceInfo* info = api::Catalog::builtin().find_for(original);
  const api::Schema* schema = info ? info->schema : nullptr;
  auto patch = api::create_two_way_merge_patch(original, *edited, schema);
  if (!patch.ok()) return fail(patch.status().message());
  if (call.flags.is_set("output-patch")) {
    call.session.io.out << "Patch: " << to_json(sorted_keys(*patch)) << "\n";
  }
  report.record(*patch);
  auto answer = call.session.patch(
      target.resource, target.ns, target.name,
      schema ? client::PatchType::kStrategic : client::PatchType::kMerge, *patch, report.query());
  if (!answer.ok()) return server_failure(answer.error());
  return report.print(answer.value(), "edited");
}

Status run_edit(Invocation& call) {
  if (call.args.empty() && !has_files(call.flags)) {
    return fail("must specify one of -f and -k, or the resource to edit");
  }
  ASSIGN_OR_RETURN(WriteReport report, WriteReport::make(call));
  TargetOptions options = target_options(call.flags, call.args);
  options.need_names = false;
  ASSIGN_OR_RETURN(const auto targets, find_each_target(call.session, options));
  return visit_objects(call.session, targets, options,
                       [&](Target& target) { return edit_one(call, report, target); });
}

// What the server would make of the file's object; and what is there now (null: nothing).
struct DiffPair {
  json::value live, merged;
};

// How often the object may change under our hands before we compare without the check.
constexpr int kDiffTries = 4;

// What controllers write to the object between our look and the server's dry run is no doing of the
// file's. So the dry run asks for the version we saw, and we look again where it is gone; the last
// time we take what comes, as kubectl does.
Result<DiffPair> diff_pair(Invocation& call, const Target& target) {
  const client::QueryList query = {{"dryRun", "All"},
                                   {"fieldManager", "kubectl-client-side-apply"},
                                   {"fieldValidation", "Strict"}};
  for (int tries = 1;; ++tries) {
    DiffPair out;
    auto live = call.session.get(target.resource, target.ns, target.name);
    if (!live.ok()) {
      if (!live.error().is_not_found()) return server_failure(live.error());
      json::value wanted = target.object;
      set_last_applied(wanted);
      TRY_SERVER(out.merged, call.session.create(target.resource, target.ns, wanted, query));
      return out;
    }
    out.live = std::move(live.value());
    ASSIGN_OR_RETURN(ApplyPatch plan, plan_apply(target.object, out.live));
    if (tries < kDiffTries) {
      set_path(plan.patch, "metadata.resourceVersion",
               json::value(get_string(out.live, "metadata.resourceVersion")));
    }
    auto merged =
        call.session.patch(target.resource, target.ns, target.name, plan.type, plan.patch, query);
    if (merged.ok()) {
      out.merged = std::move(merged.value());
      return out;
    }
    if (tries == kDiffTries || !merged.error().is_conflict()) {
      return server_failure(merged.error());
    }
  }
}

std::string diff_text(json::value object) {
  if (object.is_null()) return {};
  if (json::object* root = object.if_object(); root && root->contains("metadata")) {
    api::remove_annotation(object, kLastApplied);
  }
  return to_yaml(sorted_keys(without_managed_fields(std::move(object))));
}

std::string file_name(const Target& target) {
  return replace_all(target.resource.api_version(), "/", ".") + "." + target.resource.kind + "." +
         target.ns + "." + target.name;
}

Status run_diff(Invocation& call) {
  call.session.failure_code = 2;  // 1 says that there are differences
  if (!has_files(call.flags)) return fail("must specify one of -f and -k");
  ASSIGN_OR_RETURN(const auto targets, file_targets(call.session, file_options(call.flags)));
  TempDir dir;
  if (!dir.ok()) return fail("cannot make a temporary directory");
  std::error_code ignored;
  fs::create_directories(dir.file("LIVE"), ignored);
  fs::create_directories(dir.file("MERGED"), ignored);
  for (const Target& target : targets) {
    ASSIGN_OR_RETURN(DiffPair pair, diff_pair(call, target));
    RETURN_IF_ERROR(write_file(dir.file("LIVE/" + file_name(target)), diff_text(pair.live)));
    RETURN_IF_ERROR(write_file(dir.file("MERGED/" + file_name(target)), diff_text(pair.merged)));
  }
  const char* external = std::getenv("KUBECTL_EXTERNAL_DIFF");
  const std::string program = external && *external ? external : "diff -u -N";
  call.session.io.out.flush();
  const int code = run_shell(program + " " + shell_quoted(dir.file("LIVE")) + " " +
                             shell_quoted(dir.file("MERGED")));
  if (code == 0) return {};
  call.session.failure_code = code;
  return silent_failure();
}

}  // namespace

Result<std::optional<json::value>> edit_object(const json::value& original) {
  TempDir dir;
  if (!dir.ok()) return fail("cannot make a temporary directory");
  const std::string path = dir.file("edit.yaml");
  RETURN_IF_ERROR(write_file(path, kHeader + to_yaml(sorted_keys(original))));
  if (run_shell(editor() + " " + shell_quoted(path)) != 0) {
    return fail("there was a problem with the editor " + coracle::quoted(editor()));
  }
  ASSIGN_OR_RETURN(const std::string text, read_file(path));
  auto edited = parse_yaml(text);
  if (!edited.ok()) return fail("the edited file is invalid: " + edited.status().message());
  if (edited->empty() || edited->front().value == original) return std::optional<json::value>();
  return std::optional<json::value>(std::move(edited->front().value));
}

Command edit_command() {
  Command command{.name = "edit",
                  .usage = "(TYPE/NAME | TYPE NAME | -f FILE)",
                  .summary = "Change a resource in your editor ($KUBE_EDITOR, $EDITOR, vi)",
                  .examples = "  kubectl edit deployment/web\n",
                  .flags = file_flags() + selector_flags() + write_flags("kubectl-edit"),
                  .run = run_edit};
  command.flags.push_back({"output-patch", 0, FlagType::kBool, "false", "Print what was sent"});
  command.flags.push_back(record_flag());
  return command;
}

Command diff_command() {
  Command command{.name = "diff",
                  .usage = "-f FILENAME",
                  .summary = "Show what apply would change; exit 1 if anything",
                  .examples = "  kubectl diff -f web.yaml\n",
                  .flags = file_flags(),
                  .run = run_diff};
  command.flags.push_back({"selector", 'l', FlagType::kString, "", "Only these objects"});
  command.flags.push_back({"server-side", 0, FlagType::kBool, "false", "Accepted, not used"});
  return command;
}

}  // namespace coracle::kubectl
