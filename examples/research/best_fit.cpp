// A scheduler plugin in a shared object: pods go where the least of a resource stays free, and
// nodes that would keep less than `reserve` of it are filtered out.
//
//   c++ -shared -fPIC -I build/include/coracle -o best_fit.so examples/research/best_fit.cpp
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "coracle_plugin.h"

namespace {

constexpr coracle_text kCpu{"cpu", 3};

struct BestFit {
  const coracle_host* host;
  int64_t reserve;  // thousandths of a core

  int64_t left(const coracle_pod* pod, const coracle_node* node) const {
    return host->node_allocatable(node, kCpu) - host->node_requested(node, kCpu) -
           host->pod_request(pod, kCpu);
  }
};

// args: {"reserve": 500}; a real plugin takes a JSON library.
void* create(const coracle_host* host, coracle_text args, coracle_reason why_not) {
  const std::string text(args.data, args.size);
  const std::string member = "{\"reserve\":";
  if (text == "null") return new BestFit{host, 0};
  if (text.compare(0, member.size(), member) != 0) {
    std::snprintf(why_not.data, why_not.size, "want {\"reserve\": THOUSANDTHS}, got %s",
                  text.c_str());
    return nullptr;
  }
  return new BestFit{host, std::atoll(text.c_str() + member.size())};
}

coracle_verdict filter(void* self, const coracle_pod* pod, const coracle_node* node, void*,
                       coracle_reason reason) {
  const BestFit& me = *static_cast<BestFit*>(self);
  if (me.left(pod, node) >= me.reserve) return CORACLE_YES;
  std::snprintf(reason.data, reason.size, "would keep less than %lldm cpu",
                static_cast<long long>(me.reserve));
  return CORACLE_NOT_NOW;
}

// What stays free, in percent of the node.
int64_t score(void* self, const coracle_pod* pod, const coracle_node* node, void*) {
  const BestFit& me = *static_cast<BestFit*>(self);
  const int64_t all = me.host->node_allocatable(node, kCpu);
  return all == 0 ? 0 : 100 - std::max<int64_t>(0, 100 * me.left(pod, node) / all);
}

const coracle_plugin kPlugin = {CORACLE_PLUGIN_ABI_VERSION,
                                create,
                                [](void* self) { delete static_cast<BestFit*>(self); },
                                nullptr,
                                nullptr,
                                filter,
                                score,
                                nullptr};

}  // namespace

extern "C" const coracle_plugin* coracle_plugin_entry(void) { return &kPlugin; }
