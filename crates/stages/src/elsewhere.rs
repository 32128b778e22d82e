//! The stage types that Spinnaker has and this version does not run: they are stored and shown. Their names, what people call them, and
//! their fields as far as pipelines give them, so that a slip of the fingers is found all the same.

use pipeline::Registry;

/// Adds them, without those that the registry runs.
pub fn register(registry: Registry) -> Registry {
    ALL.iter().flat_map(|list| list.iter()).fold(registry, |registry, (kind, label, fields)| {
        if registry.stage_type(kind, None).is_some() { registry } else { registry.elsewhere(kind, label, fields) }
    })
}

type Known = (&'static str, &'static str, &'static str);

const ALL: [&[Known]; 7] = [&FLOW, &GROUPS, &LEGACY, &IMAGES, &BUILDS, &MANIFESTS, &OTHERS];

const FLOW: [Known; 9] = [
    ("waitForCondition", "Wait For Condition", "status: text, region: text, cluster: text, account: text"),
    ("group", "Group", ""),
    ("restrictExecutionDuringTimeWindow", "Restrict Execution During Time Window", ""),
    ("upsertEntityTags", "Upsert Entity Tags", "entityRef: object, tags: list"),
    ("deleteEntityTags", "Delete Entity Tags", "id: text, tags: list"),
    ("bulkUpsertEntityTags", "Upsert Entity Tags", "entityTags: list"),
    ("createV2PipelineTemplate", "Create Pipeline Template", "pipelineTemplate!: any"),
    ("updateV2PipelineTemplate", "Update Pipeline Template", "pipelineTemplate!: any"),
    ("deleteV2PipelineTemplate", "Delete Pipeline Template", "pipelineTemplateId!: text"),
];

const GROUP: &str = "
    credentials: text, account: text, cloudProvider: text, cloudProviderType: text, region: text, regions: [text], cluster: text|object,
    serverGroupName: text, asgName: text, target: text, moniker: object, zones: [text], namespaces: [text], interestingHealthProviderNames: [text]";

const INSTANCES: &str = "
    credentials: text, account: text, cloudProvider: text, region: text, instanceIds: [text], serverGroupName: text, loadBalancerNames: [text]";

const GROUPS: [Known; 44] = [
    ("createServerGroup", "Create Server Group", GROUP),
    ("cloneServerGroup", "Clone Server Group", GROUP),
    ("resizeServerGroup", "Resize Server Group", GROUP),
    ("enableServerGroup", "Enable Server Group", GROUP),
    ("disableServerGroup", "Disable Server Group", GROUP),
    ("destroyServerGroup", "Destroy Server Group", GROUP),
    ("bulkDestroyServerGroup", "Destroy Server Groups", GROUP),
    ("pinServerGroup", "Pin Server Group", GROUP),
    ("rollingPush", "Rolling Push", GROUP),
    ("captureSourceServerGroupCapacity", "Capture Source Capacity", GROUP),
    ("applySourceServerGroupCapacity", "Apply Source Capacity", GROUP),
    ("upsertScalingPolicy", "Upsert Scaling Policy", GROUP),
    ("deleteScalingPolicy", "Delete Scaling Policy", GROUP),
    ("modifyAwsScalingProcess", "Adjust Scaling Process", GROUP),
    ("modifyGceAutoscalingPolicy", "Modify Autoscaling Policy", GROUP),
    ("modifyWarmPool", "Modify Warm Pool", GROUP),
    ("upsertAsgScheduledActions", "Upsert Scheduled Actions", GROUP),
    ("updateLaunchConfig", "Update Launch Configuration", GROUP),
    ("updateLaunchTemplate", "Update Launch Template", GROUP),
    ("upsertServerGroupTags", "Upsert Server Group Tags", GROUP),
    ("startServerGroup", "Start Server Group", GROUP),
    ("stopServerGroup", "Stop Server Group", GROUP),
    ("setStatefulDisk", "Set Stateful Disk", GROUP),
    ("statefullyUpdateBootImage", "Update Boot Image", GROUP),
    ("upsertDisruptionBudget", "Upsert Disruption Budget", GROUP),
    ("updateJobProcesses", "Update Job Processes", GROUP),
    ("serverGroupForceCacheRefresh", "Force Cache Refresh", GROUP),
    ("disableCluster", "Disable Cluster", GROUP),
    ("scaleDownCluster", "Scale Down Cluster", GROUP),
    ("shrinkCluster", "Shrink Cluster", GROUP),
    ("rollbackCluster", "Rollback Cluster", GROUP),
    ("rollbackServerGroup", "Rollback Server Group", GROUP),
    ("editLoadBalancer", "Edit Load Balancer", "loadBalancers: [object]"),
    ("terminateInstances", "Terminate Instances", INSTANCES),
    ("rebootInstances", "Reboot Instances", INSTANCES),
    ("registerInstancesWithLoadBalancer", "Register Instances", INSTANCES),
    ("deregisterInstancesFromLoadBalancer", "Deregister Instances", INSTANCES),
    ("enableInstancesInDiscovery", "Enable In Discovery", INSTANCES),
    ("disableInstancesInDiscovery", "Disable In Discovery", INSTANCES),
    ("detachInstances", "Detach Instances", INSTANCES),
    ("notifyDeployStarting", "Notify Deploy Starting", ""),
    ("evaluateDeploymentHealth", "Evaluate Deployment Health", ""),
    ("notifyDeployCompleted", "Notify Deploy Completed", ""),
    ("determineTargetServerGroup", "Determine Target Server Group", GROUP),
];

const LEGACY: [Known; 16] = [
    ("enableAsg", "Enable Server Group", GROUP),
    ("disableAsg", "Disable Server Group", GROUP),
    ("destroyAsg", "Destroy Server Group", GROUP),
    ("resizeAsg", "Resize Server Group", GROUP),
    ("modifyAsg", "Modify Server Group", GROUP),
    ("modifyScalingProcess", "Modify Scaling Process", GROUP),
    ("modifyAsgLaunchConfiguration", "Modify Launch Configuration", GROUP),
    ("upsertAsgTags", "Upsert Tags", GROUP),
    ("upsertAmazonLoadBalancer", "Upsert Load Balancer", ""),
    ("deleteAmazonLoadBalancer", "Delete Load Balancer", ""),
    ("upsertAmazonDNS", "Upsert DNS", ""),
    ("copySecurityGroup", "Copy Firewall", ""),
    ("quickPatch", "Quick Patch", GROUP),
    ("bulkQuickPatch", "Quick Patch", GROUP),
    ("terminateInstanceAndDecrementAsg", "Terminate Instance and Shrink", INSTANCES),
    ("associateElasticIp", "Associate Elastic IP", ""),
];

const IMAGES: [Known; 9] = [
    (
        "findImageFromTags",
        "Find Image from Tags",
        "packageName: text, regions: [text], tags: object, cloudProvider: text, cloudProviderType: text",
    ),
    (
        "findAmi",
        "Find Image from Cluster",
        "cluster: text, account: text, credentials: text, regions: [text], onlyEnabled: flag,
         selectionStrategy: LARGEST|NEWEST|OLDEST|FAIL",
    ),
    ("deleteImage", "Delete Image", "imageIds: [text]"),
    ("deleteSnapshot", "Delete Snapshot", "snapshotIds: [text]"),
    ("deleteLaunchConfiguration", "Delete Launch Configuration", ""),
    ("deleteLaunchTemplate", "Delete Launch Template", ""),
    ("saveSnapshot", "Save Snapshot", ""),
    ("restoreSnapshot", "Restore Snapshot", ""),
    (
        "bakeCloudFoundryManifest",
        "Bake CloudFoundry Manifest",
        "inputArtifacts: [object], outputName: text, expectedArtifacts: [object]",
    ),
];

const BUILD: &str = "master!: text, job!: text, parameters: object, propertyFile: text, property: text, waitForCompletion: flag, markUnstableAsSuccessful: flag, buildNumber: any";

const BUILDS: [Known; 22] = [
    ("jenkins", "Jenkins", BUILD),
    ("travis", "Travis", BUILD),
    ("wercker", "Wercker", BUILD),
    ("getProperties", "Get Properties", ""),
    (
        "googleCloudBuild",
        "Google Cloud Build",
        "account!: text, buildDefinitionSource: text|artifact|trigger, buildDefinition: any,
         buildDefinitionArtifact: object, triggerId: text, repoSource: object",
    ),
    (
        "awsCodeBuild",
        "AWS CodeBuild",
        "account!: text, projectName!: text, source: object, secondarySources: [object],
         environmentVariables: object, image: text",
    ),
    (
        "concourse",
        "Concourse",
        "master!: text, teamName: text, pipelineName: text, resourceName: text, parameters: object, jobName: text",
    ),
    (
        "runJob",
        "Run Job",
        "account: text, credentials: text, application: text, cloudProvider: text, manifest: any,
         source: text|artifact, manifestArtifact: object, manifestArtifactId: text,
         consumeArtifactSource: propertyFile|artifact|none, propertyFile: text, waitForCompletion: flag,
         container: object, volumeSources: list",
    ),
    ("gremlin", "Gremlin", "gremlinCommandTemplateId: text, gremlinTargetTemplateId: text, gremlinApiKey: text"),
    ("jira", "Create Jira Issue", ""),
    ("pageApplicationOwner", "Page Application Owner", ""),
    (
        "deployCloudFormation",
        "Deploy CloudFormation Stack",
        "credentials: text, stackName: text, regions: [text], source: text|artifact, templateBody: any,
         stackArtifact: object, parameters: object, tags: object, capabilities: [text]",
    ),
    ("deleteCloudFormation", "Delete CloudFormation Stack", "credentials: text, stackName: text, regions: [text]"),
    ("Aws.LambdaDeploymentStage", "AWS Lambda Deployment", LAMBDA),
    ("Aws.LambdaDeleteStage", "AWS Lambda Delete", LAMBDA),
    ("Aws.LambdaInvokeStage", "AWS Lambda Invoke", LAMBDA),
    ("Aws.LambdaTrafficRoutingStage", "AWS Lambda Route", LAMBDA),
    ("Aws.LambdaUpdateCodeStage", "AWS Lambda Update Code", LAMBDA),
    ("deployService", "Deploy Service", ""),
    ("destroyService", "Destroy Service", ""),
    ("shareService", "Share Service", ""),
    ("unshareService", "Unshare Service", ""),
];

const LAMBDA: &str =
    "account: text, credentials: text, cloudProvider: text, region: text, functionName: text, timeout: number";

const MANIFEST: &str = "
    account!: text, cloudProvider: text, location: text, manifestName: text, mode: static|dynamic|label,
    criteria: newest|oldest|second_newest|largest|smallest, cluster: text, kind: text, kinds: [text],
    labelSelectors: {selectors: [{key: text, kind: text, values: [text]}]}, app: text, namespace: text, options: object, user: text";

const MANIFESTS: [Known; 16] = [
    (
        "deployManifest",
        "Deploy (Manifest)",
        "account!: text, cloudProvider: text, source: text|artifact, manifests: [object|text]|object, manifest: any,
         manifestArtifactId: text, manifestArtifact: object, manifestArtifactAccount: text, moniker: {app: text,
         cluster: text}, namespaceOverride: text, skipExpressionEvaluation: flag, requiredArtifactIds: [text],
         requiredArtifacts: [object], trafficManagement: {enabled: flag, options: {enableTraffic: flag,
         services: [text], namespace: text, strategy: none|redblack|bluegreen|highlander}}, versioned: flag,
         labelSelectors: object, allowNothingSelected: flag, stableManifestTimeoutMinutes: number, noOutput: flag,
         relationships: object, location: text, namespace: text, kinds: [text], options: object",
    ),
    ("deleteManifest", "Delete (Manifest)", MANIFEST),
    (
        "patchManifest",
        "Patch (Manifest)",
        "account!: text, cloudProvider: text, location: text, manifestName: text, mode: text, patchBody: any,
         source: text|artifact, options: {mergeStrategy: strategic|json|merge, record: flag}, app: text, kind: text,
         manifestArtifactId: text",
    ),
    (
        "scaleManifest",
        "Scale (Manifest)",
        "account!: text, replicas!: count, cloudProvider: text, location: text, manifestName: text,
         mode: static|dynamic|label, app: text, kind: text, kinds: [text], cluster: text, criteria: text, isNew: flag",
    ),
    (
        "undoRolloutManifest",
        "Undo Rollout (Manifest)",
        "account!: text, cloudProvider: text, location: text, manifestName: text, mode: text,
         numRevisionsBack: count, revision: number, app: text, kind: text, cluster: text, criteria: text",
    ),
    ("rollingRestartManifest", "Rolling Restart (Manifest)", MANIFEST),
    ("pauseRolloutManifest", "Pause Rollout (Manifest)", MANIFEST),
    ("resumeRolloutManifest", "Resume Rollout (Manifest)", MANIFEST),
    ("enableManifest", "Enable (Manifest)", MANIFEST),
    ("disableManifest", "Disable (Manifest)", MANIFEST),
    ("deployCloudrunManifest", "Deploy (Manifest)", "account: text, manifests: [object]"),
    ("findArtifactFromResource", "Find Artifacts From Resource (Manifest)", MANIFEST),
    ("findArtifactsFromResource", "Find Artifacts From Resource (Manifest)", MANIFEST),
    (
        "bakeManifest",
        "Bake (Manifest)",
        "templateRenderer!: HELM2|HELM3|KUSTOMIZE|KUSTOMIZE4|KUSTOMIZE5|HELMFILE|CF, outputName: text,
         namespace: text, inputArtifacts: [object], inputArtifact: object, kustomizeFilePath: text,
         overrides: object, rawOverrides: flag, evaluateOverrideExpressions: flag, includeCRDs: flag,
         apiVersions: text, kubeVersion: text, helmChartFilePath: text, helmfileFilePath: text, environment: text,
         expectedArtifacts: [object]",
    ),
    ("cleanupArtifacts", "Clean Up Artifacts", ""),
    ("runJobManifest", "Run Job (Manifest)", "account: text, manifest: any, source: text|artifact"),
];

const OTHERS: [Known; 12] = [
    (
        "kayentaCanary",
        "Canary Analysis",
        "analysisType: realTime|realTimeAutomatic|retrospective, canaryConfig!: {canaryConfigId: text,
         canaryConfigName: text, metricsAccountName: text, storageAccountName: text, configurationAccountName: text,
         scopes: [object], scoreThresholds: {pass: number|text, marginal: number|text}, lifetimeDuration: text,
         lifetimeHours: number|text, beginCanaryAnalysisAfterMins: number|text,
         baselineAnalysisOffsetInMins: number|text, lookbackMins: number|text,
         canaryAnalysisIntervalMins: number|text, siteLocal: object}, deployments: any, location: text, isNew: flag",
    ),
    ("runCanary", "Run Canary", ""),
    ("canary", "Canary", ""),
    ("acaTask", "ACA Task", ""),
    ("deployCanaryServerGroups", "Deploy Canary Server Groups", ""),
    ("cleanupCanaryClusters", "Clean Up Canary Clusters", ""),
    ("importDeliveryConfig", "Import Delivery Config", ""),
    ("publishDeliveryConfig", "Publish Delivery Config", ""),
    ("upsertPluginInfo", "Upsert Plugin Info", ""),
    ("deletePluginInfo", "Delete Plugin Info", ""),
    ("createServiceKey", "Create Service Key", ""),
    ("deleteServiceKey", "Delete Service Key", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_label_and_fields_that_can_be_read() {
        for (kind, label, fields) in ALL.iter().flat_map(|list| list.iter()) {
            assert!(!label.is_empty(), "{kind}");
            assert_eq!(pipeline::fields::read(fields).map(drop), Ok(()), "{kind}");
        }
    }
}
