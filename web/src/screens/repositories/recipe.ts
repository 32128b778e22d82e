// The text of each recipe, as pure functions of the server's address, a repository and where that is published.

import { quoted } from '../../api/actions';
import { escaped } from '../../api/aptly';
import type { Publication } from '../../api/repositories';

export type RecipeKind = 'curl' | 'dput' | 'gitlab' | 'github' | 'jenkins';

export interface Recipe {
  kind: RecipeKind;
  /** The file that it belongs into; a shell's prompt for none. */
  file: string;
  text: string;
}

/** The lines that upload `$file`, add it and publish: the same in every shell. */
function lines(base: string, repository: string, publication: Publication | undefined, folder: string): string[] {
  const name = encodeURIComponent(repository);
  const upload = [`curl -fsS -T "$file" ${base}/api/files/${folder}/`, `curl -fsS -X POST ${base}/api/repos/${name}/file/${folder}`];
  if (publication === undefined) return upload;
  const place = `${encodeURIComponent(escaped(publication.prefix)).replaceAll('%3A', ':')}/${encodeURIComponent(publication.distribution)}`;
  const body = publication.signed ? '{}' : '{"Signing":{"Skip":true}}';
  return [...upload, `curl -fsS -X PUT -H 'Content-Type: application/json' -d '${body}' ${base}/api/publish/${place}`];
}

function indented(all: string[], by: number): string {
  return all.map((line) => `${' '.repeat(by)}${line}`).join('\n');
}

export function recipes(origin: string, repository: string, publication: Publication | undefined): Recipe[] {
  const shell = lines(origin, repository, publication, '$folder');
  const variable = lines('$GENNAKER', repository, publication, '$folder');
  const host = origin.replace(/^https?:\/\//, '');
  return [
    { kind: 'curl', file: '$', text: ['file=hello_1.0_amd64.deb', 'folder=up-$$', ...shell].join('\n') },
    {
      kind: 'dput',
      file: '~/.dput.cf',
      text: [
        '[gennaker]',
        `fqdn = ${host}`,
        `method = ${origin.startsWith('https') ? 'https' : 'http'}`,
        'incoming = /api/files/up',
        'run_dinstall = 0',
        '',
        '# dput gennaker hello_1.0_amd64.changes',
        `# curl -fsS -X POST ${quoted(`${origin}/api/repos/${encodeURIComponent(repository)}/include/up`)}`,
      ].join('\n'),
    },
    {
      kind: 'gitlab',
      file: '.gitlab-ci.yml',
      text: [
        'publish:',
        '  stage: deploy',
        '  variables:',
        `    GENNAKER: ${origin}`,
        '  script:',
        '    - |',
        '      folder=ci-$CI_JOB_ID',
        '      for file in *.deb; do',
        indented(variable.slice(0, 1), 8),
        '      done',
        indented(variable.slice(1), 6),
      ].join('\n'),
    },
    {
      kind: 'github',
      file: '.github/workflows/publish.yml',
      text: [
        'on: push',
        'jobs:',
        '  publish:',
        '    runs-on: self-hosted',
        '    steps:',
        '      - uses: actions/checkout@v4',
        '      - run: dpkg-buildpackage -us -uc -b',
        '      - env:',
        `          GENNAKER: ${origin}`,
        '          folder: ci-${{ github.run_id }}',
        '        run: |',
        '          for file in ../*.deb; do',
        indented(variable.slice(0, 1), 12),
        '          done',
        indented(variable.slice(1), 10),
      ].join('\n'),
    },
    {
      kind: 'jenkins',
      file: 'Jenkinsfile',
      text: [
        'pipeline {',
        '  agent any',
        `  environment { GENNAKER = '${origin}' }`,
        '  stages {',
        "    stage('Publish') {",
        '      steps {',
        "        sh '''",
        '          folder=ci-$BUILD_TAG',
        '          for file in *.deb; do',
        indented(variable.slice(0, 1), 12),
        '          done',
        indented(variable.slice(1).map((line) => line.replaceAll("'", '"').replace('"{"Signing":{"Skip":true}}"', '"{\\\\"Signing\\\\":{\\\\"Skip\\\\":true}}"')), 10),
        "        '''",
        '      }',
        '    }',
        '  }',
        '}',
      ].join('\n'),
    },
  ];
}
