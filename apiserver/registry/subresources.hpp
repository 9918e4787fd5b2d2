// Subresources other than status: scale, binding, eviction, finalize, log and the streaming ones.
#pragma once

#include <functional>

#include "apiserver/registry/reader.hpp"
#include "apiserver/registry/remover.hpp"
#include "apiserver/registry/writer.hpp"

namespace coracle::apiserver {

// How the apiserver reaches a kubelet: GET `target` there, and pipe the answer into the exchange.
// Owned by the driver; null in worlds without kubelets.
class KubeletPort {
 public:
  virtual ~KubeletPort() = default;
  virtual void pipe(std::string host, int port, std::string target,
                    std::shared_ptr<net::Exchange> exchange) = 0;
};

class Subresources {
 public:
  Subresources(Machinery& machinery, StoreAccess& access, Reader& reader, Writer& writer,
               Remover& remover, Admission& admission, KubeletPort* kubelets)
      : m_(machinery),
        access_(access),
        reader_(reader),
        writer_(writer),
        remover_(remover),
        admission_(admission),
        kubelets_(kubelets) {}

  // A Reply, or nothing when the exchange was taken over (log).
  Task<Outcome<std::optional<net::Response>>> handle(Context& c);

 private:
  Task<Reply> get_scale(Context& c);
  Task<Reply> put_scale(Context& c);
  Task<Reply> patch_scale(Context& c);
  Task<Reply> apply_scale(Context& c, Patch patch);
  Reply reply_scale(const Context& c, const Saved& saved) const;
  Task<Outcome<Saved>> write_scale(Context& c,
                                   std::function<Outcome<json::value>(json::value)> make);
  Task<Reply> bind(Context& c);
  Task<Reply> evict(Context& c);
  Task<Outcome<Done>> spend_budget(Context& c, const json::value& pod);
  Task<Reply> finalize(Context& c);
  Task<Outcome<std::optional<net::Response>>> log(Context& c);
  Task<Outcome<json::value>> read_fresh(Context& c);

  Machinery& m_;
  StoreAccess& access_;
  Reader& reader_;
  Writer& writer_;
  Remover& remover_;
  Admission& admission_;
  KubeletPort* const kubelets_;
};

}  // namespace coracle::apiserver
