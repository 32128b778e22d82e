// The first things on an empty server: a repository from package files, and a sample to look at.

import { curl, type Said } from './actions';
import { createRepository, perform, said } from './aptly';
import { answer, client } from './client';
import { finish, taskRequest, type Asked } from './jobs';
import { addFiles, addSaid, type Added } from './upload';

/** Makes a repository and adds files to it. */
export async function makeRepository(name: string, files: File[], progress: (share: number) => void): Promise<Added> {
  await perform(createRepository(name).call);
  return addFiles(name, files, progress);
}

export function makeRepositorySaid(origin: string, name: string, files: string[]): Said {
  const [create, add] = [said(origin, createRepository(name)), addSaid(origin, name, files)];
  return { command: `${create.command ?? ''} && ${add.command ?? ''}`, request: `${create.request} && ${add.request}` };
}

export const SAMPLE = 'sample';

/** The words of the sample's pipeline, in the reader's language. */
export interface SampleWords {
  pipelineName: string;
  wait: string;
  ask: string;
  instructions: string;
  look: string;
}

function sampleJob(): Asked {
  return { application: SAMPLE, description: `Create Application: ${SAMPLE}`, job: { type: 'createApplication', application: { name: SAMPLE, email: 'sample@example.org' } } };
}

function samplePipeline(words: SampleWords): Record<string, unknown> {
  return {
    application: SAMPLE,
    name: words.pipelineName,
    stages: [
      { refId: '1', requisiteStageRefIds: [], type: 'wait', name: words.wait, waitTime: 3 },
      { refId: '2', requisiteStageRefIds: ['1'], type: 'manualJudgment', name: words.ask, instructions: words.instructions },
      { refId: '3', requisiteStageRefIds: ['2'], type: 'wait', name: words.look, waitTime: 3 },
    ],
  };
}

export async function makeSample(words: SampleWords): Promise<void> {
  await finish(sampleJob());
  await answer(client.POST('/pipelines', { body: samplePipeline(words) as never }));
}

export function makeSampleSaid(origin: string, words: SampleWords): Said {
  return { command: undefined, request: `${taskRequest(origin, sampleJob())} && ${curl('POST', origin, '/pipelines', samplePipeline(words))}` };
}
