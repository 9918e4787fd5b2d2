#include "api/object.hpp"
#include "api/warnings/warnings.hpp"
#include "base/strings.hpp"

namespace coracle::api::warnings {
namespace {

constexpr std::string_view kPodNames =
    "this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label "
    "is recommended: [";

void name_is_label(const json::value& object, std::string_view text, Texts& out) {
  const Messages messages = check_dns1123_label(name_of(object));
  if (!messages.empty()) {
    out.push_back("metadata.name: " + std::string(text) + join(messages, " ") + "]");
  }
}

// Whether the write says something new about what the object wants.
bool changed(const json::value& object, const json::value* old) {
  return old == nullptr ||
         get_int(object, "metadata.generation") != get_int(*old, "metadata.generation");
}

void template_of(const json::value& object, std::string_view inside, const FieldPath& path,
                 Texts& out) {
  if (const json::value* found = find(object, inside)) pod_parts(*found, path, out);
}

void job_spec(const json::value& spec, const FieldPath& path, Texts& out) {
  constexpr std::int64_t kCompletions = 100000, kParallelism = 10000;
  if (get_string(spec, "completionMode") == "Indexed" &&
      get_int(spec, "completions") > kCompletions && get_int(spec, "parallelism") > kParallelism) {
    at(path,
       "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher "
       "than 10^4, Kubernetes might not be able to track completedIndexes when a big number of "
       "indexes fail",
       out);
  }
  template_of(spec, "template", path.child("template"), out);
}

}  // namespace

// Pods are rarely updated by people, and often by machines: those are told nothing.
void pod(const json::value& object, const json::value* old, Texts& out) {
  if (old != nullptr) return;
  name_is_label(object,
                "this is used in the Pod's hostname, which can result in surprising behavior; a "
                "DNS label is recommended: [",
                out);
  pod_parts(object, FieldPath(), out);
}

void pod_template_kind(const json::value& object, const json::value*, Texts& out) {
  template_of(object, "template", FieldPath("template"), out);
}

void replicated(const json::value& object, const json::value* old, Texts& out) {
  if (old == nullptr) name_is_label(object, kPodNames, out);
  if (changed(object, old)) {
    template_of(object, "spec.template", FieldPath("spec").child("template"), out);
  }
}

void daemon_set(const json::value& object, const json::value* old, Texts& out) {
  if (old == nullptr || find(object, "spec.template") == nullptr ||
      find(*old, "spec.template") == nullptr ||
      *find(object, "spec.template") != *find(*old, "spec.template")) {
    template_of(object, "spec.template", FieldPath("spec").child("template"), out);
  }
}

void stateful_set(const json::value& object, const json::value* old, Texts& out) {
  if (changed(object, old)) {
    template_of(object, "spec.template", FieldPath("spec").child("template"), out);
  }
  std::size_t index = 0;
  for (const json::value& claim : get_array(object, "spec.volumeClaimTemplates")) {
    const FieldPath here = FieldPath("spec").child("volumeClaimTemplates").index(index++);
    const json::value* spec = find(claim, "spec");
    // The place has this name in upstream's texts of updates.
    if (spec != nullptr) claim_spec(*spec, old == nullptr ? here : here.child("Spec"), out);
  }
  if (get_int(object, "spec.revisionHistoryLimit") < 0) {
    out.emplace_back(
        "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= "
        "0 is recommended");
  }
}

void job(const json::value& object, const json::value* old, Texts& out) {
  if (old == nullptr) name_is_label(object, kPodNames, out);
  const json::value* spec = find(object, "spec");
  if (spec != nullptr && changed(object, old)) job_spec(*spec, FieldPath("spec"), out);
}

void cron_job(const json::value& object, const json::value* old, Texts& out) {
  if (old == nullptr) name_is_label(object, kPodNames, out);
  const json::value* spec = find(object, "spec.jobTemplate.spec");
  if (spec != nullptr && changed(object, old)) {
    job_spec(*spec, FieldPath("spec").child("jobTemplate", "spec"), out);
  }
}

}  // namespace coracle::api::warnings
