#include "manager/registry.hpp"

#include "clusterroleaggregation/clusterroleaggregation.hpp"
#include "cronjob/cronjob.hpp"
#include "daemonset/daemonset.hpp"
#include "deployment/deployment.hpp"
#include "disruption/disruption.hpp"
#include "endpointmirroring/endpointmirroring.hpp"
#include "endpoints/endpoints.hpp"
#include "ephemeralvolume/ephemeralvolume.hpp"
#include "garbagecollector/garbagecollector.hpp"
#include "job/job.hpp"
#include "namespace/namespace.hpp"
#include "nodelifecycle/nodelifecycle.hpp"
#include "persistentvolume/persistentvolume.hpp"
#include "podautoscaler/podautoscaler.hpp"
#include "podgc/podgc.hpp"
#include "policystatus/policystatus.hpp"
#include "protection/protection.hpp"
#include "provisioner/provisioner.hpp"
#include "replicaset/replicaset.hpp"
#include "replicationcontroller/replicationcontroller.hpp"
#include "resourceclaim/resourceclaim.hpp"
#include "resourcequota/resourcequota.hpp"
#include "serviceaccount/serviceaccount.hpp"
#include "statefulset/statefulset.hpp"
#include "ttl/ttl.hpp"
#include "ttlafterfinished/ttlafterfinished.hpp"

namespace coracle::controllers {

std::vector<std::unique_ptr<Controller>> make_controllers(const ControllerOptions& options) {
  std::vector<std::unique_ptr<Controller>> all;
  all.push_back(std::make_unique<CertificateApprover>(options.certificates));
  all.push_back(std::make_unique<CertificateSigner>(options.certificates));
  all.push_back(std::make_unique<CertificateCleaner>(options.certificates));
  all.push_back(std::make_unique<ClusterRoleAggregationController>());
  all.push_back(std::make_unique<CronJobController>(options.time_zones));
  all.push_back(std::make_unique<DaemonSetController>());
  all.push_back(std::make_unique<DeploymentController>());
  all.push_back(std::make_unique<DisruptionController>());
  all.push_back(std::make_unique<EndpointsController>());
  all.push_back(std::make_unique<EndpointSliceController>());
  all.push_back(std::make_unique<EndpointMirroringController>());
  all.push_back(std::make_unique<EphemeralVolumeController>());
  all.push_back(std::make_unique<GarbageCollector>());
  all.push_back(std::make_unique<JobController>());
  all.push_back(std::make_unique<JobPodReleaser>());
  if (options.load_balancers) {
    all.push_back(std::make_unique<LoadBalancerController>(*options.load_balancers));
  }
  all.push_back(std::make_unique<NamespaceController>());
  all.push_back(
      std::make_unique<NodeLifecycleController>(options.node_monitor_grace, options.started));
  all.push_back(std::make_unique<PodGcController>(options.terminated_pods_max));
  all.push_back(std::make_unique<PolicyStatusController>());
  all.push_back(std::make_unique<PersistentVolumeController>());
  all.push_back(std::make_unique<ProvisionerController>(options.volume_provisioners));
  all.push_back(std::make_unique<VolumeExpandController>());
  all.push_back(std::make_unique<ClaimProtectionController>());
  all.push_back(std::make_unique<VolumeProtectionController>());
  all.push_back(std::make_unique<PodAutoscalerController>(*options.pod_metrics));
  all.push_back(std::make_unique<PodResourceClaimController>());
  all.push_back(std::make_unique<ReplicaSetController>());
  all.push_back(std::make_unique<ReplicationManager>());
  all.push_back(std::make_unique<ResourceClaimController>());
  all.push_back(std::make_unique<ResourceQuotaController>());
  all.push_back(std::make_unique<ServiceAccountController>(options.root_ca_pem));
  all.push_back(
      std::make_unique<ServiceAccountTokenController>(options.sign_token, options.root_ca_pem));
  all.push_back(std::make_unique<BootstrapTokenCleaner>());
  all.push_back(std::make_unique<BootstrapSigner>(options.keyed_hash));
  all.push_back(std::make_unique<StatefulSetController>());
  all.push_back(std::make_unique<TtlController>());
  all.push_back(std::make_unique<TtlAfterFinishedController>());
  return all;
}

}  // namespace coracle::controllers
