// Every default role, as the server stores it, against every verb on every kind it may name:
// compared with what upstream publishes (1.36), written out as who may do what.
#include <catch2/catch.hpp>

#include <set>

#include "apiserver/rbac/default_policy.hpp"
#include "apiserver/testing/api_world.hpp"
#include "base/strings.hpp"

namespace coracle::apiserver::rbac {
namespace {

constexpr std::string_view kResources =
    R"(pods pods/log pods/status pods/exec pods/binding pods/eviction nodes nodes/status nodes/proxy services services/status services/proxy endpoints secrets configmaps serviceaccounts serviceaccounts/token namespaces namespaces/finalize events persistentvolumes persistentvolumeclaims persistentvolumeclaims/status replicationcontrollers replicationcontrollers/scale limitranges resourcequotas resourcequotas/status podtemplates bindings apps/deployments apps/deployments/status apps/deployments/scale apps/replicasets apps/replicasets/status apps/statefulsets apps/statefulsets/status apps/daemonsets apps/daemonsets/status apps/controllerrevisions batch/jobs batch/jobs/status batch/cronjobs batch/cronjobs/status autoscaling/horizontalpodautoscalers autoscaling/horizontalpodautoscalers/status policy/poddisruptionbudgets policy/poddisruptionbudgets/status discovery.k8s.io/endpointslices networking.k8s.io/ingresses networking.k8s.io/networkpolicies networking.k8s.io/ingressclasses networking.k8s.io/servicecidrs networking.k8s.io/ipaddresses coordination.k8s.io/leases events.k8s.io/events node.k8s.io/runtimeclasses scheduling.k8s.io/priorityclasses storage.k8s.io/storageclasses storage.k8s.io/csinodes storage.k8s.io/csidrivers storage.k8s.io/volumeattachments storage.k8s.io/csistoragecapacities rbac.authorization.k8s.io/roles rbac.authorization.k8s.io/rolebindings rbac.authorization.k8s.io/clusterroles rbac.authorization.k8s.io/clusterrolebindings authentication.k8s.io/tokenreviews authentication.k8s.io/selfsubjectreviews authorization.k8s.io/subjectaccessreviews authorization.k8s.io/selfsubjectaccessreviews authorization.k8s.io/selfsubjectrulesreviews authorization.k8s.io/localsubjectaccessreviews certificates.k8s.io/certificatesigningrequests certificates.k8s.io/certificatesigningrequests/approval certificates.k8s.io/certificatesigningrequests/status resource.k8s.io/resourceclaims resource.k8s.io/resourceclaims/status resource.k8s.io/resourceclaimtemplates resource.k8s.io/resourceslices resource.k8s.io/deviceclasses apiextensions.k8s.io/customresourcedefinitions admissionregistration.k8s.io/validatingadmissionpolicies example.com/widgets example.com/widgets/scale)";
constexpr std::string_view kVerbs =
    "get list watch create update patch delete deletecollection impersonate escalate bind";
constexpr std::string_view kPaths =
    "/api /api/v1 /apis/apps /healthz /healthz/etcd /livez /readyz /metrics /version /openapi/v3 "
    "/.well-known/openid-configuration /openid/v1/jwks /logs";

// "# ROLE [in NAMESPACE]", then "VERBS : RESOURCES" (each but in one line) and "path : PATHS".
// Rules for certain names only are in the next table.
constexpr std::string_view kPublished = R"(
# admin
create : pods/eviction serviceaccounts/token authorization.k8s.io/localsubjectaccessreviews
get list watch : pods/log pods/status services/status endpoints namespaces persistentvolumeclaims/status limitranges resourcequotas resourcequotas/status bindings apps/deployments/status apps/replicasets/status apps/statefulsets/status apps/daemonsets/status apps/controllerrevisions batch/jobs/status batch/cronjobs/status autoscaling/horizontalpodautoscalers/status policy/poddisruptionbudgets/status discovery.k8s.io/endpointslices resource.k8s.io/resourceclaims/status
get list watch create update patch delete deletecollection : pods pods/exec services services/proxy secrets configmaps events events.k8s.io/events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale apps/deployments apps/deployments/scale apps/replicasets apps/statefulsets apps/daemonsets batch/jobs batch/cronjobs autoscaling/horizontalpodautoscalers policy/poddisruptionbudgets networking.k8s.io/ingresses networking.k8s.io/networkpolicies coordination.k8s.io/leases rbac.authorization.k8s.io/roles rbac.authorization.k8s.io/rolebindings resource.k8s.io/resourceclaims resource.k8s.io/resourceclaimtemplates
get list watch create update patch delete deletecollection impersonate : serviceaccounts
# cluster-admin
all : EVERYTHING
path : /api /api/v1 /apis/apps /healthz /healthz/etcd /livez /readyz /metrics /version /openapi/v3 /.well-known/openid-configuration /openid/v1/jwks /logs
# coracle:device-publisher
get list watch create update patch delete : resource.k8s.io/resourceslices
# coracle:ingress-controller
list watch : networking.k8s.io/ingressclasses networking.k8s.io/ingresses
# coracle:kube-controller-manager
get list watch update patch delete deletecollection : pods/log pods/status pods/exec pods/eviction nodes nodes/status nodes/proxy services services/status services/proxy secrets serviceaccounts/token namespaces namespaces/finalize persistentvolumeclaims/status replicationcontrollers replicationcontrollers/scale limitranges resourcequotas resourcequotas/status podtemplates bindings apps/deployments apps/deployments/status apps/deployments/scale apps/replicasets/status apps/statefulsets apps/statefulsets/status apps/daemonsets apps/daemonsets/status batch/jobs/status batch/cronjobs batch/cronjobs/status autoscaling/horizontalpodautoscalers autoscaling/horizontalpodautoscalers/status policy/poddisruptionbudgets policy/poddisruptionbudgets/status networking.k8s.io/ingresses networking.k8s.io/networkpolicies networking.k8s.io/ingressclasses networking.k8s.io/servicecidrs networking.k8s.io/ipaddresses coordination.k8s.io/leases node.k8s.io/runtimeclasses scheduling.k8s.io/priorityclasses storage.k8s.io/storageclasses storage.k8s.io/csinodes storage.k8s.io/csidrivers storage.k8s.io/csistoragecapacities rbac.authorization.k8s.io/roles rbac.authorization.k8s.io/rolebindings rbac.authorization.k8s.io/clusterrolebindings authentication.k8s.io/tokenreviews authentication.k8s.io/selfsubjectreviews authorization.k8s.io/selfsubjectaccessreviews authorization.k8s.io/selfsubjectrulesreviews authorization.k8s.io/localsubjectaccessreviews certificates.k8s.io/certificatesigningrequests certificates.k8s.io/certificatesigningrequests/approval certificates.k8s.io/certificatesigningrequests/status resource.k8s.io/resourceclaims/status resource.k8s.io/resourceclaimtemplates resource.k8s.io/resourceslices resource.k8s.io/deviceclasses apiextensions.k8s.io/customresourcedefinitions admissionregistration.k8s.io/validatingadmissionpolicies example.com/widgets example.com/widgets/scale
get list watch create update patch delete deletecollection : pods pods/binding endpoints configmaps serviceaccounts events persistentvolumes persistentvolumeclaims apps/replicasets apps/controllerrevisions batch/jobs discovery.k8s.io/endpointslices events.k8s.io/events storage.k8s.io/volumeattachments authorization.k8s.io/subjectaccessreviews resource.k8s.io/resourceclaims
get list watch update patch delete deletecollection escalate : rbac.authorization.k8s.io/clusterroles
# coracle:network-policy
list watch : pods namespaces networking.k8s.io/networkpolicies
# edit
create : pods/eviction serviceaccounts/token
get list watch : pods/log pods/status services/status endpoints namespaces persistentvolumeclaims/status limitranges resourcequotas resourcequotas/status bindings apps/deployments/status apps/replicasets/status apps/statefulsets/status apps/daemonsets/status apps/controllerrevisions batch/jobs/status batch/cronjobs/status autoscaling/horizontalpodautoscalers/status policy/poddisruptionbudgets/status discovery.k8s.io/endpointslices resource.k8s.io/resourceclaims/status
get list watch create update patch delete deletecollection : pods pods/exec services services/proxy secrets configmaps events events.k8s.io/events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale apps/deployments apps/deployments/scale apps/replicasets apps/statefulsets apps/daemonsets batch/jobs batch/cronjobs autoscaling/horizontalpodautoscalers policy/poddisruptionbudgets networking.k8s.io/ingresses networking.k8s.io/networkpolicies coordination.k8s.io/leases resource.k8s.io/resourceclaims resource.k8s.io/resourceclaimtemplates
get list watch create update patch delete deletecollection impersonate : serviceaccounts
# system:aggregate-to-admin
create : authorization.k8s.io/localsubjectaccessreviews
get list watch create update patch delete deletecollection : rbac.authorization.k8s.io/roles rbac.authorization.k8s.io/rolebindings
# system:aggregate-to-edit
create : pods/eviction serviceaccounts/token
create update patch delete deletecollection : pods services configmaps events events.k8s.io/events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale apps/deployments apps/deployments/scale apps/replicasets apps/statefulsets apps/daemonsets batch/jobs batch/cronjobs autoscaling/horizontalpodautoscalers policy/poddisruptionbudgets networking.k8s.io/ingresses networking.k8s.io/networkpolicies resource.k8s.io/resourceclaims resource.k8s.io/resourceclaimtemplates
create update patch delete deletecollection impersonate : serviceaccounts
get list watch create update patch delete deletecollection : pods/exec services/proxy secrets coordination.k8s.io/leases
# system:aggregate-to-view
get list watch : pods pods/log pods/status services services/status endpoints configmaps serviceaccounts namespaces events events.k8s.io/events persistentvolumeclaims persistentvolumeclaims/status replicationcontrollers replicationcontrollers/scale limitranges resourcequotas resourcequotas/status bindings apps/deployments apps/deployments/status apps/deployments/scale apps/replicasets apps/replicasets/status apps/statefulsets apps/statefulsets/status apps/daemonsets apps/daemonsets/status apps/controllerrevisions batch/jobs batch/jobs/status batch/cronjobs batch/cronjobs/status autoscaling/horizontalpodautoscalers autoscaling/horizontalpodautoscalers/status policy/poddisruptionbudgets policy/poddisruptionbudgets/status discovery.k8s.io/endpointslices networking.k8s.io/ingresses networking.k8s.io/networkpolicies resource.k8s.io/resourceclaims resource.k8s.io/resourceclaims/status resource.k8s.io/resourceclaimtemplates
# system:auth-delegator
create : authentication.k8s.io/tokenreviews authorization.k8s.io/subjectaccessreviews
# system:basic-user
create : authentication.k8s.io/selfsubjectreviews authorization.k8s.io/selfsubjectaccessreviews authorization.k8s.io/selfsubjectrulesreviews
# system:certificates.k8s.io:certificatesigningrequests:nodeclient
# system:certificates.k8s.io:certificatesigningrequests:selfnodeclient
# system:certificates.k8s.io:kube-apiserver-client-approver
# system:certificates.k8s.io:kube-apiserver-client-kubelet-approver
# system:certificates.k8s.io:kubelet-serving-approver
# system:certificates.k8s.io:legacy-unknown-approver
# system:controller:attachdetach-controller
list watch : pods persistentvolumes persistentvolumeclaims
update patch : nodes/status
create update patch : events events.k8s.io/events
get list watch : nodes storage.k8s.io/csinodes storage.k8s.io/csidrivers
get list watch create delete : storage.k8s.io/volumeattachments
# system:controller:certificate-controller
create : authorization.k8s.io/subjectaccessreviews
update : certificates.k8s.io/certificatesigningrequests/approval certificates.k8s.io/certificatesigningrequests/status
create update patch : events events.k8s.io/events
get list watch delete : certificates.k8s.io/certificatesigningrequests
# system:controller:clusterrole-aggregation-controller
get list watch update patch escalate : rbac.authorization.k8s.io/clusterroles
# system:controller:cronjob-controller
update : batch/cronjobs/status
create update patch : events events.k8s.io/events
list watch delete : pods
get list watch update : batch/cronjobs
get list watch create update patch delete : batch/jobs
# system:controller:daemon-set-controller
create : pods/binding
update : apps/daemonsets/status
list watch : nodes
create update patch : events events.k8s.io/events
get list watch : apps/daemonsets
list watch create patch delete : pods
get list watch create update patch delete : apps/controllerrevisions
# system:controller:deployment-controller
update : apps/deployments/status
create update patch : events events.k8s.io/events
get list watch update : pods apps/deployments
get list watch create update patch delete : apps/replicasets
# system:controller:device-taint-eviction-controller
update patch : pods/status
create update patch : events events.k8s.io/events
get list watch : resource.k8s.io/resourceclaims resource.k8s.io/resourceslices resource.k8s.io/deviceclasses
get list watch delete : pods
# system:controller:disruption-controller
get : replicationcontrollers/scale apps/deployments/scale example.com/widgets/scale
update : policy/poddisruptionbudgets/status
update patch : pods/status
create update patch : events events.k8s.io/events
get list watch : replicationcontrollers apps/deployments apps/replicasets apps/statefulsets policy/poddisruptionbudgets
# system:controller:endpoint-controller
create update patch : events events.k8s.io/events
get list watch : pods services
get list watch create update delete : endpoints
# system:controller:endpointslice-controller
create update patch : events events.k8s.io/events
get list watch : pods nodes services
get list watch create update delete : discovery.k8s.io/endpointslices
# system:controller:endpointslicemirroring-controller
create update patch : events events.k8s.io/events
get list watch : services endpoints
get list watch create update delete : discovery.k8s.io/endpointslices
# system:controller:ephemeral-volume-controller
create update patch : events events.k8s.io/events
get list watch : pods
get list watch create : persistentvolumeclaims
# system:controller:expand-controller
update patch : persistentvolumeclaims/status
create update patch : events events.k8s.io/events
get list watch : persistentvolumeclaims
get list watch update patch : persistentvolumes
# system:controller:generic-garbage-collector
get list watch update patch delete : pods pods/log pods/status pods/exec pods/binding pods/eviction nodes nodes/status nodes/proxy services services/status services/proxy endpoints secrets configmaps serviceaccounts serviceaccounts/token namespaces namespaces/finalize persistentvolumes persistentvolumeclaims persistentvolumeclaims/status replicationcontrollers replicationcontrollers/scale limitranges resourcequotas resourcequotas/status podtemplates bindings apps/deployments apps/deployments/status apps/deployments/scale apps/replicasets apps/replicasets/status apps/statefulsets apps/statefulsets/status apps/daemonsets apps/daemonsets/status apps/controllerrevisions batch/jobs batch/jobs/status batch/cronjobs batch/cronjobs/status autoscaling/horizontalpodautoscalers autoscaling/horizontalpodautoscalers/status policy/poddisruptionbudgets policy/poddisruptionbudgets/status discovery.k8s.io/endpointslices networking.k8s.io/ingresses networking.k8s.io/networkpolicies networking.k8s.io/ingressclasses networking.k8s.io/servicecidrs networking.k8s.io/ipaddresses coordination.k8s.io/leases node.k8s.io/runtimeclasses scheduling.k8s.io/priorityclasses storage.k8s.io/storageclasses storage.k8s.io/csinodes storage.k8s.io/csidrivers storage.k8s.io/volumeattachments storage.k8s.io/csistoragecapacities rbac.authorization.k8s.io/roles rbac.authorization.k8s.io/rolebindings rbac.authorization.k8s.io/clusterroles rbac.authorization.k8s.io/clusterrolebindings authentication.k8s.io/tokenreviews authentication.k8s.io/selfsubjectreviews authorization.k8s.io/subjectaccessreviews authorization.k8s.io/selfsubjectaccessreviews authorization.k8s.io/selfsubjectrulesreviews authorization.k8s.io/localsubjectaccessreviews certificates.k8s.io/certificatesigningrequests certificates.k8s.io/certificatesigningrequests/approval certificates.k8s.io/certificatesigningrequests/status resource.k8s.io/resourceclaims resource.k8s.io/resourceclaims/status resource.k8s.io/resourceclaimtemplates resource.k8s.io/resourceslices resource.k8s.io/deviceclasses apiextensions.k8s.io/customresourcedefinitions admissionregistration.k8s.io/validatingadmissionpolicies example.com/widgets example.com/widgets/scale
get list watch create update patch delete : events events.k8s.io/events
# system:controller:horizontal-pod-autoscaler
update : autoscaling/horizontalpodautoscalers/status
get update : replicationcontrollers/scale apps/deployments/scale example.com/widgets/scale
list watch : pods
create update patch : events events.k8s.io/events
get list watch : autoscaling/horizontalpodautoscalers
# system:controller:job-controller
update : batch/jobs/status
create update patch : events events.k8s.io/events
get list watch update patch : batch/jobs
list watch create patch delete : pods
# system:controller:legacy-service-account-token-cleaner
patch delete : secrets
# system:controller:namespace-controller
get list watch delete deletecollection : pods pods/log pods/status pods/exec pods/binding pods/eviction nodes nodes/status nodes/proxy services services/status services/proxy endpoints secrets configmaps serviceaccounts serviceaccounts/token namespaces events persistentvolumes persistentvolumeclaims persistentvolumeclaims/status replicationcontrollers replicationcontrollers/scale limitranges resourcequotas resourcequotas/status podtemplates bindings apps/deployments apps/deployments/status apps/deployments/scale apps/replicasets apps/replicasets/status apps/statefulsets apps/statefulsets/status apps/daemonsets apps/daemonsets/status apps/controllerrevisions batch/jobs batch/jobs/status batch/cronjobs batch/cronjobs/status autoscaling/horizontalpodautoscalers autoscaling/horizontalpodautoscalers/status policy/poddisruptionbudgets policy/poddisruptionbudgets/status discovery.k8s.io/endpointslices networking.k8s.io/ingresses networking.k8s.io/networkpolicies networking.k8s.io/ingressclasses networking.k8s.io/servicecidrs networking.k8s.io/ipaddresses coordination.k8s.io/leases events.k8s.io/events node.k8s.io/runtimeclasses scheduling.k8s.io/priorityclasses storage.k8s.io/storageclasses storage.k8s.io/csinodes storage.k8s.io/csidrivers storage.k8s.io/volumeattachments storage.k8s.io/csistoragecapacities rbac.authorization.k8s.io/roles rbac.authorization.k8s.io/rolebindings rbac.authorization.k8s.io/clusterroles rbac.authorization.k8s.io/clusterrolebindings authentication.k8s.io/tokenreviews authentication.k8s.io/selfsubjectreviews authorization.k8s.io/subjectaccessreviews authorization.k8s.io/selfsubjectaccessreviews authorization.k8s.io/selfsubjectrulesreviews authorization.k8s.io/localsubjectaccessreviews certificates.k8s.io/certificatesigningrequests certificates.k8s.io/certificatesigningrequests/approval certificates.k8s.io/certificatesigningrequests/status resource.k8s.io/resourceclaims resource.k8s.io/resourceclaims/status resource.k8s.io/resourceclaimtemplates resource.k8s.io/resourceslices resource.k8s.io/deviceclasses apiextensions.k8s.io/customresourcedefinitions admissionregistration.k8s.io/validatingadmissionpolicies example.com/widgets example.com/widgets/scale
get list watch update delete deletecollection : namespaces/finalize
# system:controller:node-controller
update patch : pods/status nodes/status
create update patch : events events.k8s.io/events
get list watch : coordination.k8s.io/leases
get list watch delete : pods
get list watch update patch delete : nodes
# system:controller:persistent-volume-binder
update : persistentvolumeclaims/status
list watch : nodes
create update patch : events.k8s.io/events
get list watch : storage.k8s.io/storageclasses
get list watch update : persistentvolumeclaims
watch create update patch : events
get list watch create delete : pods
get list watch create update delete : persistentvolumes
# system:controller:pod-garbage-collector
patch : pods/status
get list watch : nodes
list watch delete : pods
# system:controller:pv-protection-controller
create update patch : events events.k8s.io/events
get list watch update : persistentvolumes
# system:controller:pvc-protection-controller
update : persistentvolumeclaims/status
create update patch : events events.k8s.io/events
get list watch : pods
get list watch update : persistentvolumeclaims
# system:controller:replicaset-controller
update : apps/replicasets/status
create update patch : events events.k8s.io/events
get list watch update : apps/replicasets
list watch create patch delete : pods
# system:controller:replication-controller
create update patch : events events.k8s.io/events
get list watch update : replicationcontrollers
list watch create patch delete : pods
# system:controller:resource-claim-controller
update patch : pods/status resource.k8s.io/resourceclaims/status
create update patch : events events.k8s.io/events
get list watch : pods
get list watch create update patch delete : resource.k8s.io/resourceclaims
# system:controller:resourcequota-controller
list watch : pods pods/log pods/status pods/exec pods/binding pods/eviction nodes nodes/status nodes/proxy services services/status services/proxy endpoints secrets configmaps serviceaccounts serviceaccounts/token namespaces namespaces/finalize persistentvolumes persistentvolumeclaims persistentvolumeclaims/status replicationcontrollers replicationcontrollers/scale limitranges resourcequotas podtemplates bindings apps/deployments apps/deployments/status apps/deployments/scale apps/replicasets apps/replicasets/status apps/statefulsets apps/statefulsets/status apps/daemonsets apps/daemonsets/status apps/controllerrevisions batch/jobs batch/jobs/status batch/cronjobs batch/cronjobs/status autoscaling/horizontalpodautoscalers autoscaling/horizontalpodautoscalers/status policy/poddisruptionbudgets policy/poddisruptionbudgets/status discovery.k8s.io/endpointslices networking.k8s.io/ingresses networking.k8s.io/networkpolicies networking.k8s.io/ingressclasses networking.k8s.io/servicecidrs networking.k8s.io/ipaddresses coordination.k8s.io/leases node.k8s.io/runtimeclasses scheduling.k8s.io/priorityclasses storage.k8s.io/storageclasses storage.k8s.io/csinodes storage.k8s.io/csidrivers storage.k8s.io/volumeattachments storage.k8s.io/csistoragecapacities rbac.authorization.k8s.io/roles rbac.authorization.k8s.io/rolebindings rbac.authorization.k8s.io/clusterroles rbac.authorization.k8s.io/clusterrolebindings authentication.k8s.io/tokenreviews authentication.k8s.io/selfsubjectreviews authorization.k8s.io/subjectaccessreviews authorization.k8s.io/selfsubjectaccessreviews authorization.k8s.io/selfsubjectrulesreviews authorization.k8s.io/localsubjectaccessreviews certificates.k8s.io/certificatesigningrequests certificates.k8s.io/certificatesigningrequests/approval certificates.k8s.io/certificatesigningrequests/status resource.k8s.io/resourceclaims resource.k8s.io/resourceclaims/status resource.k8s.io/resourceclaimtemplates resource.k8s.io/resourceslices resource.k8s.io/deviceclasses apiextensions.k8s.io/customresourcedefinitions admissionregistration.k8s.io/validatingadmissionpolicies example.com/widgets example.com/widgets/scale
list watch update : resourcequotas/status
list watch create update patch : events events.k8s.io/events
# system:controller:root-ca-cert-publisher
create update : configmaps
create update patch : events events.k8s.io/events
# system:controller:route-controller
patch : nodes/status
list watch : nodes
create update patch : events events.k8s.io/events
# system:controller:selinux-warning-controller
create update patch : events events.k8s.io/events
get list watch : pods persistentvolumes persistentvolumeclaims storage.k8s.io/csidrivers
# system:controller:service-account-controller
create : serviceaccounts
create update patch : events events.k8s.io/events
# system:controller:service-cidrs-controller
create update patch : events events.k8s.io/events
get list watch : networking.k8s.io/ipaddresses
get list watch update patch : networking.k8s.io/servicecidrs
# system:controller:service-controller
list watch : nodes
update patch : services/status
create update patch : events events.k8s.io/events
get list watch : services
# system:controller:statefulset-controller
update : apps/statefulsets/status
create update patch : events events.k8s.io/events
get list watch : apps/statefulsets
get list watch create update delete : persistentvolumeclaims
get list watch create update patch delete : pods apps/controllerrevisions
# system:controller:ttl-after-finished-controller
create update patch : events events.k8s.io/events
get list watch delete : batch/jobs
# system:controller:ttl-controller
create update patch : events events.k8s.io/events
list watch update patch : nodes
# system:controller:validatingadmissionpolicy-status-controller
create update patch : events events.k8s.io/events
get list watch : admissionregistration.k8s.io/validatingadmissionpolicies
# system:controller:volumeattributesclass-protection-controller
create update patch : events events.k8s.io/events
get list watch : persistentvolumes persistentvolumeclaims
# system:discovery
path : /api /api/v1 /apis/apps /healthz /livez /readyz /version /openapi/v3
# system:heapster
get list watch : pods nodes namespaces events
# system:kube-aggregator
get list watch : services endpoints
# system:kube-controller-manager
list watch : pods pods/log pods/status pods/exec pods/binding pods/eviction nodes nodes/status nodes/proxy services services/status services/proxy endpoints namespaces/finalize persistentvolumes persistentvolumeclaims persistentvolumeclaims/status replicationcontrollers replicationcontrollers/scale limitranges resourcequotas resourcequotas/status podtemplates bindings apps/deployments apps/deployments/status apps/deployments/scale apps/replicasets apps/replicasets/status apps/statefulsets apps/statefulsets/status apps/daemonsets apps/daemonsets/status apps/controllerrevisions batch/jobs batch/jobs/status batch/cronjobs batch/cronjobs/status autoscaling/horizontalpodautoscalers autoscaling/horizontalpodautoscalers/status policy/poddisruptionbudgets policy/poddisruptionbudgets/status discovery.k8s.io/endpointslices networking.k8s.io/ingresses networking.k8s.io/networkpolicies networking.k8s.io/ingressclasses networking.k8s.io/servicecidrs networking.k8s.io/ipaddresses node.k8s.io/runtimeclasses scheduling.k8s.io/priorityclasses storage.k8s.io/storageclasses storage.k8s.io/csinodes storage.k8s.io/csidrivers storage.k8s.io/volumeattachments storage.k8s.io/csistoragecapacities rbac.authorization.k8s.io/roles rbac.authorization.k8s.io/rolebindings rbac.authorization.k8s.io/clusterroles rbac.authorization.k8s.io/clusterrolebindings authentication.k8s.io/selfsubjectreviews authorization.k8s.io/selfsubjectaccessreviews authorization.k8s.io/selfsubjectrulesreviews authorization.k8s.io/localsubjectaccessreviews certificates.k8s.io/certificatesigningrequests certificates.k8s.io/certificatesigningrequests/approval certificates.k8s.io/certificatesigningrequests/status resource.k8s.io/resourceclaims resource.k8s.io/resourceclaims/status resource.k8s.io/resourceclaimtemplates resource.k8s.io/resourceslices resource.k8s.io/deviceclasses apiextensions.k8s.io/customresourcedefinitions admissionregistration.k8s.io/validatingadmissionpolicies example.com/widgets example.com/widgets/scale
get list watch : configmaps namespaces
list watch create : serviceaccounts/token coordination.k8s.io/leases authentication.k8s.io/tokenreviews authorization.k8s.io/subjectaccessreviews
get list watch create update : serviceaccounts
list watch create update patch : events events.k8s.io/events
get list watch create update delete : secrets
# system:kube-dns
list watch : services endpoints
# system:kube-scheduler
create : pods/binding bindings coordination.k8s.io/leases authentication.k8s.io/tokenreviews authorization.k8s.io/subjectaccessreviews
update patch : pods/status
create update patch : events events.k8s.io/events
get list watch : nodes services namespaces persistentvolumes persistentvolumeclaims replicationcontrollers apps/replicasets apps/statefulsets policy/poddisruptionbudgets storage.k8s.io/csinodes storage.k8s.io/csidrivers storage.k8s.io/volumeattachments storage.k8s.io/csistoragecapacities resource.k8s.io/resourceslices resource.k8s.io/deviceclasses
get list watch delete : pods
get list watch create update patch delete : resource.k8s.io/resourceclaims
get list watch update patch : resource.k8s.io/resourceclaims/status
# system:kubelet-api-admin
get list watch : nodes
all : nodes/proxy
# system:monitoring
path : /healthz /healthz/etcd /livez /readyz /metrics
# system:node
create : pods/eviction serviceaccounts/token authentication.k8s.io/tokenreviews authorization.k8s.io/subjectaccessreviews authorization.k8s.io/localsubjectaccessreviews
deletecollection : resource.k8s.io/resourceslices
get : endpoints serviceaccounts persistentvolumes persistentvolumeclaims storage.k8s.io/volumeattachments resource.k8s.io/resourceclaims
update patch : pods/status nodes/status
create update patch : events events.k8s.io/events
get list watch : services secrets configmaps node.k8s.io/runtimeclasses storage.k8s.io/csidrivers
get update patch : persistentvolumeclaims/status
get list watch create : certificates.k8s.io/certificatesigningrequests
get create update patch delete : coordination.k8s.io/leases storage.k8s.io/csinodes
get list watch create delete : pods
get list watch create update patch : nodes
# system:node-bootstrapper
get list watch create : certificates.k8s.io/certificatesigningrequests
# system:node-problem-detector
get : nodes
patch : nodes/status
create update patch : events events.k8s.io/events
# system:node-proxier
list watch : services endpoints discovery.k8s.io/endpointslices networking.k8s.io/servicecidrs
create update patch : events events.k8s.io/events
get list watch : nodes
# system:persistent-volume-provisioner
create update patch : events.k8s.io/events
get list watch : storage.k8s.io/storageclasses
get list watch update : persistentvolumeclaims
watch create update patch : events
get list watch create delete : persistentvolumes
# system:public-info-viewer
path : /healthz /livez /readyz /version
# system:service-account-issuer-discovery
path : /.well-known/openid-configuration /openid/v1/jwks
# system:volume-scheduler
get list watch : storage.k8s.io/storageclasses
get list watch update patch : persistentvolumes persistentvolumeclaims
# view
get list watch : pods pods/log pods/status services services/status endpoints configmaps serviceaccounts namespaces events events.k8s.io/events persistentvolumeclaims persistentvolumeclaims/status replicationcontrollers replicationcontrollers/scale limitranges resourcequotas resourcequotas/status bindings apps/deployments apps/deployments/status apps/deployments/scale apps/replicasets apps/replicasets/status apps/statefulsets apps/statefulsets/status apps/daemonsets apps/daemonsets/status apps/controllerrevisions batch/jobs batch/jobs/status batch/cronjobs batch/cronjobs/status autoscaling/horizontalpodautoscalers autoscaling/horizontalpodautoscalers/status policy/poddisruptionbudgets policy/poddisruptionbudgets/status discovery.k8s.io/endpointslices networking.k8s.io/ingresses networking.k8s.io/networkpolicies resource.k8s.io/resourceclaims resource.k8s.io/resourceclaims/status resource.k8s.io/resourceclaimtemplates
# system:controller:bootstrap-signer in kube-public
create update patch : events events.k8s.io/events
get list watch : configmaps
# extension-apiserver-authentication-reader in kube-system
# system::leader-locking-kube-controller-manager in kube-system
watch : configmaps
get list watch create update : coordination.k8s.io/leases
# system::leader-locking-kube-scheduler in kube-system
watch : configmaps
get list watch create update : coordination.k8s.io/leases
# system:controller:bootstrap-signer in kube-system
get list watch : secrets
# system:controller:cloud-provider in kube-system
get list watch create : configmaps
# system:controller:token-cleaner in kube-system
create update patch : events events.k8s.io/events
get list watch delete : secrets
)";

// "# ROLE", then "VERBS : RESOURCE : NAMES".
constexpr std::string_view kNamed = R"(
# system:certificates.k8s.io:kube-apiserver-client-approver
approve : certificates.k8s.io/signers : kubernetes.io/kube-apiserver-client
# system:certificates.k8s.io:kube-apiserver-client-kubelet-approver
approve : certificates.k8s.io/signers : kubernetes.io/kube-apiserver-client-kubelet
# system:certificates.k8s.io:kubelet-serving-approver
approve : certificates.k8s.io/signers : kubernetes.io/kubelet-serving
# system:certificates.k8s.io:legacy-unknown-approver
approve : certificates.k8s.io/signers : kubernetes.io/legacy-unknown
# system:controller:certificate-controller
approve : certificates.k8s.io/signers : kubernetes.io/kube-apiserver-client-kubelet
sign : certificates.k8s.io/signers : kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving kubernetes.io/legacy-unknown
# system:controller:legacy-service-account-token-cleaner
get : configmaps : kube-apiserver-legacy-service-account-token-tracking
# system:kube-controller-manager
get update : coordination.k8s.io/leases : kube-controller-manager
# system:kube-scheduler
get list update watch : coordination.k8s.io/leases : kube-scheduler
# extension-apiserver-authentication-reader in kube-system
get list watch : configmaps : extension-apiserver-authentication
# system::leader-locking-kube-controller-manager in kube-system
get update : configmaps : kube-controller-manager
# system::leader-locking-kube-scheduler in kube-system
get update : configmaps : kube-scheduler
# system:controller:bootstrap-signer in kube-public
update : configmaps : cluster-info
)";

std::vector<std::string> words(std::string_view text) { return split(trim(text), ' '); }

// "apps/deployments/scale" with a verb.
RequestInfo request_of(const std::string& verb, const std::string& resource) {
  std::vector<std::string> parts = split(resource, '/');
  RequestInfo info;
  info.is_resource = true;
  info.verb = verb;
  static const std::set<std::string> kShort = {"apps", "batch", "autoscaling", "policy"};
  if (parts[0].find('.') != std::string::npos || kShort.contains(parts[0])) {
    info.group = parts[0];
    parts.erase(parts.begin());
  }
  info.resource = parts[0];
  if (parts.size() > 1) info.subresource = parts[1];
  return info;
}

using Grants = std::set<std::string>;  // "VERB RESOURCE" and "path PATH"

std::map<std::string, Grants> published() {
  std::map<std::string, Grants> out;
  Grants* current = nullptr;
  for (const std::string& line : split(kPublished, '\n')) {
    if (line.empty()) continue;
    if (line.starts_with("# ")) {
      current = &out[line.substr(2)];
      continue;
    }
    const std::size_t colon = line.find(" : ");
    const std::string verbs = line.substr(0, colon), what = line.substr(colon + 3);
    for (const std::string& verb : words(verbs == "all" ? std::string(kVerbs) : verbs)) {
      for (const std::string& thing :
           words(what == "EVERYTHING" ? std::string(kResources) : what)) {
        current->insert(verb + " " + thing);
      }
    }
  }
  return out;
}

// By role, "VERB RESOURCE NAME".
std::map<std::string, Grants> published_by_name() {
  std::map<std::string, Grants> out;
  Grants* current = nullptr;
  for (const std::string& line : split(kNamed, '\n')) {
    if (line.empty()) continue;
    if (line.starts_with("# ")) {
      current = &out[line.substr(2)];
      continue;
    }
    const std::size_t first = line.find(" : "), second = line.rfind(" : ");
    const std::string resource = line.substr(first + 3, second - first - 3);
    for (const std::string& verb : words(line.substr(0, first))) {
      for (const std::string& name : words(line.substr(second + 3))) {
        current->insert(verb + " " + resource + " " + name);
      }
    }
  }
  return out;
}

Grants granted_by_name(const PolicyRules& rules) {
  Grants out;
  for (const PolicyRule& rule : rules) {
    for (const std::string& verb : rule.verbs) {
      for (const std::string& group : rule.groups) {
        for (const std::string& resource : rule.resources) {
          for (const std::string& name : rule.names) {
            out.insert(verb + " " + (group.empty() ? "" : group + "/") + resource + " " + name);
          }
        }
      }
    }
  }
  return out;
}

Grants granted(const PolicyRules& rules) {
  Grants out;
  for (const std::string& resource : words(kResources)) {
    for (const std::string& verb : words(kVerbs)) {
      if (allows(rules, request_of(verb, resource))) out.insert(verb + " " + resource);
    }
  }
  for (const std::string& path : words(kPaths)) {
    RequestInfo info;
    info.verb = "get";
    info.path = path;
    if (allows(rules, info)) out.insert("path " + path);
  }
  return out;
}

std::string differences(const Grants& a, const Grants& b) {
  std::string out;
  for (const std::string& one : a) {
    if (!b.contains(one)) out += one + "; ";
  }
  return out;
}

TEST_CASE("every default role gives what upstream's gives, for every verb and kind") {
  ApiWorld w;
  const std::string root = "/apis/rbac.authorization.k8s.io/v1";
  std::map<std::string, json::value> stored;
  const json::value cluster_roles = w.get(root + "/clusterroles");
  const json::value roles = w.get(root + "/roles");
  for (const json::value& role : get_array(cluster_roles, "items")) {
    stored[std::string(get_string(role, "metadata.name"))] = role;
  }
  for (const json::value& role : get_array(roles, "items")) {
    stored[std::string(get_string(role, "metadata.name")) + " in " +
           std::string(get_string(role, "metadata.namespace"))] = role;
  }
  const std::map<std::string, Grants> wanted = published(), named_rules = published_by_name();
  for (const auto& [name, role] : stored) {
    CAPTURE(name);
    REQUIRE(wanted.contains(name));
    const Grants have = granted(rules_of(role));
    CHECK(differences(have, wanted.at(name)) == "");
    CHECK(differences(wanted.at(name), have) == "");
    // Our controller-manager has what all controllers have.
    if (name == "coracle:kube-controller-manager") continue;
    const Grants named = granted_by_name(rules_of(role));
    const auto by_name = named_rules.find(name);
    CHECK((by_name == named_rules.end() ? named.empty() : by_name->second == named));
  }
  CHECK(stored.size() == wanted.size());
}

TEST_CASE("every default binding is there and names a role that is there") {
  ApiWorld w;
  const std::string root = "/apis/rbac.authorization.k8s.io/v1";
  const DefaultPolicy& policy = DefaultPolicy::get();
  const std::size_t made = get_array(w.get(root + "/clusterrolebindings"), "items").size() +
                           get_array(w.get(root + "/rolebindings"), "items").size();
  CHECK(made == policy.bindings.size());
  for (const DefaultBinding& binding : policy.bindings) {
    CAPTURE(binding.name);
    CHECK(policy.role(binding.ns, binding.role_name) != nullptr);
  }
}

}  // namespace
}  // namespace coracle::apiserver::rbac
