//! Which fields the stages over clouds have, in the notation of `pipeline::fields`: `wishes` reads them by hand, in the spellings of
//! several clouds.

use pipeline::fields;
use schemars::Schema;

/// Where a stage works.
const PLACE: &str = "
    credentials/account/accountName!: text, cloudProvider: text, cloudProviderType: text, providerType: text, provider: text,
    region: text, regions: [text]|text, location: text, zone: text, zones: any, availabilityZones: any, namespace: text,
    namespaces: [text], moniker: {app: text, cluster: text, stack: text, detail: text, sequence: number},
    interestingHealthProviderNames: [text], user: text, platformHealthOnlyShowOverride: flag";

/// Which server group a stage works on.
const TARGET: &str = "
    cluster/serverGroupName/asgName/moniker!: text|object, targetCluster: text,
    target: current_asg_dynamic|ancestor_asg_dynamic|oldest_asg_dynamic|current_asg|ancestor_asg|oldest_asg";

/// A cluster to deploy into: what all clouds know.
const CLUSTER: &str = "
    application: text, stack: text, freeFormDetails: text, strategy: text, capacity: {min: count, max: count, desired: count},
    targetSize: count, desiredCapacity: count, instances: any, targetHealthyDeployPercentage: number, useSourceCapacity: flag,
    preferSourceCapacity: flag, source: {account: text, region: text, serverGroupName: text, asgName: text, useSourceCapacity: flag},
    maxRemainingAsgs: number, scaleDown: flag, allowDeleteActive: flag, allowScaleDownActive: flag, delayBeforeDisableSec: count,
    delayBeforeCleanup: count, delayBeforeScaleDownSec: count, rollback: any,
    trafficPercentage: number, trafficClients: {cookie: text, header: text, ttlSec: count}, batchSize: count, maxSurge: count,
    package: text, repository: text|object, baseOs: text, builder: text, canaryOf: text, canary: {percentage: number, instances: count, clients: {cookie: text, header: text, ttlSec: count},
        lifetimeMinutes: number, minimumRequests: count, maximumErrorRateDifference: number, maximumLatencyRatio: number,
        judgment: flag, strategy: text},
    targetPercentages: [number], pipelineBeforeCleanup: any, strategyApplication: text, strategyPipeline: text,
    pipelineParameters: object, loadBalancers: [text|object], securityGroups: [text|object], imageSource: text, imageArtifactId: text,
    imageArtifact: object, image: text|object, imageId: text, imageName: text, amiName: text, ami: text, instanceType: text, labels: any,
    tags: any, env: any, environment: any, command: any, enableTraffic: flag, disableTraffic: flag, healthCheck: any,
    port: text|number, deploymentDetails: list, overwriteAncestorAutoHealingPolicy: flag, reason: text, copySourceCustomBlockDeviceMappings: flag";

const BALANCER: &str = "
    loadBalancerName: text, name: text, loadBalancerType: text, vpcId: text, application: text,
    listeners: [{externalProtocol: text, externalPort: text|number, internalProtocol: text, internalPort: text|number, protocol: text,
        port: text|number, loadBalancerPort: text|number, sslCertificateId: text, sslCertificateName: text, certificates: list}], certificate: text, certificates: list,
    ports: list, portRange: text|number, port: text|number, ipProtocol: text, protocol: text, healthCheck: text|object,
    healthInterval: number, healthTimeout: number, timeout: number, healthyThreshold: count, unhealthyThreshold: count,
    securityGroups: list, localityLbPolicy: text, algorithm: text, sessionAffinity: text, affinityCookieName: text,
    affinityCookieTtlSec: count, affinityHeaderName: text, connectionDrainingTimeoutSec: number, deregistrationDelay: number,
    holdTimeoutSec: number, acceptProxyProtocol: flag, proxyHeader: text,
    outlierDetection: {consecutiveErrors: count, baseEjectionTimeSec: number}, trustedProxies: [text]|text";

fn with(parts: &[&str]) -> Schema {
    fields::written(&parts.join(","))
}

/// `deploy`: one or several clusters.
pub(crate) fn deploy() -> Schema {
    // The account may stand beside the clusters.
    let place = PLACE.replace("accountName!", "accountName");
    let cluster = format!("{{{place}, {CLUSTER}}}");
    with(&[&format!("clusters/cluster!: [{cluster}]|{cluster}, account: text, credentials: text, cloudProvider: text")])
}

/// `createServerGroup` and `cloneServerGroup`: flat, or under `cluster`.
pub(crate) fn create() -> Schema {
    let place = PLACE.replace("accountName!", "accountName");
    let source = "cluster: text|object, target: text, targetCluster: text";
    with(&[&place, CLUSTER, source])
}

/// What a stage on one group or one cluster has besides its place.
pub(crate) fn on_group(more: &str) -> Schema {
    with(&[PLACE, TARGET, more])
}

/// What a cluster-wide stage has besides its place.
pub(crate) fn on_cluster(more: &str) -> Schema {
    with(&[PLACE, "cluster/moniker!: text|object", more])
}

/// A stage with a place and nothing else in common.
pub(crate) fn placed(more: &str) -> Schema {
    with(&[PLACE, more])
}

/// The same where the account may be found out.
pub(crate) fn placed_anywhere(more: &str) -> Schema {
    with(&[&PLACE.replace("accountName!", "accountName"), more])
}

/// `upsertLoadBalancer(s)`: one, or several under `loadBalancers`.
pub(crate) fn balancers() -> Schema {
    let place = PLACE.replace("accountName!", "accountName");
    let several = format!("loadBalancers: [{{{place}, {BALANCER}}}], availabilityZones: object");
    with(&[&place, BALANCER, &several])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_notations_can_be_read() {
        for part in [PLACE, TARGET, CLUSTER, BALANCER] {
            assert_eq!(fields::read(part).map(drop), Ok(()), "{part}");
        }
    }
}
