// The default roles that are not a controller's, and their bindings.
//
//   role NAME [in NAMESPACE]      begins a Role, or a ClusterRole
//   gives NAME | from NAME        its aggregation label | what it aggregates
//   VERBS | GROUPS | RESOURCES | NAMES      a rule; `core` is the group without a name, and read,
//                                           write and all stand for verbs
//   VERBS | PATHS                 a rule about paths
//   bind NAME [in NAMESPACE] ROLE [SUBJECT ...]   u:USER, g:GROUP, s:NAMESPACE/ACCOUNT; the role is
//                                                 a Role if NAMESPACE is given
#include "apiserver/rbac/default_policy.hpp"

namespace coracle::apiserver::rbac {

namespace {

constexpr std::string_view kTable = R"(
role cluster-admin
* | * | *
* | *
role admin
from admin
role edit
gives admin
from edit
role view
gives edit
from view

role system:aggregate-to-admin
gives admin
create | authorization.k8s.io | localsubjectaccessreviews
all | rbac.authorization.k8s.io | rolebindings roles

role system:aggregate-to-edit
gives edit
read | core | pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy
impersonate | core | serviceaccounts
write | core | pods pods/attach pods/exec pods/portforward pods/proxy
create | core | pods/eviction
write | core | configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy
create | core | serviceaccounts/token
write | core events.k8s.io | events
write | apps | daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale
write | autoscaling | horizontalpodautoscalers
write | batch | cronjobs jobs
write | extensions | daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale
write | policy | poddisruptionbudgets
write | networking.k8s.io | ingresses networkpolicies
all | coordination.k8s.io | leases
write | resource.k8s.io | resourceclaims resourceclaimtemplates

role system:aggregate-to-view
gives view
read | core | configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status
read | core | bindings limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status
read | core | namespaces
read | core events.k8s.io | events
read | discovery.k8s.io | endpointslices
read | apps | controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status
read | autoscaling | horizontalpodautoscalers horizontalpodautoscalers/status
read | batch | cronjobs cronjobs/status jobs jobs/status
read | extensions | daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale
read | policy | poddisruptionbudgets poddisruptionbudgets/status
read | networking.k8s.io | ingresses ingresses/status networkpolicies
read | resource.k8s.io | resourceclaims resourceclaims/status resourceclaimtemplates

role system:auth-delegator
create | authentication.k8s.io | tokenreviews
create | authorization.k8s.io | subjectaccessreviews
role system:basic-user
create | authorization.k8s.io | selfsubjectaccessreviews selfsubjectrulesreviews
create | authentication.k8s.io | selfsubjectreviews
role system:certificates.k8s.io:certificatesigningrequests:nodeclient
create | certificates.k8s.io | certificatesigningrequests/nodeclient
role system:certificates.k8s.io:certificatesigningrequests:selfnodeclient
create | certificates.k8s.io | certificatesigningrequests/selfnodeclient
role system:certificates.k8s.io:kube-apiserver-client-approver
approve | certificates.k8s.io | signers | kubernetes.io/kube-apiserver-client
role system:certificates.k8s.io:kube-apiserver-client-kubelet-approver
approve | certificates.k8s.io | signers | kubernetes.io/kube-apiserver-client-kubelet
role system:certificates.k8s.io:kubelet-serving-approver
approve | certificates.k8s.io | signers | kubernetes.io/kubelet-serving
role system:certificates.k8s.io:legacy-unknown-approver
approve | certificates.k8s.io | signers | kubernetes.io/legacy-unknown
role system:discovery
get | /api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/
role system:heapster
read | core | events namespaces nodes pods
read | extensions | deployments
role system:kube-aggregator
read | core | endpoints services

role system:kube-controller-manager
create patch update | core events.k8s.io | events
create | coordination.k8s.io | leases
get update | coordination.k8s.io | leases | kube-controller-manager
create | core | secrets serviceaccounts
delete | core | secrets
get | core | configmaps namespaces secrets serviceaccounts
update | core | secrets serviceaccounts
create | authentication.k8s.io | tokenreviews
create | authorization.k8s.io | subjectaccessreviews
list watch | * | *
create | core | serviceaccounts/token

role system:kube-dns
list watch | core | endpoints services

role system:kube-scheduler
create patch update | core events.k8s.io | events
create | coordination.k8s.io | leases
get list update watch | coordination.k8s.io | leases | kube-scheduler
all | coordination.k8s.io | leasecandidates
read | core | nodes
delete get list watch | core | pods
create | core | bindings pods/binding
patch update | core | pods/status
read | core | replicationcontrollers services
read | apps extensions | replicasets
read | apps | statefulsets
read | policy | poddisruptionbudgets
read | core | persistentvolumeclaims persistentvolumes
create | authentication.k8s.io | tokenreviews
create | authorization.k8s.io | subjectaccessreviews
read | storage.k8s.io | csinodes
read | storage.k8s.io | volumeattachments
read | core | namespaces
read | storage.k8s.io | csidrivers
read | storage.k8s.io | csistoragecapacities
read | scheduling.k8s.io | podgroups workloads
patch update | scheduling.k8s.io | podgroups/status
read | resource.k8s.io | deviceclasses
get list patch update watch | resource.k8s.io | resourceclaims
get list patch update watch | resource.k8s.io | resourceclaims/status
get list patch update watch | core | pods/finalizers
read | resource.k8s.io | resourceslices
create delete | resource.k8s.io | resourceclaims
read | resource.k8s.io | devicetaintrules
patch update | resource.k8s.io | resourceclaims/binding

role system:kubelet-api-admin
read | core | nodes
proxy | core | nodes
* | core | nodes/log nodes/metrics nodes/proxy nodes/stats
* | core | nodes/configz nodes/healthz nodes/pods
role system:monitoring
get | /healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*
get | /flagz
get | /statusz

role system:node
create | authentication.k8s.io | tokenreviews
create | authorization.k8s.io | localsubjectaccessreviews subjectaccessreviews
read | core | services
create get list watch | core | nodes
patch update | core | nodes/status
patch update | core | nodes
create patch update | core events.k8s.io | events
read | core | pods
create delete | core | pods
patch update | core | pods/status
create | core | pods/eviction
read | core | configmaps secrets
get | core | persistentvolumeclaims persistentvolumes
get | core | endpoints
create get list watch | certificates.k8s.io | certificatesigningrequests
create delete get patch update | coordination.k8s.io | leases
get | storage.k8s.io | volumeattachments
create | core | serviceaccounts/token
get patch update | core | persistentvolumeclaims/status
read | storage.k8s.io | csidrivers
create delete get patch update | storage.k8s.io | csinodes
read | node.k8s.io | runtimeclasses
get | resource.k8s.io | resourceclaims
deletecollection | resource.k8s.io | resourceslices
get | core | serviceaccounts

role coracle:device-publisher
create delete get list patch update watch | resource.k8s.io | resourceslices

role coracle:ingress-controller
list watch | networking.k8s.io | ingressclasses ingresses
patch update | networking.k8s.io | ingresses/status
role coracle:network-policy
list watch | networking.k8s.io | networkpolicies
list watch | core | namespaces pods
role system:node-bootstrapper
create get list watch | certificates.k8s.io | certificatesigningrequests
role system:node-problem-detector
get | core | nodes
patch | core | nodes/status
create patch update | core events.k8s.io | events
role system:node-proxier
list watch | core | endpoints services
read | core | nodes
create patch update | core events.k8s.io | events
list watch | networking.k8s.io | servicecidrs
list watch | discovery.k8s.io | endpointslices
role system:persistent-volume-provisioner
create delete get list watch | core | persistentvolumes
get list update watch | core | persistentvolumeclaims
read | storage.k8s.io | storageclasses
watch | core | events
create patch update | core events.k8s.io | events
role system:public-info-viewer
get | /healthz /livez /readyz /version /version/
role system:service-account-issuer-discovery
get | /.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/
role system:volume-scheduler
get list patch update watch | core | persistentvolumes
read | storage.k8s.io | storageclasses
get list patch update watch | core | persistentvolumeclaims

bind cluster-admin cluster-admin g:system:masters
bind system:basic-user system:basic-user g:system:authenticated
bind system:discovery system:discovery g:system:authenticated
bind system:kube-controller-manager system:kube-controller-manager u:system:kube-controller-manager
bind system:kube-dns system:kube-dns s:kube-system/kube-dns
bind system:kube-scheduler system:kube-scheduler u:system:kube-scheduler
bind system:monitoring system:monitoring g:system:monitoring
bind system:node system:node
bind system:node-proxier system:node-proxier u:system:kube-proxy
bind system:public-info-viewer system:public-info-viewer g:system:authenticated g:system:unauthenticated
bind system:service-account-issuer-discovery system:service-account-issuer-discovery g:system:serviceaccounts
bind system:volume-scheduler system:volume-scheduler u:system:kube-scheduler

role extension-apiserver-authentication-reader in kube-system
read | core | configmaps | extension-apiserver-authentication
role system::leader-locking-kube-controller-manager in kube-system
watch | core | configmaps
get update | core | configmaps | kube-controller-manager
create get list update watch | coordination.k8s.io | leases
create get list update watch | coordination.k8s.io | leasecandidates
role system::leader-locking-kube-scheduler in kube-system
watch | core | configmaps
get update | core | configmaps | kube-scheduler
create get list update watch | coordination.k8s.io | leases
create get list update watch | coordination.k8s.io | leasecandidates
role system:controller:bootstrap-signer in kube-public
read | core | configmaps
update | core | configmaps | cluster-info
create patch update | core events.k8s.io | events
role system:controller:bootstrap-signer in kube-system
read | core | secrets
role system:controller:cloud-provider in kube-system
create get list watch | core | configmaps
role system:controller:token-cleaner in kube-system
delete get list watch | core | secrets
create patch update | core events.k8s.io | events

bind system::extension-apiserver-authentication-reader in kube-system extension-apiserver-authentication-reader u:system:kube-controller-manager u:system:kube-scheduler
bind system::leader-locking-kube-controller-manager in kube-system system::leader-locking-kube-controller-manager u:system:kube-controller-manager s:kube-system/kube-controller-manager s:kube-system/leader-election-controller
bind system::leader-locking-kube-scheduler in kube-system system::leader-locking-kube-scheduler u:system:kube-scheduler s:kube-system/kube-scheduler
bind system:controller:bootstrap-signer in kube-public system:controller:bootstrap-signer s:kube-system/bootstrap-signer
bind system:controller:bootstrap-signer in kube-system system:controller:bootstrap-signer s:kube-system/bootstrap-signer
bind system:controller:cloud-provider in kube-system system:controller:cloud-provider s:kube-system/cloud-provider
bind system:controller:token-cleaner in kube-system system:controller:token-cleaner s:kube-system/token-cleaner

bind coracle:kubelet-sim system:node u:system:kubelet-sim
bind coracle:kubelet-sim-network system:node-proxier u:system:kubelet-sim
bind coracle:device-publisher coracle:device-publisher u:system:kubelet-sim
bind coracle:ingress-controller coracle:ingress-controller u:system:kubelet-sim
bind coracle:network-policy coracle:network-policy u:system:kubelet-sim
bind coracle:kubelet-api-admin system:kubelet-api-admin u:kube-apiserver-kubelet-client
)";

}  // namespace

std::string_view general_roles_table() { return kTable; }

}  // namespace coracle::apiserver::rbac
