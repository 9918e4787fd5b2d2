// PodManager: what befalls the pods of a node that is cut off, slow, or started anew.
#include <arpa/inet.h>

#include "kubelet/static_pod.hpp"
#include "kubelet_driver/pod_manager.hpp"

namespace coracle::kubelet {
namespace {

constexpr size_t kUntoldMax = 1000;  // events a node keeps while nobody hears it; the newest go

}  // namespace

bool PodManager::hears(const json::value& pod) const {
  return cut_off_.empty() || !cut_off_.contains(std::string(get_string(pod, "spec.nodeName")));
}

void PodManager::record(Worker& worker, client::EventInput input) {
  const auto cut = cut_off_.find(worker.node);
  if (cut == cut_off_.end()) return recorder(worker.node).record(std::move(input));
  if (cut->second.size() < kUntoldMax) cut->second.push_back(std::move(input));
}

void PodManager::cut_off(const std::string& node) { cut_off_.try_emplace(node); }

void PodManager::reconnect(const std::string& node) {
  const auto cut = cut_off_.find(node);
  if (cut == cut_off_.end()) return;
  const std::vector<client::EventInput> untold = std::move(cut->second);
  cut_off_.erase(cut);
  for (client::EventInput input : untold) recorder(node).record(std::move(input));
  // What went meanwhile first: a newer pod may have its name.
  for (const std::string& uid : uids_of(node)) {
    Worker& worker = workers_.at(uid);
    const client::ObjectPtr shown = informer_.cache().get(worker.key);
    if (worker.is_static) {
      worker.mirror_uid.clear();
    } else if (!shown || get_string(*shown, "metadata.uid") != uid) {
      drop(worker);
      continue;
    }
    worker.written.reset();
    queue_.add(uid);
  }
  for (const client::ObjectPtr& pod : informer_.cache().all()) {
    if (get_string(*pod, "spec.nodeName") == node) on_pod(pod);
  }
}

void PodManager::set_lag(const std::string& node, Duration lag) {
  lag > Duration(0) ? void(lags_[node] = lag) : void(lags_.erase(node));
  runner_.set_lag(node, lag);
  for (const std::string& uid : uids_of(node)) workers_.at(uid).machine->set_lag(lag);
}

void PodManager::queue_write(const Worker& worker) {
  const auto lag = lags_.find(worker.node);
  lag == lags_.end() ? queue_.add(worker.uid) : queue_.add_after(worker.uid, lag->second);
}

std::unique_ptr<PodMachine> PodManager::make_machine(const json::value& pod, const PodPlace& place,
                                                     const std::string& node, bool lost) const {
  PodTraits traits = runner_.traits_of(pod);
  traits.lost = lost;
  auto machine = std::make_unique<PodMachine>(pod, place, catalog_, now(), std::move(traits));
  if (const auto lag = lags_.find(node); lag != lags_.end()) machine->set_lag(lag->second);
  return machine;
}

void PodManager::power_off(const std::string& node) {
  cut_off(node);
  for (const std::string& uid : uids_of(node)) {
    Worker& worker = workers_.at(uid);
    executor_.cancel(worker.timer);
    worker.held = false;
    runner_.stop(uid);
  }
}

bool PodManager::any_process(const std::string& node) const {
  for (const std::string& uid : uids_of(node)) {
    if (runner_.any_process(uid)) return true;
  }
  return false;
}

// Each is what a kubelet finds after the boot of its machine: the pod as the API has it, its files,
// and no container.
void PodManager::power_on(const std::string& node) {
  for (const std::string& uid : uids_of(node)) {
    Worker& worker = workers_.at(uid);
    if (worker.finished) continue;
    const PodPlace place = worker.machine->place();
    worker.machine = make_machine(with_status(worker), place, node, true);
    PodStep seen;
    worker.machine->observe(*worker.pod, now(), &seen);
    act(worker, seen);
    run(worker);
  }
}

std::string PodManager::node_of_address(const std::string& address) const {
  in_addr parsed{};
  if (inet_pton(AF_INET, address.c_str(), &parsed) != 1) return {};
  const auto found = addresses_.find(ntohl(parsed.s_addr));
  return found == addresses_.end() ? std::string() : found->second;
}

}  // namespace coracle::kubelet
