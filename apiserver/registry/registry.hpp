// Registry: answers resource requests: finds the resource, negotiates, and gives the request to the
// part that knows the verb. One for all kinds.
//
// Thread: apiserver strand. The Machinery, admission and the ports outlive it.
#pragma once

#include "apiserver/registry/connector.hpp"
#include "apiserver/registry/reader.hpp"
#include "apiserver/registry/remover.hpp"
#include "apiserver/registry/subresources.hpp"
#include "apiserver/registry/writer.hpp"

namespace coracle::apiserver {

class TokenIssuer;
class WatchStream;

class Registry {
 public:
  Registry(Machinery& machinery, ServiceRanges ranges, BackendPort* backends,
           const TokenIssuer* tokens);

  // nullopt: the exchange was taken over (watch, log, exec, ...).
  Task<Outcome<std::optional<net::Response>>> serve(Context& c);

  // Ends every watch in order.
  void end_watches();
  // Those of a cache that goes away.
  void end_watches_of(const ResourceCache& cache);

  StoreAccess& access() { return access_; }
  Remover& remover() { return remover_; }
  ServiceAllocator& services() { return services_; }

 private:
  Outcome<Done> locate(Context& c) const;
  Outcome<Done> check_options(Context& c) const;
  // exec, attach, port-forward, proxies, logs: the exchange is taken over.
  Task<Outcome<std::optional<net::Response>>> connect(Context& c);
  Task<Outcome<std::optional<net::Response>>> dispatch(Context& c);
  Task<Outcome<std::optional<net::Response>>> dispatch_subresource(Context& c);
  Task<Outcome<std::optional<net::Response>>> watch(Context& c);
  void start_watch(Context& c, Selection selection, ListOptions options, bool initial,
                   std::int64_t after);

  Machinery& m_;
  StoreAccess access_;
  Admission admission_;
  ServiceAllocator services_;
  Reader reader_;
  Writer writer_;
  Remover remover_;
  Subresources subresources_;
  Connector connector_;
  const TokenIssuer* const tokens_;
  std::vector<std::weak_ptr<WatchStream>> watches_;  // the dead are swept when it has doubled
  std::size_t sweep_at_ = 64;
};

}  // namespace coracle::apiserver
