import { describe, expect, it } from 'vitest';
import { en } from '../../texts/en';
import { ko } from '../../texts/ko';
import { choiceWord, namingAt, wordsFor } from './field-names';
import { fieldsOf, type Schema } from './schema';

// Every key in the schemas of the stages, as the server told them, and the types of the stages.
const KEYS = `
  acceptProxyProtocol account accountName action additionalRollbackContext affinityCookieName affinityCookieTtlSec affinityHeaderName algorithm alias
  allowDeleteActive allowMissingPackageInstallation allowScaleDownActive allowed ami amiName amiSuffix app application args artifactContents asgName
  availabilityZones backoffPeriodMs baseAmi baseEjectionTimeSec baseLabel baseName baseOs baselineCluster batchSize builder canary canaryCluster
  canaryOf cancelEndpoint cancelMethod cancelPayload canceledStatuses capacity certificate certificates checkDuplicated cidr clients cloudProvider
  cloudProviderType cluster clusters cmc command comments comparison completeOtherBranchesThenFail connectionDrainingTimeoutSec consecutiveErrors
  consideredStages contents context continueIfClusterNotFound continuePipeline cookie copySourceCustomBlockDeviceMappings cpuSeconds credentials
  customHeaders days delayBeforeCleanup delayBeforeDisableSec delayBeforeDisableSeconds delayBeforeScaleDownSec dependsOn deploymentDetails
  deregistrationDelay description desired desiredCapacity desiredPercentage detail digest disableOnly disableTraffic distribution enableAndDisableOnly
  enableTraffic enabled endHour endMin endPort enhancedNetworking env environment epochMillis executionId executionIds executionOptions executionType
  expected expectedArtifact expectedArtifacts expression extendedAttributes externalPort externalProtocol failFastStatusCodes failOnFailedExpressions
  failPipeline failureMessage fileSizeMb freeFormDetails generation group header healthCheck healthInterval healthTimeout healthyThreshold
  holdTimeoutSec id idsToIndices ignoreUncompleted image imageArtifact imageArtifactId imageId imageName imageNamePattern imageNames imageSource
  inject instance instanceIds instanceType instances instructions interestingHealthProviderNames internalPort internalProtocol ipIngress ipProtocol
  isBulkSavingPipelines isNew jitter judgment judgmentInput judgmentInputs judgmentStatus key labels lifetimeMinutes limits listeners loadBalancerName
  loadBalancerNames loadBalancerPort loadBalancerType loadBalancers localityLbPolicy location managedImage markSuccessfulOnTimeout max maxDelay
  maxRemainingAsgs maxSurge maximumErrorRateDifference maximumLatencyRatio memoryMb method min minDelay minimumRequests moniker monitorBehavior
  monitorOnly name namespace namespaces network neverShrink notifications offer onlyEnabled onlyEnabledServerGroups openFiles organization
  originalServerGroup osType outlierDetection outputLines overrideTimeout overwriteAncestorAutoHealingPolicy package packageArtifactIds
  packageArtifacts packageName parameterValues payload percentage pinCapacity pinMinimumCapacity pipeline pipelineApplication pipelineArtifacts
  pipelineBeforeCleanup pipelineId pipelineParameters pipelineTemplate pipelineTemplateId pipelines pipelinesArtifact pipelinesArtifactId
  platformHealthOnlyShowOverride port portRange portRanges ports preconditions preferLargerOverNewer preferSourceCapacity prefix processes
  progressJsonPath project propagateAuthenticationContext propertyFile protocol provider providerType proxyHeader publisher reason rebake refId region
  regions remainingEnabledServerGroups remainingFullSizeServerGroups repoBranch repoUrl repository requiredJudgmentRoles requisiteStageRefIds
  resizeType resolveMissingLocations restoreServerGroupName restrictExecutionDuringTimeWindow restrictedExecutionWindow retainLargerOverNewer retries
  retryStatusCodes rollback rollbackContext rollbackServerGroupName rollbackTimeout rollbackType root rootVolumeSize runDisableClusterStep running
  scaleDown scaleNum scalePct scriptPath securityGroupIngress securityGroupName securityGroups selectedStageRoles selectionStrategy sendNotifications
  sequence serverGroup serverGroupName sessionAffinity showAdvancedOptions shrinkToSize signalCancellation skipDownstreamOutput skipManual
  skipPlanDependents skipRegionDetection skipRemainingWait skipWaitText skipWindowText skippable sku source sourceRanges sourceTags sourceValue
  sslCertificateId sslCertificateName stack stageEnabled stageName stageStatus stageTimeoutMs staleCheck startHour startMin startPort startTime
  startTimeExpiry statusJsonPath statusUrlJsonPath statusUrlResolution storeType strategy strategyApplication strategyPipeline succeeded
  successStatuses successful tag tags target targetCluster targetHealthyDeployPercentage targetHealthyRollbackPercentage targetPercentages targetSize
  targetTags templateFileName terminal terminalStatuses testImage timeSeconds timeout timeoutSeconds trafficClients trafficPercentage trustedProxies
  ttlSec type unhealthyThreshold unpinMinimumCapacity upgrade upstreamImageIds url useSourceCapacity user value varFileName variables vmType vpcId
  waitBeforeMonitor waitForCompletion waitTime waitTimeBetweenRegions webhookRetryStatusCodes whitelist workingDirectory yamlConfig zone zones
`.trim().split(/\s+/);
const TYPES = `
  bake checkPreconditions cloneServerGroup compareServerGroups copyLastAsg createApplication createServerGroup createV2PipelineTemplate
  deleteApplication deleteFirewall deleteLoadBalancer deletePipeline deleteProject deleteSecurityGroup deleteV2PipelineTemplate dependsOnExecution
  deploy deregisterInstancesFromLoadBalancer destroyAsg destroyServerGroup determineTargetServerGroup disableAsg disableCluster disableServerGroup
  enableAsg enableServerGroup evaluateArtifacts evaluateVariables findAmi findArtifactFromExecution findImage findImageFromTags manualJudgment
  monitorPipeline noop pinServerGroup pipeline rebootInstances registerInstancesWithLoadBalancer reorderPipelines resizeAsg resizeServerGroup
  restrictExecutionDuringTimeWindow rollbackCluster rollbackServerGroup runMultiplePipelines savePipeline savePipelinesFromArtifact saveStrategy
  scaleDownCluster script shareTraffic shrinkCluster terminateInstanceAndDecrementServerGroup terminateInstances updateApplication updatePipeline
  updateV2PipelineTemplate upsertApplication upsertFirewall upsertImageTags upsertLoadBalancer upsertLoadBalancers upsertProject upsertSecurityGroup
  wait waitUntil webhook
`.trim().split(/\s+/);

const all = (texts: typeof en): [string, { label: string; help?: string }][] => Object.entries(texts.fields);

describe('the words for the fields of stages', () => {
  it('are there for every key, in both languages', () => {
    for (const texts of [en, ko]) expect(KEYS.filter((key) => !Object.hasOwn(texts.fields, key))).toEqual([]);
  });

  it('are for nothing that the server does not know', () => {
    const known = new Set([...KEYS, ...TYPES]);
    const strange = all(en).map(([name]) => name).filter((name) => name.split('.').some((part) => !known.has(part)));
    expect(strange).toEqual([]);
  });

  it('are sentences where they help', () => {
    for (const [name, { help }] of [...all(en), ...all(ko)]) if (help !== undefined) expect(help, name).toMatch(/\.$/);
  });

  it('are those of the type or of the object before those of the key', () => {
    expect(wordsFor(en, 'webhook', undefined, 'waitForCompletion')?.label).toBe(en.fields['webhook.waitForCompletion'].label);
    expect(wordsFor(en, 'script', undefined, 'waitForCompletion')).toBe(en.fields.waitForCompletion);
    expect(namingAt(en, 'deploy', ['stages', 0, 'clusters', 0, 'canary'])?.('strategy')).toBe(en.fields['canary.strategy']);
    expect(namingAt(en, 'deploy', ['stages', 0, 'clusters', 0])?.('strategy')).toBe(en.fields.strategy);
    expect(wordsFor(en, 'deploy', undefined, 'constructor')).toBe(undefined);
    expect(namingAt(en, undefined, ['triggers', 0])).toBe(undefined);
  });

  it('say what a choice means, by its field', () => {
    expect(choiceWord(en, 'target', 'ancestor_asg_dynamic')).toBe('the one before the newest');
    expect(choiceWord(ko, 'status', 'successful')).toBe('성공');
    expect([choiceWord(ko, 'method', 'GET'), choiceWord(ko, 'type', 'successful')]).toEqual([undefined, undefined]);
    expect(Object.keys(en.choices).map((name) => name.split('.')[0] ?? '').filter((key) => !KEYS.includes(key) && key !== 'status')).toEqual([]);
  });

  it('stand in the form: before the key and what the schema says, behind titles of its own', () => {
    const schema: Schema = {
      type: 'object',
      properties: { waitTime: { type: 'integer', description: 'Seconds.' }, group: { type: 'string', description: 'Which one.' }, newOne: { type: 'string', description: 'New.' }, type: { type: 'string', title: 'Kind', description: 'Own.' } },
    };
    const shown = (texts: typeof en) => fieldsOf(schema, schema, namingAt(texts, 'wait', ['stages', 0])).map((field) => [field.label, field.help]);
    expect(shown(en)).toEqual([['Wait time', 'How long, in seconds.'], ['Group', 'Which one.'], ['New one', 'New.'], ['Kind', 'Own.']]);
    expect(shown(ko)[0]).toEqual(['대기 시간', '기다리는 시간(초)입니다.']);
  });
});
