// Connector: the subresources that join a client to something that runs: log, exec, attach and
// portforward of pods (through the kubelet of their node), and proxy of pods, services and nodes.
// It finds where, and asks the BackendPort to go there.
#pragma once

#include "apiserver/registry/backends.hpp"
#include "apiserver/registry/reader.hpp"

namespace coracle::apiserver {

// One of those: no object comes back, so Accept asks for nothing of ours, and any method may be
// proxied.
bool is_connection(std::string_view subresource);

class Connector {
 public:
  Connector(Machinery& machinery, Reader& reader, BackendPort* backends)
      : m_(machinery), reader_(reader), backends_(backends) {}

  // A Reply, or nothing when the exchange was given to the backend.
  Task<Outcome<std::optional<net::Response>>> connect(Context& c);

 private:
  using MaybeReply = Outcome<std::optional<net::Response>>;

  Task<MaybeReply> stream(Context& c);
  Task<MaybeReply> proxy(Context& c);
  Outcome<Backend> proxy_pod(const Context& c) const;
  Outcome<Backend> proxy_service(const Context& c) const;
  Outcome<Backend> proxy_node(const Context& c) const;
  Outcome<Backend> kubelet_of(const std::string& node) const;
  // From the caches, as they are.
  Outcome<json::value> object(std::string_view plural, const std::string& ns,
                              const std::string& name) const;

  Machinery& m_;
  Reader& reader_;
  BackendPort* const backends_;
};

}  // namespace coracle::apiserver
