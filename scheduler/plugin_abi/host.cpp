#include "plugin_abi/host.hpp"

namespace coracle::scheduler {
namespace {

const PodInfo& real(const coracle_pod* pod) { return *reinterpret_cast<const PodInfo*>(pod); }
const NodeInfo& real(const coracle_node* node) { return *reinterpret_cast<const NodeInfo*>(node); }
std::string_view real(coracle_text text) { return {text.data, text.size}; }
coracle_text out(std::string_view text) { return {text.data(), text.size()}; }

int label(const json::object& labels, coracle_text key, coracle_text* value) {
  const json::value* found = labels.if_contains(real(key));
  if (found == nullptr || !found->is_string()) return 0;
  *value = out(std::string_view(found->as_string()));
  return 1;
}

}  // namespace

const coracle_host& plugin_host() {
  static const coracle_host host{
      .size = sizeof(coracle_host),
      .pod_namespace = [](const coracle_pod* pod) { return out(real(pod).ns); },
      .pod_name = [](const coracle_pod* pod) { return out(real(pod).name); },
      .pod_priority = [](const coracle_pod* pod) { return real(pod).priority; },
      .pod_request =
          [](const coracle_pod* pod, coracle_text resource) {
            return real(pod).requests.amount(real(resource));
          },
      .pod_label = [](const coracle_pod* pod, coracle_text key,
                      coracle_text* value) { return label(real(pod).labels, key, value); },
      .node_name = [](const coracle_node* node) { return out(real(node).name()); },
      .node_label =
          [](const coracle_node* node, coracle_text key, coracle_text* value) {
            return real(node).known() ? label(real(node).facts().labels, key, value) : 0;
          },
      .node_allocatable =
          [](const coracle_node* node, coracle_text resource) {
            return real(node).known() ? real(node).facts().allocatable.amount(real(resource)) : 0;
          },
      .node_requested =
          [](const coracle_node* node, coracle_text resource) {
            return real(node).used().amount(real(resource));
          },
      .node_pod_count = [](const coracle_node* node) { return real(node).pods().size(); },
      .node_pod = [](const coracle_node* node, size_t index) -> const coracle_pod* {
        const auto& pods = real(node).pods();
        return index < pods.size() ? disguised(*pods[index]) : nullptr;
      }};
  return host;
}

}  // namespace coracle::scheduler
