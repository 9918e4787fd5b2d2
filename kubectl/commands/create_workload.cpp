// create deployment, job, cronjob
#include "api/object.hpp"
#include "base/strings.hpp"
#include "commands/commands.hpp"
#include "commands/create.hpp"
#include "commands/pod_parts.hpp"
#include "kubectl/target.hpp"

namespace coracle::kubectl {
namespace {

using text::FlagType;

std::vector<std::string> words_after_dash(const Invocation& call) {
  if (!call.flags.dash_args) return {};
  return {call.args.begin() + static_cast<std::ptrdiff_t>(*call.flags.dash_args), call.args.end()};
}

// "registry/nginx:1.25@sha.." -> "nginx", made a valid container name
std::string container_name(const std::string& image) {
  std::string name = image.substr(image.rfind('/') + 1);
  name = name.substr(0, name.find('@'));
  name = name.substr(0, name.find(':'));
  for (char& c : name) {
    if (c == '_' || c == '.') c = '-';
  }
  return to_lower(name);
}

Status create_deployment(Invocation& call) {
  ASSIGN_OR_RETURN(const std::string name, exact_name(call));
  const auto images = call.flags.list("image");
  if (images.empty()) return fail("required flag(s) \"image\" not set");
  const auto command = words_after_dash(call);
  if (images.size() > 1 && !command.empty()) {
    return fail("cannot specify multiple --image options and command");
  }
  json::array containers;
  for (const std::string& image : images) {
    json::object container;
    container["name"] = container_name(image);
    container["image"] = image;
    container["resources"].emplace_object();
    if (!command.empty()) container["command"] = string_array(command);
    if (call.flags.has("port") && call.flags.get_int("port") >= 0) {
      container["ports"] = json::array();
      json::object port;
      port["containerPort"] = call.flags.get_int("port");
      container["ports"].as_array().push_back(std::move(port));
    }
    containers.push_back(std::move(container));
  }
  json::value object = new_object("apps/v1", "Deployment", name);
  set_path(object, "metadata.labels.app", json::value(name));
  set_path(object, "spec.replicas", json::value(call.flags.get_int("replicas")));
  set_path(object, "spec.selector.matchLabels.app", json::value(name));
  make_object(object, "spec.strategy");
  set_path(object, "spec.template.metadata.creationTimestamp", json::value());
  set_path(object, "spec.template.metadata.labels.app", json::value(name));
  set_path(object, "spec.template.spec.containers", json::value(std::move(containers)));
  make_object(object, "status");
  return create_object(call, std::move(object), "failed to create deployment");
}

json::value job_template_spec(const std::string& name, const std::string& image,
                              const std::vector<std::string>& command,
                              const std::string& restart_policy) {
  json::value spec = json::object();
  set_path(spec, "template.metadata.creationTimestamp", json::value());
  json::object container;
  container["name"] = name;
  container["image"] = image;
  container["resources"].emplace_object();
  if (!command.empty()) container["command"] = string_array(command);
  json::array containers;
  containers.push_back(std::move(container));
  set_path(spec, "template.spec.containers", json::value(std::move(containers)));
  set_path(spec, "template.spec.restartPolicy", json::value(restart_policy));
  return spec;
}

// `create job NAME --from=cronjob/X`
Result<json::value> job_from(Invocation& call, const std::string& name, const std::string& from) {
  TargetOptions options;
  options.args = {from};
  ASSIGN_OR_RETURN(const Target source, only_target(call.session, options));
  if (source.resource.kind != "CronJob") {
    return fail("from must be an existing cronjob");
  }
  json::value job = new_object("batch/v1", "Job", name);
  if (const json::value* labels = find(source.object, "spec.jobTemplate.metadata.labels")) {
    set_path(job, "metadata.labels", *labels);
  }
  json::object annotations = get_object(source.object, "spec.jobTemplate.metadata.annotations");
  annotations["cronjob.kubernetes.io/instantiate"] = "manual";
  set_path(job, "metadata.annotations", json::value(std::move(annotations)));
  json::object owner;
  owner["apiVersion"] = "batch/v1";
  owner["kind"] = "CronJob";
  owner["name"] = api::name_of(source.object);
  owner["uid"] = api::uid_of(source.object);
  owner["controller"] = true;
  json::array owners;
  owners.push_back(std::move(owner));
  set_path(job, "metadata.ownerReferences", json::value(std::move(owners)));
  set_path(job, "spec", json::value(get_object(source.object, "spec.jobTemplate.spec")));
  make_object(job, "status");
  return job;
}

Status create_job(Invocation& call) {
  ASSIGN_OR_RETURN(const std::string name, exact_name(call));
  const std::string image = call.flags.get("image"), from = call.flags.get("from");
  if (image.empty() == from.empty()) return fail("either --image or --from must be specified");
  const auto command = words_after_dash(call);
  if (!from.empty()) {
    if (!command.empty()) return fail("cannot specify --from and command");
    ASSIGN_OR_RETURN(json::value job, job_from(call, name, from));
    return create_object(call, std::move(job), "failed to create job");
  }
  json::value job = new_object("batch/v1", "Job", name);
  set_path(job, "spec", job_template_spec(name, image, command, "Never"));
  make_object(job, "status");
  return create_object(call, std::move(job), "failed to create job");
}

Status create_cronjob(Invocation& call) {
  ASSIGN_OR_RETURN(const std::string name, exact_name(call));
  for (const char* flag : {"image", "schedule"}) {
    if (call.flags.get(flag).empty()) {
      return fail("required flag(s) " + quoted(flag) + " not set");
    }
  }
  json::value object = new_object("batch/v1", "CronJob", name);
  set_path(object, "spec.jobTemplate.metadata.creationTimestamp", json::value());
  set_path(object, "spec.jobTemplate.metadata.name", json::value(name));
  set_path(object, "spec.jobTemplate.spec",
           job_template_spec(name, call.flags.get("image"), words_after_dash(call),
                             call.flags.get("restart")));
  set_path(object, "spec.schedule", json::value(call.flags.get("schedule")));
  make_object(object, "status");
  return create_object(call, std::move(object), "failed to create cronjob");
}

}  // namespace

std::vector<Command> create_workload_commands() {
  Command deployment{.name = "create deployment",
                     .usage = "NAME --image=IMAGE [-- COMMAND ARG ...]",
                     .summary = "Create a deployment",
                     .examples = "  kubectl create deployment web --image=nginx --replicas=3\n",
                     .flags = create_flags(),
                     .run = create_deployment,
                     .aliases = {"deploy"}};
  deployment.flags.push_back({"image", 0, FlagType::kArray, "", "Image; may be repeated"});
  deployment.flags.push_back({"replicas", 'r', FlagType::kInt, "1", "How many pods"});
  deployment.flags.push_back({"port", 0, FlagType::kInt, "-1", "Port the container offers"});
  Command job{.name = "create job",
              .usage = "NAME --image=IMAGE [-- COMMAND ARG ...]",
              .summary = "Create a job",
              .examples =
                  "  kubectl create job once --image=busybox -- date\n"
                  "  kubectl create job now --from=cronjob/tick\n",
              .flags = create_flags(),
              .run = create_job};
  job.flags.push_back({"image", 0, FlagType::kString, "", "Image"});
  job.flags.push_back({"from", 0, FlagType::kString, "", "The cronjob to take the job from"});
  Command cronjob{.name = "create cronjob",
                  .usage = "NAME --image=IMAGE --schedule='0/5 * * * ?' [-- COMMAND ARG ...]",
                  .summary = "Create a cron job",
                  .examples =
                      "  kubectl create cronjob tick --image=busybox "
                      "--schedule='*/5 * * * *' -- date\n",
                  .flags = create_flags(),
                  .run = create_cronjob,
                  .aliases = {"cj"}};
  cronjob.flags.push_back({"image", 0, FlagType::kString, "", "Image"});
  cronjob.flags.push_back({"schedule", 0, FlagType::kString, "", "When, as cron says it"});
  cronjob.flags.push_back({"restart", 0, FlagType::kString, "OnFailure", "OnFailure or Never"});
  return {deployment, job, cronjob};
}

}  // namespace coracle::kubectl
