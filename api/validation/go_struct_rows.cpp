// Which members the structs have that upstream prints in errors about changed specs, in order.
#include "api/validation/go_structs.hpp"

namespace coracle::api::validation {
namespace {

struct Row {
  std::string_view name, members;
};

// Of a member: its name, "=key" where the JSON key is not the name with a small first letter, and
// what it is: s text, b flag, i number, q amount (each shown when unset, too), n anything that is
// null when unset, or a struct: inside, *behind a pointer, []in a list. Upstream's rarest volumes
// are left as `n`.
constexpr Row kRows[] = {
    {"PodDisruptionBudgetSpec",
     "MinAvailable:n Selector:n MaxUnavailable:n UnhealthyPodEvictionPolicy:n"},
    {"DeploymentStrategy", "Type:s RollingUpdate:*RollingUpdateDeployment"},
    {"RollingUpdateDeployment", "MaxUnavailable:n MaxSurge:n"},
    {"StatefulSetUpdateStrategy", "Type:s RollingUpdate:*RollingUpdateStatefulSetStrategy"},
    {"RollingUpdateStatefulSetStrategy", "Partition:i MaxUnavailable:n"},
    {"SuccessPolicy", "Rules:[]SuccessPolicyRule"},
    {"SuccessPolicyRule", "SucceededIndexes:n SucceededCount:n"},
    {"PodFailurePolicy", "Rules:[]PodFailurePolicyRule"},
    {"PodFailurePolicyRule",
     "Action:s OnExitCodes:*PodFailurePolicyOnExitCodesRequirement "
     "OnPodConditions:[]PodFailurePolicyOnPodConditionsPattern"},
    {"PodFailurePolicyOnExitCodesRequirement", "ContainerName:n Operator:s Values:n"},
    {"PodFailurePolicyOnPodConditionsPattern", "Type:s Status:s"},
    {"RoleRef", "APIGroup=apiGroup:s Kind:s Name:s"},
    {"VolumeAttachmentSpec", "Attacher:s Source:VolumeAttachmentSource NodeName:s"},
    {"VolumeAttachmentSource", "PersistentVolumeName:n InlineVolumeSpec:n"},
    {"PersistentVolumeClaimSpec",
     "AccessModes:n Selector:n Resources:VolumeResourceRequirements VolumeName:s "
     "StorageClassName:n VolumeMode:n DataSource:*TypedLocalObjectReference "
     "DataSourceRef:*TypedObjectReference VolumeAttributesClassName:n"},
    {"PersistentVolumeSource",
     "GCEPersistentDisk=gcePersistentDisk:n AWSElasticBlockStore=awsElasticBlockStore:n "
     "HostPath:*HostPathVolumeSource Glusterfs:n NFS=nfs:*NFSVolumeSource RBD=rbd:n "
     "Quobyte:n ISCSI=iscsi:n FlexVolume:n Cinder:n CephFS=cephfs:n FC=fc:n Flocker:n "
     "AzureFile:n VsphereVolume:n AzureDisk:n PhotonPersistentDisk:n PortworxVolume:n "
     "ScaleIO:n Local:*LocalVolumeSource StorageOS=storageos:n "
     "CSI=csi:*CSIPersistentVolumeSource"},
    {"PodSpec",
     "Volumes:[]Volume InitContainers:[]Container Containers:[]Container "
     "EphemeralContainers:[]EphemeralContainer RestartPolicy:s "
     "TerminationGracePeriodSeconds:n ActiveDeadlineSeconds:n DNSPolicy=dnsPolicy:s "
     "NodeSelector:n ServiceAccountName:s AutomountServiceAccountToken:n NodeName:s "
     "SecurityContext:*PodSecurityContext ImagePullSecrets:[]LocalObjectReference "
     "Hostname:s Subdomain:s SetHostnameAsFQDN:n Affinity:*Affinity SchedulerName:s "
     "Tolerations:[]Toleration HostAliases:[]HostAlias PriorityClassName:s Priority:n "
     "PreemptionPolicy:n DNSConfig=dnsConfig:*PodDNSConfig "
     "ReadinessGates:[]PodReadinessGate RuntimeClassName:n Overhead:n "
     "EnableServiceLinks:n TopologySpreadConstraints:[]TopologySpreadConstraint "
     "OS=os:*PodOS SchedulingGates:[]PodSchedulingGate ResourceClaims:[]PodResourceClaim "
     "Resources:*ResourceRequirements HostnameOverride:n WorkloadRef:n"},
    {"VolumeResourceRequirements", "Limits:n Requests:n"},
    {"TypedLocalObjectReference", "APIGroup=apiGroup:n Kind:s Name:s"},
    {"TypedObjectReference", "APIGroup=apiGroup:n Kind:s Name:s Namespace:n"},
    {"HostPathVolumeSource", "Path:s Type:n"},
    {"NFSVolumeSource", "Server:s Path:s ReadOnly:b"},
    {"LocalVolumeSource", "Path:s FSType=fsType:n"},
    {"CSIPersistentVolumeSource",
     "Driver:s VolumeHandle:s ReadOnly:b FSType=fsType:s VolumeAttributes:n "
     "ControllerPublishSecretRef:*SecretReference NodeStageSecretRef:*SecretReference "
     "NodePublishSecretRef:*SecretReference ControllerExpandSecretRef:*SecretReference "
     "NodeExpandSecretRef:*SecretReference"},
    {"Volume",
     "Name:s HostPath:*HostPathVolumeSource EmptyDir:*EmptyDirVolumeSource "
     "GCEPersistentDisk=gcePersistentDisk:n AWSElasticBlockStore=awsElasticBlockStore:n "
     "GitRepo:n Secret:*SecretVolumeSource NFS=nfs:*NFSVolumeSource ISCSI=iscsi:n "
     "Glusterfs:n PersistentVolumeClaim:*PersistentVolumeClaimVolumeSource RBD=rbd:n "
     "Quobyte:n FlexVolume:n Cinder:n CephFS=cephfs:n Flocker:n "
     "DownwardAPI:*DownwardAPIVolumeSource FC=fc:n AzureFile:n "
     "ConfigMap:*ConfigMapVolumeSource VsphereVolume:n AzureDisk:n "
     "PhotonPersistentDisk:n Projected:*ProjectedVolumeSource PortworxVolume:n ScaleIO:n "
     "StorageOS=storageos:n CSI=csi:*CSIVolumeSource Ephemeral:n "
     "Image:*ImageVolumeSource"},
    {"Container",
     "Name:s Image:s Command:n Args:n WorkingDir:s Ports:[]ContainerPort "
     "EnvFrom:[]EnvFromSource Env:[]EnvVar Resources:ResourceRequirements "
     "ResizePolicy:[]ContainerResizePolicy RestartPolicy:n "
     "RestartPolicyRules:[]ContainerRestartRule VolumeMounts:[]VolumeMount "
     "VolumeDevices:[]VolumeDevice LivenessProbe:*Probe ReadinessProbe:*Probe "
     "StartupProbe:*Probe Lifecycle:*Lifecycle TerminationMessagePath:s "
     "TerminationMessagePolicy:s ImagePullPolicy:s SecurityContext:*SecurityContext "
     "Stdin:b StdinOnce:b TTY=tty:b"},
    {"EphemeralContainer",
     "Name:s Image:s Command:n Args:n WorkingDir:s Ports:[]ContainerPort "
     "EnvFrom:[]EnvFromSource Env:[]EnvVar Resources:ResourceRequirements "
     "ResizePolicy:[]ContainerResizePolicy RestartPolicy:n "
     "RestartPolicyRules:[]ContainerRestartRule VolumeMounts:[]VolumeMount "
     "VolumeDevices:[]VolumeDevice LivenessProbe:*Probe ReadinessProbe:*Probe "
     "StartupProbe:*Probe Lifecycle:*Lifecycle TerminationMessagePath:s "
     "TerminationMessagePolicy:s ImagePullPolicy:s SecurityContext:*SecurityContext "
     "Stdin:b StdinOnce:b TTY=tty:b TargetContainerName:s"},
    {"PodSecurityContext",
     "HostNetwork:b HostPID:b HostIPC:b ShareProcessNamespace:n HostUsers:n "
     "SELinuxOptions=seLinuxOptions:*SELinuxOptions WindowsOptions:n RunAsUser:n "
     "RunAsGroup:n RunAsNonRoot:n SupplementalGroups:n SupplementalGroupsPolicy:n "
     "FSGroup=fsGroup:n FSGroupChangePolicy=fsGroupChangePolicy:n Sysctls:[]Sysctl "
     "SeccompProfile:*SeccompProfile AppArmorProfile:*AppArmorProfile "
     "SELinuxChangePolicy=seLinuxChangePolicy:n"},
    {"LocalObjectReference", "Name:s"},
    {"Affinity",
     "NodeAffinity:*NodeAffinity PodAffinity:*PodAffinity "
     "PodAntiAffinity:*PodAntiAffinity"},
    {"Toleration", "Key:s Operator:s Value:s Effect:s TolerationSeconds:n"},
    {"HostAlias", "IP=ip:s Hostnames:n"},
    {"PodDNSConfig", "Nameservers:n Searches:n Options:[]PodDNSConfigOption"},
    {"PodReadinessGate", "ConditionType:s"},
    {"TopologySpreadConstraint",
     "MaxSkew:i TopologyKey:s WhenUnsatisfiable:s LabelSelector:n MinDomains:n "
     "NodeAffinityPolicy:n NodeTaintsPolicy:n MatchLabelKeys:n"},
    {"PodOS", "Name:s"},
    {"PodSchedulingGate", "Name:s"},
    {"PodResourceClaim", "Name:s ResourceClaimName:n ResourceClaimTemplateName:n"},
    {"ResourceRequirements", "Limits:n Requests:n Claims:[]ResourceClaim"},
    {"SecretReference", "Name:s Namespace:s"},
    {"ObjectReference",
     "Kind:s Namespace:s Name:s UID=uid:s APIVersion=apiVersion:s ResourceVersion:s "
     "FieldPath:s"},
    {"EmptyDirVolumeSource", "Medium:s SizeLimit:n"},
    {"SecretVolumeSource", "SecretName:s Items:[]KeyToPath DefaultMode:n Optional:n"},
    {"PersistentVolumeClaimVolumeSource", "ClaimName:s ReadOnly:b"},
    {"DownwardAPIVolumeSource", "Items:[]DownwardAPIVolumeFile DefaultMode:n"},
    {"ConfigMapVolumeSource", "Name:s Items:[]KeyToPath DefaultMode:n Optional:n"},
    {"ProjectedVolumeSource", "Sources:[]VolumeProjection DefaultMode:n"},
    {"CSIVolumeSource",
     "Driver:s ReadOnly:n FSType=fsType:n VolumeAttributes:n "
     "NodePublishSecretRef:*LocalObjectReference"},
    {"ImageVolumeSource", "Reference:s PullPolicy:s"},
    {"ContainerPort", "Name:s HostPort:i ContainerPort:i Protocol:s HostIP:s"},
    {"EnvFromSource", "Prefix:s ConfigMapRef:*ConfigMapEnvSource SecretRef:*SecretEnvSource"},
    {"EnvVar", "Name:s Value:s ValueFrom:*EnvVarSource"},
    {"ContainerResizePolicy", "ResourceName:s RestartPolicy:s"},
    {"ContainerRestartRule", "Action:s ExitCodes:*ContainerRestartRuleOnExitCodes"},
    {"VolumeMount",
     "Name:s ReadOnly:b RecursiveReadOnly:n MountPath:s SubPath:s MountPropagation:n "
     "SubPathExpr:s"},
    {"VolumeDevice", "Name:s DevicePath:s"},
    {"Probe",
     "Exec:*ExecAction HTTPGet=httpGet:*HTTPGetAction "
     "TCPSocket=tcpSocket:*TCPSocketAction GRPC=grpc:*GRPCAction InitialDelaySeconds:i "
     "TimeoutSeconds:i PeriodSeconds:i SuccessThreshold:i FailureThreshold:i "
     "TerminationGracePeriodSeconds:n"},
    {"Lifecycle", "PostStart:*LifecycleHandler PreStop:*LifecycleHandler StopSignal:n"},
    {"SecurityContext",
     "Capabilities:*Capabilities Privileged:n "
     "SELinuxOptions=seLinuxOptions:*SELinuxOptions WindowsOptions:n RunAsUser:n "
     "RunAsGroup:n RunAsNonRoot:n ReadOnlyRootFilesystem:n AllowPrivilegeEscalation:n "
     "ProcMount:n SeccompProfile:*SeccompProfile AppArmorProfile:*AppArmorProfile"},
    {"SELinuxOptions", "User:s Role:s Type:s Level:s"},
    {"Sysctl", "Name:s Value:s"},
    {"SeccompProfile", "Type:s LocalhostProfile:n"},
    {"AppArmorProfile", "Type:s LocalhostProfile:n"},
    {"NodeAffinity",
     "RequiredDuringSchedulingIgnoredDuringExecution:*NodeSelector "
     "PreferredDuringSchedulingIgnoredDuringExecution:[]PreferredSchedulingTerm"},
    {"PodAffinity",
     "RequiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm "
     "PreferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm"},
    {"PodAntiAffinity",
     "RequiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm "
     "PreferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm"},
    {"PodDNSConfigOption", "Name:s Value:n"},
    {"ResourceClaim", "Name:s Request:s"},
    {"KeyToPath", "Key:s Path:s Mode:n"},
    {"DownwardAPIVolumeFile",
     "Path:s FieldRef:*ObjectFieldSelector ResourceFieldRef:*ResourceFieldSelector "
     "Mode:n"},
    {"VolumeProjection",
     "Secret:*SecretProjection DownwardAPI:*DownwardAPIProjection "
     "ConfigMap:*ConfigMapProjection ServiceAccountToken:*ServiceAccountTokenProjection "
     "ClusterTrustBundle:n PodCertificate:n"},
    {"ConfigMapEnvSource", "Name:s Optional:n"},
    {"SecretEnvSource", "Name:s Optional:n"},
    {"EnvVarSource",
     "FieldRef:*ObjectFieldSelector ResourceFieldRef:*ResourceFieldSelector "
     "ConfigMapKeyRef:*ConfigMapKeySelector SecretKeyRef:*SecretKeySelector "
     "FileKeyRef:*FileKeySelector"},
    {"ContainerRestartRuleOnExitCodes", "Operator:s Values:n"},
    {"ExecAction", "Command:n"},
    {"HTTPGetAction", "Path:s Port:n Host:s Scheme:s HTTPHeaders=httpHeaders:[]HTTPHeader"},
    {"TCPSocketAction", "Port:n Host:s"},
    {"GRPCAction", "Port:i Service:n"},
    {"LifecycleHandler",
     "Exec:*ExecAction HTTPGet=httpGet:*HTTPGetAction "
     "TCPSocket=tcpSocket:*TCPSocketAction Sleep:*SleepAction"},
    {"Capabilities", "Add:n Drop:n"},
    {"NodeSelector", "NodeSelectorTerms:[]NodeSelectorTerm"},
    {"PreferredSchedulingTerm", "Weight:i Preference:NodeSelectorTerm"},
    {"PodAffinityTerm",
     "LabelSelector:n Namespaces:n TopologyKey:s NamespaceSelector:n MatchLabelKeys:n "
     "MismatchLabelKeys:n"},
    {"WeightedPodAffinityTerm", "Weight:i PodAffinityTerm:PodAffinityTerm"},
    {"ObjectFieldSelector", "APIVersion=apiVersion:s FieldPath:s"},
    {"ResourceFieldSelector", "ContainerName:s Resource:s Divisor:q"},
    {"SecretProjection", "Name:s Items:[]KeyToPath Optional:n"},
    {"DownwardAPIProjection", "Items:[]DownwardAPIVolumeFile"},
    {"ConfigMapProjection", "Name:s Items:[]KeyToPath Optional:n"},
    {"ServiceAccountTokenProjection", "Audience:s ExpirationSeconds:i Path:s"},
    {"ConfigMapKeySelector", "Name:s Key:s Optional:n"},
    {"SecretKeySelector", "Name:s Key:s Optional:n"},
    {"FileKeySelector", "VolumeName:s Path:s Key:s Optional:n"},
    {"HTTPHeader", "Name:s Value:s"},
    {"SleepAction", "Seconds:i"},
    {"NodeSelectorTerm",
     "MatchExpressions:[]NodeSelectorRequirement MatchFields:[]NodeSelectorRequirement"},
    {"NodeSelectorRequirement", "Key:s Operator:s Values:n"},
};

}  // namespace

const std::map<std::string_view, std::string_view>& go_struct_rows() {
  static const std::map<std::string_view, std::string_view> kByName = [] {
    std::map<std::string_view, std::string_view> out;
    for (const Row& row : kRows) out.emplace(row.name, row.members);
    return out;
  }();
  return kByName;
}

}  // namespace coracle::api::validation
