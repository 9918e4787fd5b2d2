#include "api/object.hpp"
#include "certificates/certificates.hpp"
#include "certificates/request.hpp"

namespace coracle::controllers {
namespace {

constexpr char kKubeletClient[] = "kubernetes.io/kube-apiserver-client-kubelet";
const client::Gvr kReviews{"authorization.k8s.io", "v1", "subjectaccessreviews", false};

// May the requestor create this subresource of requests?
json::value review_of(const json::value& request, const char* subresource) {
  json::value review =
      json::object{{"apiVersion", "authorization.k8s.io/v1"}, {"kind", "SubjectAccessReview"}};
  json::object& spec = make_object(review, "spec");
  spec["user"] = get_string(request, "spec.username");
  const auto uid = get_string(request, "spec.uid");
  if (!uid.empty()) spec["uid"] = uid;
  spec["groups"] = get_array(request, "spec.groups");
  const json::object& extra = get_object(request, "spec.extra");
  if (!extra.empty()) spec["extra"] = extra;
  spec["resourceAttributes"] = json::object{{"group", "certificates.k8s.io"},
                                            {"resource", "certificatesigningrequests"},
                                            {"subresource", subresource},
                                            {"verb", "create"},
                                            {"version", "*"}};
  return review;
}

}  // namespace

Plan CertificateApprover::reconcile(const World& world, const std::string& key, Instant now) const {
  Plan plan;
  const ObjectPtr request = world.get(gvr::kCertificateSigningRequests, "", key);
  if (request == nullptr || csr::is_issued(*request) || csr::is(*request, "Approved") ||
      csr::is(*request, "Denied") || get_string(*request, "spec.signerName") != kKubeletClient) {
    return plan;
  }
  plan.about = request;
  const auto facts = tools_.read(csr::pem_of(*request));
  if (!facts.ok()) return plan;
  if (!why_not_signed(kKubeletClient, *facts, csr::usages_of(*request)).empty()) return plan;
  const bool own = get_string(*request, "spec.username") == facts->common_name;
  plan.ask(kReviews, review_of(*request, own ? "selfnodeclient" : "nodeclient"),
           [](const json::value& answer) { return get_bool(answer, "status.allowed"); });
  json::value approved = *request;
  csr::add_verdict(approved, "Approved", "AutoApproved",
                   own ? "Auto approving self kubelet client certificate after "
                         "SubjectAccessReview."
                       : "Auto approving kubelet client certificate after SubjectAccessReview.",
                   now.wall);
  plan.update_subresource(gvr::kCertificateSigningRequests, "approval", std::move(approved));
  return plan;
}

}  // namespace coracle::controllers
