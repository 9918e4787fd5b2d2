#include "kubectl/target.hpp"
#include "kubectl/removed.hpp"

#include "api/catalog.hpp"
#include "api/object.hpp"
#include "api/selectors.hpp"
#include "base/strings.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagSpec;
using text::FlagType;

std::string target_namespace(Session& session, const Resource& resource, bool all_namespaces) {
  if (!resource.namespaced || all_namespaces) return {};
  return session.namespace_name();
}

// "po,svc", "all"
Result<std::vector<Resource>> resources_named(Session& session, const std::string& text) {
  ASSIGN_OR_RETURN(const Discovery* discovery, session.discovery());
  std::vector<Resource> out;
  for (const std::string& name : split(text, ',')) {
    if (name.empty()) continue;
    if (const Resource* found = discovery->find(name)) {
      out.push_back(*found);
      continue;
    }
    const auto category = discovery->category(to_lower(name));
    if (category.empty()) {
      return fail("the server doesn't have a resource type " +
                  quoted(name.substr(0, name.find('.'))));
    }
    for (const Resource* resource : category) {
      if (resource->has_verb("list") || resource->verbs.empty()) out.push_back(*resource);
    }
  }
  return out;
}

Status add_slash_args(Session& session, const TargetOptions& options, std::vector<Target>& out) {
  for (const std::string& arg : options.args) {
    const auto parts = split(arg, '/');
    if (parts.size() == 1) {
      return fail(
          "there is no need to specify a resource type as a separate argument when passing "
          "arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of "
          "'kubectl get resource resource/<resource_name>'");
    }
    if (parts.size() != 2 || parts[0].empty() || parts[1].empty()) {
      return fail("arguments in resource/name form must have a single resource and name");
    }
    ASSIGN_OR_RETURN(const Resource* resource, session.resource(parts[0]));
    if (options.all_namespaces && resource->namespaced) {
      return fail("a resource cannot be retrieved by name across all namespaces");
    }
    out.push_back({*resource, target_namespace(session, *resource, false), parts[1], {}, {}});
  }
  return {};
}

Status add_type_args(Session& session, const TargetOptions& options, std::vector<Target>& out) {
  ASSIGN_OR_RETURN(const auto resources, resources_named(session, options.args[0]));
  if (options.all && !(options.label_selector.empty() && options.field_selector.empty())) {
    return fail("setting 'all' parameter but found a non empty selector. ");
  }
  const bool selects =
      options.all || !options.label_selector.empty() || !options.field_selector.empty();
  if (options.args.size() == 1) {
    if (!selects && options.need_names) {
      return fail("resource(s) were provided, but no name was specified");
    }
    for (const Resource& resource : resources) {
      out.push_back(
          {resource, target_namespace(session, resource, options.all_namespaces), {}, {}, {}});
    }
    return {};
  }
  if (!options.label_selector.empty() || !options.field_selector.empty()) {
    return fail("name cannot be provided when a selector is specified");
  }
  if (options.all) return fail("setting 'all' parameter but found a non empty selector. ");
  for (const Resource& resource : resources) {
    if (options.all_namespaces && resource.namespaced) {
      return fail("a resource cannot be retrieved by name across all namespaces");
    }
    for (size_t i = 1; i < options.args.size(); ++i) {
      out.push_back(
          {resource, target_namespace(session, resource, false), options.args[i], {}, {}});
    }
  }
  return {};
}

Status no_match(const ManifestObject& manifest) {
  const auto [group, version] = api::split_api_version(api::api_version_of(manifest.object));
  const std::string shown =
      group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
  std::string instead =
      instead_of_version(api::api_version_of(manifest.object), api::kind_of(manifest.object));
  if (!instead.empty()) instead = "\n" + instead;
  return fail("resource mapping not found for name: " + quoted(api::name_of(manifest.object)) +
              " namespace: " + quoted(api::namespace_of(manifest.object)) + " from " +
              quoted(manifest.source) + ": no matches for kind " +
              quoted(api::kind_of(manifest.object)) + " in version " + quoted(shown) +
              "\nensure CRDs are installed first" + instead);
}

// Without a server: what is built in, and a guess.
Resource local_resource(const json::value& object) {
  const auto [group, version] = api::split_api_version(api::api_version_of(object));
  Resource out{.group = std::string(group), .version = std::string(version)};
  out.kind = api::kind_of(object);
  const api::ResourceInfo* info = api::Catalog::builtin().find_for(object);
  out.singular = info ? info->singular : to_lower(out.kind);
  out.plural = info ? info->plural : out.singular + "s";
  out.namespaced = info == nullptr || info->namespaced;
  return out;
}

Result<Target> file_target(Session& session, ManifestObject manifest, bool local) {
  Resource guessed;
  const Resource* resource = &guessed;
  if (local) {
    guessed = local_resource(manifest.object);
  } else {
    ASSIGN_OR_RETURN(const Discovery* discovery, session.discovery());
    resource =
        discovery->find_kind(api::api_version_of(manifest.object), api::kind_of(manifest.object));
  }
  if (!resource) return no_match(manifest);
  Target target{*resource, {}, std::string(api::name_of(manifest.object)), manifest.source, {}};
  if (resource->namespaced) {
    const std::string given(api::namespace_of(manifest.object));
    const std::string wanted = session.namespace_name();
    if (!given.empty() && session.has_explicit_namespace() && given != wanted) {
      return fail("the namespace from the provided object " + quoted(given) +
                  " does not match the namespace " + quoted(wanted) +
                  ". You must pass '--namespace=" + given + "' to perform this operation.");
    }
    target.ns = given.empty() ? wanted : given;
    if (given.empty()) set_path(manifest.object, "metadata.namespace", json::value(target.ns));
  }
  target.object = std::move(manifest.object);
  return target;
}

Result<std::vector<Target>> only_good(Result<std::vector<Target>> found) {
  if (!found.ok()) return found;
  for (const Target& target : *found) RETURN_IF_ERROR(target.failure);
  return found;
}

Status visit_collection(Session& session, const Target& target, const TargetOptions& options,
                        const std::function<Status(Target&)>& visit,
                        std::vector<Status>& failures) {
  client::QueryList query;
  if (!options.field_selector.empty()) query.emplace_back("fieldSelector", options.field_selector);
  if (!options.label_selector.empty()) query.emplace_back("labelSelector", options.label_selector);
  auto found = session.list(target.resource, target.ns, query);
  if (!found.ok()) return server_failure(list_failure(found.error(), target.resource, options));
  const json::value list = std::move(found.value());
  for (const json::value& item : get_array(list, "items")) {
    Target one{target.resource,
               std::string(api::namespace_of(item)),
               std::string(api::name_of(item)),
               {},
               item};
    if (Status status = visit(one); !status.ok()) failures.push_back(std::move(status));
  }
  return {};
}

}  // namespace

std::vector<FlagSpec> operator+(std::vector<FlagSpec> a, const std::vector<FlagSpec>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::vector<FlagSpec> file_flags() {
  return {
      {"filename", 'f', FlagType::kList, "", "Files or directories with the objects, or -"},
      {"recursive", 'R', FlagType::kBool, "false", "Look into directories below -f too"},
      {"kustomize", 'k', FlagType::kString, "", "A directory with a kustomization"},
  };
}

std::vector<FlagSpec> selector_flags() {
  return {
      {"selector", 'l', FlagType::kString, "", "Label selector, e.g. app=web,tier!=db"},
      {"field-selector", 0, FlagType::kString, "", "Field selector, e.g. status.phase=Running"},
      {"all", 0, FlagType::kBool, "false", "All objects of the given types in the namespace"},
      {"all-namespaces", 'A', FlagType::kBool, "false", "In every namespace"},
  };
}

TargetOptions target_options(const text::ParsedFlags& flags, std::vector<std::string> args) {
  TargetOptions out;
  out.args = std::move(args);
  out.files = {flags.list("filename"), flags.is_set("recursive"), false, flags.get("kustomize")};
  out.label_selector = flags.get("selector");
  out.field_selector = flags.get("field-selector");
  out.all = flags.is_set("all");
  out.all_namespaces = flags.is_set("all-namespaces");
  out.local = flags.is_set("local");
  return out;
}

bool has_files(const text::ParsedFlags& flags) {
  return !flags.list("filename").empty() || !flags.get("kustomize").empty();
}

TargetOptions file_options(const text::ParsedFlags& flags) {
  TargetOptions out = target_options(flags, {});
  out.files.validates = true;
  return out;
}

client::ApiError list_failure(client::ApiError error, const Resource& resource,
                              const TargetOptions& options) {
  if (error.reason != "BadRequest" && error.reason != "NotFound") return error;
  const std::string shown =
      quoted(resource.group + "/" + resource.version + ", Resource=" + resource.plural);
  if (options.label_selector.empty() && options.field_selector.empty()) {
    error.message = "Unable to list " + shown + ": " + error.message;
  } else {
    error.message = "Unable to find " + shown + " that match label selector " +
                    quoted(options.label_selector) + ", field selector " +
                    quoted(options.field_selector) + ": " + error.message;
  }
  return error;
}

Result<std::vector<Target>> each_file_target(Session& session, TargetOptions options) {
  ASSIGN_OR_RETURN(const auto selector, api::LabelSelector::parse(options.label_selector));
  Manifests read = read_manifests(options.files, session.io.in);
  std::vector<Target> out;
  const auto keep_failure = [&out](Status failure) {
    Target broken;
    broken.failure = std::move(failure);
    out.push_back(std::move(broken));
  };
  for (ManifestObject& manifest : read.objects) {
    if (!selector.matches(api::labels_of(manifest.object))) continue;
    Result<Target> target = file_target(session, std::move(manifest), options.local);
    if (target.ok()) {
      out.push_back(*std::move(target));
    } else {
      keep_failure(target.status());
    }
  }
  for (Status& failure : read.failures) keep_failure(std::move(failure));
  return out;
}

Result<std::vector<Target>> file_targets(Session& session, TargetOptions options) {
  return only_good(each_file_target(session, std::move(options)));
}

Result<std::vector<Target>> find_targets(Session& session, const TargetOptions& options) {
  return only_good(find_each_target(session, options));
}

Result<std::vector<Target>> find_each_target(Session& session, const TargetOptions& options) {
  if (!options.files.empty()) {
    if (!options.args.empty()) {
      return fail(
          "when paths, URLs, or stdin is provided as input, you may not specify resource "
          "arguments as well");
    }
    return each_file_target(session, options);
  }
  if (options.local) {
    return fail(
        "you must specify resources by --filename when --local is set.\n"
        "Example resource specifications include:\n   '-f rsrc.yaml'\n   "
        "'--filename=rsrc.json'");
  }
  if (options.args.empty()) {
    return fail(
        "You must provide one or more resources by argument or filename.\n"
        "Example resource specifications include:\n   '-f rsrc.yaml'\n   "
        "'--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'");
  }
  std::vector<Target> out;
  bool has_slash = false;
  for (const std::string& arg : options.args) has_slash |= arg.find('/') != arg.npos;
  RETURN_IF_ERROR(has_slash ? add_slash_args(session, options, out)
                            : add_type_args(session, options, out));
  return out;
}

Status visit_objects(Session& session, const std::vector<Target>& targets,
                     const TargetOptions& options, const std::function<Status(Target&)>& visit) {
  std::vector<Status> failures;
  for (const Target& target : targets) {
    if (!target.failure.ok()) {
      failures.push_back(target.failure);
      continue;
    }
    if (options.local || (options.as_given && !target.source.empty())) {
      Target one = target;
      if (Status status = visit(one); !status.ok()) failures.push_back(std::move(status));
      continue;
    }
    if (target.name.empty() && target.source.empty()) {
      Status status = visit_collection(session, target, options, visit, failures);
      if (!status.ok()) failures.push_back(std::move(status));
      continue;
    }
    Target one = target;
    auto answer = session.get(target.resource, target.ns, target.name);
    if (!answer.ok()) {
      failures.push_back(server_failure(answer.error()));
      continue;
    }
    one.object = std::move(answer.value());
    if (Status status = visit(one); !status.ok()) failures.push_back(std::move(status));
  }
  return join_failures(failures);
}

Result<std::vector<Target>> fetch_objects(Session& session, const TargetOptions& options) {
  ASSIGN_OR_RETURN(const auto targets, find_each_target(session, options));
  std::vector<Target> out;
  RETURN_IF_ERROR(visit_objects(session, targets, options, [&out](Target& target) {
    out.push_back(target);
    return Status();
  }));
  return out;
}

Result<Target> only_target(Session& session, const TargetOptions& options) {
  ASSIGN_OR_RETURN(auto found, fetch_objects(session, options));
  if (found.size() != 1) return fail("expected exactly one resource");
  return std::move(found.front());
}

}  // namespace coracle::kubectl
