// persistent volume, claim, storage class, resource quota
#include <algorithm>

#include "api/object.hpp"
#include "base/strings.hpp"
#include "describe/describe.hpp"
#include "describe/pod_template.hpp"

namespace coracle::kubectl {
namespace {

std::string access_modes(const json::value& object, std::string_view path) {
  constexpr std::pair<std::string_view, const char*> kModes[] = {{"ReadWriteOnce", "RWO"},
                                                                 {"ReadOnlyMany", "ROX"},
                                                                 {"ReadWriteMany", "RWX"},
                                                                 {"ReadWriteOncePod", "RWOP"}};
  std::vector<std::string> codes;
  const json::array& present = get_array(object, path);
  for (const auto& [mode, code] : kModes) {
    if (std::find(present.begin(), present.end(), json::value(mode)) != present.end()) {
      codes.emplace_back(code);
    }
  }
  return join(codes, ",");
}

std::string storage_class(const json::value& object) {
  const auto old = api::annotation_of(object, "volume.beta.kubernetes.io/storage-class");
  return old.empty() ? text_at(object, "spec.storageClassName") : std::string(old);
}

void write_status(DescribeWriter& out, const DescribeContext& context) {
  const auto deleted = api::deletion_timestamp_of(context.object);
  if (deleted.empty()) return out.field(0, "Status", text_at(context.object, "status.phase"));
  out.field(0, "Status", "Terminating (lasts " + age_text(deleted, context.now) + ")");
}

void write_finalizers(DescribeWriter& out, const json::value& object) {
  std::vector<std::string> names;
  for (const json::value& name : api::finalizers_of(object)) names.emplace_back(name.as_string());
  out.field(0, "Finalizers", "[" + join(names, " ") + "]");
}

void write_node_affinity(DescribeWriter& out, const json::value& volume) {
  const json::value* required = find(volume, "spec.nodeAffinity.required");
  if (required == nullptr) return out.field(0, "Node Affinity", "<none>");
  out.field(0, "Node Affinity", "");
  const json::array& terms = get_array(*required, "nodeSelectorTerms");
  out.field(1, "Required Terms", terms.empty() ? "<none>" : "");
  for (size_t i = 0; i < terms.size(); ++i) {
    std::string title = "Term " + std::to_string(i) + ":";
    const json::array& rules = get_array(terms[i], "matchExpressions");
    if (rules.empty()) out.line(2, title + "\t<none>");
    for (const json::value& rule : rules) {
      std::vector<std::string> values;
      for (const json::value& value : get_array(rule, "values")) {
        values.emplace_back(value.as_string());
      }
      out.line(2, title + "\t" + text_at(rule, "key") + " " + to_lower(text_at(rule, "operator")) +
                      (values.empty() ? "" : " [" + join(values, ", ") + "]"));
      title.clear();
    }
  }
}

bool names_claim(const json::value& pod, std::string_view claim) {
  for (const json::value& volume : get_array(pod, "spec.volumes")) {
    if (get_string(volume, "persistentVolumeClaim.claimName") == claim) return true;
    if (find(volume, "ephemeral") != nullptr &&
        std::string(api::name_of(pod)) + "-" + text_at(volume, "name") == claim) {
      return true;
    }
  }
  return false;
}

void write_claim_conditions(DescribeWriter& out, const json::value& claim) {
  const json::array& conditions = get_array(claim, "status.conditions");
  if (conditions.empty()) return;
  out.line(0, "Conditions:");
  out.line(1, "Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage");
  out.line(1, "----\t------\t-----------------\t------------------\t------\t-------");
  for (const json::value& c : conditions) {
    out.line(1, text_at(c, "type") + " \t" + text_at(c, "status") + " \t" +
                    long_time(text_at(c, "lastProbeTime")) + " \t" +
                    long_time(text_at(c, "lastTransitionTime")) + " \t" + text_at(c, "reason") +
                    " \t" + text_at(c, "message"));
  }
}

}  // namespace

void describe_volume(DescribeWriter& out, const DescribeContext& context) {
  const json::value& volume = context.object;
  out.field(0, "Name", api::name_of(volume));
  write_labels(out, "Labels", api::labels_of(volume));
  write_annotations(out, "Annotations", api::annotations_of(volume));
  write_finalizers(out, volume);
  out.field(0, "StorageClass", storage_class(volume));
  write_status(out, context);
  const bool claimed = find(volume, "spec.claimRef") != nullptr;
  out.field(0, "Claim",
            claimed ? text_at(volume, "spec.claimRef.namespace") + "/" +
                          text_at(volume, "spec.claimRef.name")
                    : "");
  out.field(0, "Reclaim Policy", text_at(volume, "spec.persistentVolumeReclaimPolicy"));
  out.field(0, "Access Modes", access_modes(volume, "spec.accessModes"));
  const std::string mode = text_at(volume, "spec.volumeMode");
  if (!mode.empty()) out.field(0, "VolumeMode", mode);
  out.field(0, "Capacity", text_at(volume, "spec.capacity.storage"));
  write_node_affinity(out, volume);
  out.field(0, "Message", text_at(volume, "status.message"));
  out.line(0, "Source:");
  const json::value* spec = find(volume, "spec");
  if (spec != nullptr) write_volume_source(out, *spec);
}

void describe_claim(DescribeWriter& out, const DescribeContext& context) {
  const json::value& claim = context.object;
  out.field(0, "Name", api::name_of(claim));
  out.field(0, "Namespace", api::namespace_of(claim));
  out.field(0, "StorageClass", storage_class(claim));
  write_status(out, context);
  const std::string volume = text_at(claim, "spec.volumeName");
  out.field(0, "Volume", volume);
  write_labels(out, "Labels", api::labels_of(claim));
  write_annotations(out, "Annotations", api::annotations_of(claim));
  write_finalizers(out, claim);
  out.field(0, "Capacity", volume.empty() ? "" : text_at(claim, "status.capacity.storage"));
  out.field(0, "Access Modes", volume.empty() ? "" : access_modes(claim, "status.accessModes"));
  const std::string mode = text_at(claim, "spec.volumeMode");
  if (!mode.empty()) out.field(0, "VolumeMode", mode);
  std::string title = "Used By:";
  for (const json::value& pod : context.list("pods", std::string(api::namespace_of(claim)))) {
    if (!names_claim(pod, api::name_of(claim))) continue;
    out.line(0, title + "\t" + std::string(api::name_of(pod)));
    title.clear();
  }
  if (!title.empty()) out.field(0, "Used By", "<none>");
  write_claim_conditions(out, claim);
}

void describe_storage_class(DescribeWriter& out, const DescribeContext& context) {
  const json::value& object = context.object;
  const bool is_default =
      api::annotation_of(object, "storageclass.kubernetes.io/is-default-class") == "true" ||
      api::annotation_of(object, "storageclass.beta.kubernetes.io/is-default-class") == "true";
  out.field(0, "Name", api::name_of(object));
  out.field(0, "IsDefaultClass", is_default ? "Yes" : "No");
  out.field(0, "Annotations", labels_line(api::annotations_of(object)));
  out.field(0, "Provisioner", text_at(object, "provisioner"));
  out.field(0, "Parameters", labels_line(get_object(object, "parameters")));
  const json::value* expands = find(object, "allowVolumeExpansion");
  out.field(0, "AllowVolumeExpansion",
            expands == nullptr ? "<unset>" : bool_text(get_bool(object, "allowVolumeExpansion")));
  const json::array& options = get_array(object, "mountOptions");
  out.line(0, options.empty() ? "MountOptions:\t<none>" : "MountOptions:");
  for (const json::value& option : options) out.line(1, option.as_string());
  out.field(0, "ReclaimPolicy", text_at(object, "reclaimPolicy"));
  out.field(0, "VolumeBindingMode", text_at(object, "volumeBindingMode"));
}

void describe_quota(DescribeWriter& out, const DescribeContext& context) {
  const json::value& quota = context.object;
  out.field(0, "Name", api::name_of(quota));
  out.field(0, "Namespace", api::namespace_of(quota));
  std::vector<std::string> scopes;
  for (const json::value& scope : get_array(quota, "spec.scopes")) {
    scopes.emplace_back(scope.as_string());
  }
  std::sort(scopes.begin(), scopes.end());
  if (!scopes.empty()) out.field(0, "Scopes", join(scopes, ", "));
  out.line(0, "Resource\tUsed\tHard");
  out.line(0, "--------\t----\t----");
  const json::object& hard = get_object(quota, "status.hard");
  std::vector<std::string> names;
  for (const auto& [name, amount] : hard) names.emplace_back(name);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const json::object& used = get_object(quota, "status.used");
    const json::value* amount = used.if_contains(name);
    out.line(0, name + "\t" +
                    (amount != nullptr && amount->is_string() ? std::string(amount->as_string())
                                                              : std::string("0")) +
                    "\t" + std::string(hard.at(name).as_string()));
  }
}

}  // namespace coracle::kubectl
