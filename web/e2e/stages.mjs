// The fields of a few stage types, in the shape of GET /ui-api/stages: for servers that do not answer it yet.

const text = { type: 'string' };
const flag = { type: 'boolean' };
const count = { type: 'integer', minimum: 0 };

export const STAGES = {
  common: {
    type: 'object',
    required: ['type'],
    properties: {
      refId: { anyOf: [text, { type: 'number' }] },
      requisiteStageRefIds: { type: 'array', items: { anyOf: [text, { type: 'number' }] } },
      type: text,
      name: text,
      comments: text,
      stageEnabled: { type: 'object', properties: { type: text, expression: { anyOf: [text, flag] } } },
      failPipeline: flag,
      continuePipeline: flag,
      completeOtherBranchesThenFail: flag,
      stageTimeoutMs: count,
      restrictExecutionDuringTimeWindow: flag,
      expectedArtifacts: { type: 'array', items: { type: 'object' } },
    },
  },
  stages: [
    {
      type: 'wait',
      schema: {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        title: 'Wait',
        type: 'object',
        properties: {
          waitTime: { description: 'How long, in seconds.', type: 'integer', format: 'int64', minimum: 0, default: 0 },
          skipRemainingWait: { description: 'Ends it at once.', type: 'boolean', default: false },
          skipWaitText: { description: 'What the page asks before somebody skips it.', type: ['string', 'null'], default: null },
        },
      },
    },
    {
      type: 'manualJudgment',
      schema: {
        type: 'object',
        properties: {
          instructions: text,
          judgmentInputs: { type: 'array', items: { anyOf: [{ type: 'object', properties: { value: text }, required: ['value'] }, text] } },
          judgmentStatus: text,
          judgmentInput: true,
          selectedStageRoles: { type: 'array', items: text },
          requiredJudgmentRoles: { type: 'array', items: text },
          propagateAuthenticationContext: flag,
        },
      },
    },
    {
      type: 'webhook',
      schema: {
        type: 'object',
        required: ['url'],
        properties: {
          url: text,
          method: { type: 'string', enum: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] },
          payload: true,
          customHeaders: { type: 'object' },
          waitForCompletion: flag,
          monitorOnly: flag,
          statusUrlResolution: { type: 'string', enum: ['getMethod', 'locationHeader', 'webhookResponse', 'constant'] },
          statusUrlJsonPath: text,
          statusJsonPath: text,
          successStatuses: text,
          failFastStatusCodes: { type: 'array', items: { type: 'integer' } },
          retries: { type: 'object' },
        },
      },
    },
    {
      type: 'checkPreconditions',
      schema: {
        type: 'object',
        properties: {
          preconditions: {
            type: 'array',
            items: {
              type: 'object',
              properties: {
                type: { type: 'string', enum: ['expression', 'clusterSize', 'stageStatus'] },
                failPipeline: flag,
                context: { type: 'object', properties: { expression: { anyOf: [text, flag] }, failureMessage: text, stageName: text, stageStatus: text } },
              },
            },
          },
        },
      },
    },
    { type: 'bake', schema: null },
    { type: 'noop', schema: null },
  ],
};

/** Answers with these where the server has nothing at the address. */
export async function withStages(base, context) {
  const answer = await fetch(`${base}/ui-api/stages`);
  if (answer.ok) return false;
  await context.route('**/ui-api/stages', (route) => route.fulfill({ json: STAGES }));
  return true;
}
