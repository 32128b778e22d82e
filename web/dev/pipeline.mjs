// The sample pipeline of the made-up world.

const stage = (refId, type, name, needs, more = {}) => ({ refId, type, name, requisiteStageRefIds: needs, ...more });

export const pipeline = {
  id: '6f1c8a52-3c0e-4d4e-9b5e-2f1f5f0a7c11',
  name: 'Package to traffic',
  application: 'hellospinnaker',
  description: 'Bakes a published package, tries it in the dark, moves the traffic, removes the old version.',
  limitConcurrent: true,
  triggers: [{ type: 'apt', enabled: true, distribution: 'stretch', package: 'helloterry', version: '>= 1.0' }],
  parameterConfig: [],
  stages: [
    stage('1', 'bake', 'Bake', [], { package: 'helloterry' }),
    stage('2', 'script', 'Test the image', ['1'], { command: 'curl -fsS http://$ADDRESS/' }),
    stage('3', 'deploy', 'Deploy in the dark', ['2'], {
      clusters: [{ application: 'hellospinnaker', account: 'local', region: 'local', capacity: { min: 4, desired: 4, max: 4 }, strategy: 'none', enableTraffic: false }],
    }),
    stage('4', 'webhook', 'Smoke test', ['3'], { method: 'GET', url: 'http://${preview}/' }),
    stage('5', 'manualJudgment', 'Move the traffic?', ['4'], { instructions: 'The new version answers on its preview address. Shall it get the traffic?' }),
    stage('6', 'enableServerGroup', 'Traffic to the new', ['5'], { target: 'current_asg_dynamic', cluster: 'hellospinnaker' }),
    stage('7', 'disableServerGroup', 'Traffic from the old', ['6'], { target: 'ancestor_asg_dynamic', cluster: 'hellospinnaker', stageEnabled: { type: 'expression', expression: 'old != null' } }),
    stage('8', 'scaleDownCluster', 'Scale down the old', ['7'], { cluster: 'hellospinnaker', stageEnabled: { type: 'expression', expression: 'old != null' } }),
    stage('9', 'manualJudgment', 'Destroy the old?', ['8'], { instructions: 'Nothing uses the old version any more. Destroy it?' }),
    stage('10', 'destroyServerGroup', 'Destroy the old', ['9'], { target: 'oldest_asg_dynamic', cluster: 'hellospinnaker' }),
  ],
};
