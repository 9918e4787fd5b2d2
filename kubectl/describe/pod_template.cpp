#include "describe/pod_template.hpp"

#include <algorithm>
#include <vector>

#include "api/object.hpp"
#include "base/strings.hpp"

namespace coracle::kubectl {
namespace {

std::string name_of(const json::value& v) { return std::string(get_string(v, "name")); }

void write_template_body(DescribeWriter& out, const json::value& pod_template) {
  write_labels(out, "  Labels", api::labels_of(pod_template));
  if (!api::annotations_of(pod_template).empty()) {
    write_annotations(out, "  Annotations", api::annotations_of(pod_template));
  }
  const std::string account = text_at(pod_template, "spec.serviceAccountName");
  if (!account.empty()) out.field(1, "Service Account", account);
  const json::array none;
  if (const auto& init = get_array(pod_template, "spec.initContainers"); !init.empty()) {
    write_containers(out, "Init Containers", init, none, "  ");
  }
  write_containers(out, "Containers", get_array(pod_template, "spec.containers"), none, "  ");
  write_volumes(out, get_array(pod_template, "spec.volumes"), "  ");
  const std::string priority = text_at(pod_template, "spec.priorityClassName");
  if (!priority.empty()) out.field(1, "Priority Class Name", priority);
  write_labels(out, "  Node-Selectors", get_object(pod_template, "spec.nodeSelector"));
  write_tolerations(out, "  Tolerations", get_array(pod_template, "spec.tolerations"));
}

const char* optional_text(const json::value& source) {
  const json::value* optional = find(source, "optional");
  return !optional ? "<nil>" : optional->is_bool() && optional->as_bool() ? "true" : "false";
}

void write_projected(DescribeWriter& out, const json::value& projected) {
  out.field(2, "Type", "Projected (a volume that contains injected data from multiple sources)");
  for (const json::value& source : get_array(projected, "sources")) {
    if (const json::value* secret = find(source, "secret")) {
      out.field(2, "SecretName", name_of(*secret));
      out.field(2, "SecretOptionalName", optional_text(*secret));
    } else if (find(source, "downwardAPI")) {
      out.field(2, "DownwardAPI", "true");
    } else if (const json::value* map = find(source, "configMap")) {
      out.field(2, "ConfigMapName", name_of(*map));
      out.field(2, "ConfigMapOptional", optional_text(*map));
    } else if (const json::value* token = find(source, "serviceAccountToken")) {
      out.field(2, "TokenExpirationSeconds", text_at(*token, "expirationSeconds"));
    }
  }
}

void write_source(DescribeWriter& out, const json::value& volume) {
  const auto type = [&out](const char* text) { out.field(2, "Type", text); };
  if (const json::value* v = find(volume, "hostPath")) {
    type("HostPath (bare host directory volume)");
    out.field(2, "Path", text_at(*v, "path"));
    out.field(2, "HostPathType", text_at(*v, "type"));
  } else if (const json::value* v = find(volume, "emptyDir")) {
    type("EmptyDir (a temporary directory that shares a pod's lifetime)");
    out.field(2, "Medium", text_at(*v, "medium"));
    const std::string limit = text_at(*v, "sizeLimit");
    out.field(2, "SizeLimit", limit.empty() ? "<unset>" : limit);
  } else if (const json::value* v = find(volume, "secret")) {
    type("Secret (a volume populated by a Secret)");
    out.field(2, "SecretName", text_at(*v, "secretName"));
    out.field(2, "Optional", get_bool(*v, "optional") ? "true" : "false");
  } else if (const json::value* v = find(volume, "configMap")) {
    type("ConfigMap (a volume populated by a ConfigMap)");
    out.field(2, "Name", name_of(*v));
    out.field(2, "Optional", get_bool(*v, "optional") ? "true" : "false");
  } else if (const json::value* v = find(volume, "persistentVolumeClaim")) {
    type("PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)");
    out.field(2, "ClaimName", text_at(*v, "claimName"));
    out.field(2, "ReadOnly", get_bool(*v, "readOnly") ? "true" : "false");
  } else if (const json::value* v = find(volume, "nfs")) {
    type("NFS (an NFS mount that lasts the lifetime of a pod)");
    out.field(2, "Server", text_at(*v, "server"));
    out.field(2, "Path", text_at(*v, "path"));
    out.field(2, "ReadOnly", get_bool(*v, "readOnly") ? "true" : "false");
  } else if (const json::value* v = find(volume, "local")) {
    type("LocalVolume (a persistent volume backed by local storage on a node)");
    out.field(2, "Path", text_at(*v, "path"));
  } else if (const json::value* v = find(volume, "csi")) {
    type("CSI (a Container Storage Interface (CSI) volume source)");
    out.field(2, "Driver", text_at(*v, "driver"));
    out.field(2, "FSType", text_at(*v, "fsType"));
    const std::string handle = text_at(*v, "volumeHandle");
    if (!handle.empty()) out.field(2, "VolumeHandle", handle);
    out.field(2, "ReadOnly", get_bool(*v, "readOnly") ? "true" : "false");
  } else if (find(volume, "downwardAPI")) {
    type("DownwardAPI (a volume populated by information about the pod)");
  } else if (const json::value* v = find(volume, "projected")) {
    write_projected(out, *v);
  } else {
    out.line(1, "<unknown>");
  }
}

}  // namespace

void write_volume_source(DescribeWriter& out, const json::value& holder) {
  write_source(out, holder);
}

void write_volumes(DescribeWriter& out, const json::array& volumes, std::string_view space) {
  const std::string indent(space);
  if (volumes.empty()) return out.line(0, indent + "Volumes:\t<none>");
  out.line(0, indent + "Volumes:");
  for (const json::value& volume : volumes) {
    out.line(1, (space.empty() ? "" : " ") + name_of(volume) + ":");
    write_source(out, volume);
  }
}

void write_tolerations(DescribeWriter& out, std::string_view title,
                       const json::array& tolerations) {
  out.raw(std::string(title) + ":\t");
  if (tolerations.empty()) return out.raw("<none>\n");
  std::vector<const json::value*> sorted;
  for (const json::value& toleration : tolerations) sorted.push_back(&toleration);
  std::stable_sort(sorted.begin(), sorted.end(), [](const json::value* a, const json::value* b) {
    return get_string(*a, "key") < get_string(*b, "key");
  });
  bool first = true;
  for (const json::value* toleration : sorted) {
    std::string line = std::exchange(first, false) ? "" : "\t";
    const std::string key = text_at(*toleration, "key"), value = text_at(*toleration, "value");
    const std::string effect = text_at(*toleration, "effect");
    line += key + (value.empty() ? "" : "=" + value) + (effect.empty() ? "" : ":" + effect);
    if (get_string(*toleration, "operator") == "Exists" && value.empty()) {
      line += key.empty() && effect.empty() ? "op=Exists" : " op=Exists";
    }
    const std::string seconds = text_at(*toleration, "tolerationSeconds");
    if (!seconds.empty()) line += " for " + seconds + "s";
    out.raw(line + "\n");
  }
}

void write_pod_template(DescribeWriter& out, const json::value& pod_template) {
  out.line(0, "Pod Template:");
  write_template_body(out, pod_template);
}

std::string describe_history_template(const json::value& pod_template) {
  DescribeWriter out;
  write_template_body(out, pod_template);
  return out.unaligned();
}

}  // namespace coracle::kubectl
