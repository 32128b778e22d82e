// The small pure functions: Enter, search, terminal text, addresses, names, shell words.

import { describe, expect, it } from 'vitest';
import { cancelSaid, quoted, startSaid } from '../api/actions';
import { readChange, joined, renewedBy } from '../app/topics';
import { addressLink } from './address';
import { shortImage, versionOf } from '../screens/clusters/names';
import { firstLanguage } from '../texts';
import { bare, pieces } from './ansi';
import { submits } from './enter';
import { matches } from './match';

describe('Enter', () => {
  it('submits', () => expect(submits({ key: 'Enter', isComposing: false, keyCode: 13 })).toBe(true));
  it('that ends a composition does not submit', () => {
    expect(submits({ key: 'Enter', isComposing: true, keyCode: 13 })).toBe(false);
    expect(submits({ key: 'Enter', isComposing: false, keyCode: 229 })).toBe(false);
  });
  it('is not any other key', () => expect(submits({ key: 'a' })).toBe(false));
});

describe('a search', () => {
  it('finds every word anywhere, whatever the capitals', () => {
    expect(matches('hello-Spinnaker terry', 'SPIN hello')).toBe(true);
    expect(matches('hello', 'hello world')).toBe(false);
    expect(matches('anything', '')).toBe(true);
  });
  it('finds Hangul that is composed the other way', () => expect(matches('결제 서비스', '결제'.normalize('NFD'))).toBe(true));
});

describe('terminal text', () => {
  it('keeps colours as names and drops every other escape', () => {
    expect(pieces('\u001b[1;31mbad\u001b[0m ok\u001b]0;title\u0007\u001b[2J!')).toEqual([
      { text: 'bad', look: 'ansi-1 ansi-strong' },
      { text: ' ok', look: '' },
      { text: '!', look: '' },
    ]);
  });
  it('drops control characters that move or hide', () => expect(bare('a\rb\u0008c\u001b[8md\u009b1me\tf')).toBe('abcd1me\tf'));
});

describe('an address', () => {
  it('becomes a link only when it is plainly host and port', () => {
    expect(addressLink('127.0.0.1:8080', 'localhost')).toBe('http://127.0.0.1:8080/');
    expect(addressLink('0.0.0.0:8080', 'deploy.example')).toBe('http://deploy.example:8080/');
    expect(addressLink('javascript:alert(1)', 'localhost')).toBeUndefined();
    expect(addressLink('evil.example/@127.0.0.1:80', 'localhost')).toBeUndefined();
  });
});

describe('names', () => {
  it('of versions are the last part', () => {
    expect(versionOf({ name: 'app-prod-v012', sequence: 12 })).toBe('v012');
    expect(versionOf({ name: 'odd', sequence: 3 })).toBe('v003');
  });
  it('of images are short', () => {
    expect(shortImage(`repo/hello@sha256:${'ab'.repeat(32)}`)).toBe('hello abababababab');
    expect(shortImage('/srv/images/hello-1.0/')).toBe('hello-1.0');
  });
});

describe('the same thing as a command', () => {
  it('quotes what a shell would read', () => {
    expect(quoted('plain-1.0')).toBe('plain-1.0');
    expect(quoted("it's $(x)")).toBe(`'it'\\''s $(x)'`);
  });
  it('starts the same pipeline with the same parameters', () => {
    const said = startSaid('http://localhost:9000', 'hello', 'Package to traffic', { version: '1.0' });
    expect(said.command).toBe("spin pipeline execute -a hello -n 'Package to traffic' -p version=1.0 --gate-endpoint http://localhost:9000");
    expect(said.request).toBe(
      `curl -fsS -X POST http://localhost:9000/pipelines/hello/Package%20to%20traffic -H 'Content-Type: application/json' -d '{"type":"manual","parameters":{"version":"1.0"}}'`,
    );
  });
  it('cancels with the reason', () => expect(cancelSaid('http://h', 'X', 'too late').request).toBe("curl -fsS -X PUT 'http://h/pipelines/X/cancel?reason=too+late'"));
});

describe('a change of the live stream', () => {
  it('renews what it touches, once', () => {
    expect(joined([...renewedBy({ topic: 'execution', key: 'R' }), ...renewedBy({ topic: 'execution', key: 'R' })])).toHaveLength(6);
    expect(joined([[], ['run', 'R']])).toEqual([[]]);
  });
  it('of a notification renews what its run shows', () => expect(renewedBy({ topic: 'notice', key: 'R' })).toEqual([['told', 'R'], ['activity']]));
  it('of a token renews the tokens, and who one is', () => expect(renewedBy({ topic: 'token', key: 'ci' })).toEqual([['tokens'], ['user']]));
  it('of an unknown topic renews everything', () => expect(renewedBy({ topic: 'new', key: '' })).toEqual([[]]));
  it('that is no JSON is nothing', () => expect(readChange('<b>')).toBeNull());
});

describe('the first language', () => {
  it('is the one chosen before, else the first that we speak, else English', () => {
    expect(firstLanguage('ko', ['en-US'])).toBe('ko');
    expect(firstLanguage(null, ['fr-FR', 'ko-KR', 'en'])).toBe('ko');
    expect(firstLanguage(null, ['fr'])).toBe('en');
  });
});
