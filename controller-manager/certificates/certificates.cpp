#include "certificates/certificates.hpp"

#include "api/object.hpp"

namespace coracle::controllers {

void CertificateController::touched(const World&, const client::Gvr&, const json::value*,
                                    const json::value* after, const Enqueue& enqueue) const {
  if (after != nullptr) enqueue(std::string(api::name_of(*after)));
}

}  // namespace coracle::controllers
