#include "commands/metadata_edit.hpp"

#include <algorithm>
#include <ostream>

#include "api/object.hpp"
#include "api/patch.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "kubectl/target.hpp"
#include "kubectl/write.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

constexpr MetadataWords kLabels = {"labels", "label", "labeled", "unlabeled", "kubectl-label"};
constexpr MetadataWords kAnnotations = {"annotations", "annotation", "annotated", nullptr,
                                        "kubectl-annotate"};

bool is_change(const std::string& word) {
  return word.find('=') != word.npos || (word.size() > 1 && word.back() == '-');
}

std::string clash(const std::string& key, const json::value& old) {
  return "'" + key + "' already has a value (" + std::string(old.as_string()) + ")";
}

Status check_label_overwrite(const json::object& have, const MetadataChange& change) {
  std::vector<std::string> clashes;
  for (const auto& [key, value] : change.set) {
    const json::value* old = have.if_contains(key);
    if (!old || !old->is_string() || old->as_string() == std::string_view(value)) continue;
    clashes.push_back(clash(key, *old) + ", and --overwrite is false");
  }
  if (clashes.empty()) return {};
  return fail(join(clashes, "\n"));
}

// Also the same value is a clash; the cause of a change may always be said anew.
Status check_annotation_overwrite(const json::object& have, const MetadataChange& change) {
  std::vector<std::string> clashes;
  for (const auto& [key, value] : change.set) {
    const json::value* old = have.if_contains(key);
    if (!old || !old->is_string() || key == "kubernetes.io/change-cause") continue;
    clashes.push_back(clash(key, *old));
  }
  if (clashes.empty()) return {};
  return fail("--overwrite is false but found the following declared annotation(s): " +
              join(clashes, "; "));
}

class MetadataEdit {
 public:
  MetadataEdit(Invocation& call, const MetadataWords& words) : call_(call), words_(words) {}

  Status run() {
    ASSIGN_OR_RETURN(report_, WriteReport::make(call_));
    if (call_.flags.is_set("list")) return list();
    std::vector<std::string> args = call_.args;
    ASSIGN_OR_RETURN(change_, split_changes(args, words_.singular));
    if (change_.set.empty() && change_.remove.empty()) {
      return fail(std::string("at least one ") + words_.singular + " update is required");
    }
    const TargetOptions options = target_options(call_.flags, args);
    if (options.args.empty() && options.files.empty()) {
      return fail(
          "one or more resources must be specified as <resource> <name> or <resource>/<name>");
    }
    ASSIGN_OR_RETURN(const auto targets, find_each_target(call_.session, options));
    return visit_objects(call_.session, targets, options,
                         [this](Target& target) { return edit(target); });
  }

 private:
  Status list() {
    const TargetOptions options = target_options(call_.flags, call_.args);
    ASSIGN_OR_RETURN(const auto objects, fetch_objects(call_.session, options));
    for (const Target& target : objects) {
      std::vector<std::string> lines;
      for (const auto& [key, value] :
           get_object(target.object, std::string("metadata.") + words_.field)) {
        lines.push_back(std::string(key) + "=" + std::string(value.as_string()));
      }
      std::sort(lines.begin(), lines.end());
      for (const std::string& line : lines) call_.session.io.out << line << "\n";
    }
    return {};
  }

  Status edit(Target& target) {
    const json::object have = get_object(target.object, std::string("metadata.") + words_.field);
    if (!call_.flags.is_set("overwrite")) {
      RETURN_IF_ERROR(words_.undone ? check_label_overwrite(have, change_)
                                    : check_annotation_overwrite(have, change_));
    }
    json::object fields;
    bool changes = false;
    for (const auto& [key, value] : change_.set) {
      const json::value* old = have.if_contains(key);
      changes |= !old || *old != json::value(value);
      fields[key] = value;
    }
    for (const std::string& key : change_.remove) {
      if (!have.contains(key)) {
        call_.session.io.out << words_.singular << " " << quoted(key) << " not found.\n";
      }
      changes |= have.contains(key);
      fields[key] = nullptr;
    }
    json::value patch = json::object();
    set_path(patch, std::string("metadata.") + words_.field, json::value(std::move(fields)));
    report_.record(patch);
    if (call_.flags.has("resource-version")) {
      set_path(patch, "metadata.resourceVersion", json::value(call_.flags.get("resource-version")));
    }
    const bool only_removes = change_.set.empty();
    const std::string done = words_.undone && only_removes && changes ? words_.undone
                             : words_.undone && !changes ? std::string("not ") + words_.done
                                                         : words_.done;
    if (report_.dry_run == DryRun::kClient) {
      return report_.print(api::apply_merge_patch(target.object, patch), done);
    }
    if (words_.undone && !changes && report_.cause.empty()) {
      return report_.print(target.object, done);
    }
    auto answer = call_.session.patch(target.resource, target.ns, target.name,
                                      client::PatchType::kMerge, patch, report_.query());
    if (!answer.ok()) return server_failure(answer.error());
    return report_.print(answer.value(), done);
  }

  Invocation& call_;
  MetadataWords words_;
  WriteReport report_;
  MetadataChange change_;
};

}  // namespace

Result<MetadataChange> split_changes(std::vector<std::string>& words, const char* what) {
  MetadataChange out;
  std::vector<std::string> objects;
  bool in_changes = false;
  for (const std::string& word : words) {
    if (!is_change(word)) {
      if (in_changes) {
        return fail("all resources must be specified before " + std::string(what) +
                    " changes: " + word);
      }
      objects.push_back(word);
      continue;
    }
    in_changes = true;
    const size_t equals = word.find('=');
    if (equals == word.npos) {
      out.remove.push_back(word.substr(0, word.size() - 1));
    } else if (equals == 0) {
      return fail("invalid " + std::string(what) + " spec: " + word);
    } else {
      const std::string key = word.substr(0, equals), value = word.substr(equals + 1);
      if (std::string_view(what) == "label") {
        const auto bad = api::check_label_value(value);
        if (!bad.empty()) {
          return fail("invalid label value: " + quoted(word) + ": " + bad.front());
        }
      }
      out.set.emplace_back(key, value);
    }
  }
  for (const std::string& key : out.remove) {
    for (const auto& [set_key, value] : out.set) {
      if (key == set_key) {
        return fail("can not both modify and remove a " + std::string(what) +
                    " in the same command");
      }
    }
  }
  words = std::move(objects);
  return out;
}

Status run_metadata_edit(Invocation& call, const MetadataWords& words) {
  return MetadataEdit(call, words).run();
}

std::vector<text::FlagSpec> metadata_edit_flags(const MetadataWords& words) {
  std::vector<text::FlagSpec> out = file_flags() + selector_flags() + write_flags(words.manager);
  out.push_back({"overwrite", 0, FlagType::kBool, "false", "Change what has another value"});
  out.push_back({"list", 0, FlagType::kBool, "false", "Print them"});
  out.push_back({"resource-version", 0, FlagType::kString, "", "Only if it has this version"});
  out.push_back(record_flag());
  out.push_back(local_flag());
  return out;
}

Command label_command() {
  return {.name = "label",
          .usage = "(TYPE NAME | TYPE/NAME | -f FILE) KEY=VALUE ... KEY- ...",
          .summary = "Set and remove labels",
          .examples = "  kubectl label pod web env=prod\n  kubectl label pod web env-\n",
          .flags = metadata_edit_flags(kLabels),
          .run = [](Invocation& call) { return run_metadata_edit(call, kLabels); }};
}

Command annotate_command() {
  return {.name = "annotate",
          .usage = "(TYPE NAME | TYPE/NAME | -f FILE) KEY=VALUE ... KEY- ...",
          .summary = "Set and remove annotations",
          .examples = "  kubectl annotate pod web example.com/owner=kit\n",
          .flags = metadata_edit_flags(kAnnotations),
          .run = [](Invocation& call) { return run_metadata_edit(call, kAnnotations); }};
}

}  // namespace coracle::kubectl
