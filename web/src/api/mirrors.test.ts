import { describe, expect, it } from 'vitest';
import { readAptlyTask } from './aptly-tasks';
import { archiveOf, createMirror, dropMirror, editMirror, NOTHING, readWanted, updateMirror } from './mirrors';

const trusted = { unchecked: false, keyrings: [] };
const debian = { ...NOTHING, archive: 'http://deb.debian.org/debian', name: 'sid', distribution: 'sid', components: ['main', 'contrib'] };

describe('a mirror', () => {
  it('comes from an address, or from an archive of Launchpad’s', () => {
    expect(archiveOf(' https://deb.example.org/debian ')).toBe('https://deb.example.org/debian');
    expect(archiveOf('ppa:deadsnakes/ppa')).toBe('http://ppa.launchpadcontent.net/deadsnakes/ppa/ubuntu');
    for (const bad of ['', 'deb.debian.org', 'ppa:one', 'ppa:a/b/c', 'file:///etc', 'javascript:1', 'http://']) expect(archiveOf(bad)).toBeUndefined();
  });

  it('is made with what was asked for, and nothing else', () => {
    const plain = createMirror(debian, trusted);
    expect(plain.call.body).toEqual({ Name: 'sid', ArchiveURL: 'http://deb.debian.org/debian', Distribution: 'sid', Components: ['main', 'contrib'] });
    expect(plain.command).toBe('aptly mirror create sid http://deb.debian.org/debian sid main contrib');
    const whole = createMirror({ ...debian, components: [], architectures: ['amd64', 'arm64'], filter: 'nginx | $Version (>= 2)', withDeps: true, sources: true, udebs: true }, { unchecked: false, keyrings: ['a.gpg', 'b.gpg'] });
    expect(whole.call.body).toMatchObject({ Architectures: ['amd64', 'arm64'], Filter: 'nginx | $Version (>= 2)', FilterWithDeps: true, DownloadSources: true, DownloadUdebs: true, Keyrings: ['a.gpg', 'b.gpg'] });
    expect(whole.command).toBe("aptly mirror create -architectures=amd64,arm64 -filter='nginx | $Version (>= 2)' -filter-with-deps -with-sources -with-udebs -keyring=a.gpg -keyring=b.gpg sid http://deb.debian.org/debian sid");
  });

  it('names no keys where no signature is checked', () => {
    const made = updateMirror('sid', { unchecked: true, keyrings: ['a.gpg'] }, true);
    expect(made.call).toEqual({ method: 'PUT', path: '/api/mirrors/sid?_async=true', body: { LatestOnly: true, IgnoreSignatures: true } });
    expect(made.command).toBe('aptly mirror update -latest -ignore-signatures sid');
  });

  it('is changed where something differs, and asks its archive only then', () => {
    const before = readWanted({ ArchiveRoot: 'http://a/', Architectures: ['amd64'], Filter: 'nginx', FilterWithDeps: true, DownloadSources: false });
    expect(editMirror('m', before, { ...before }, trusted)).toBeUndefined();
    const none = editMirror('m', before, { ...before, filter: '', withDeps: false }, { unchecked: true, keyrings: [] });
    expect(none?.call.body).toEqual({ Filter: '', FilterWithDeps: false });
    expect(none?.command).toBe("aptly mirror edit -filter='' -filter-with-deps=false m");
    const moved = editMirror('m', before, { ...before, archive: 'http://b/', sources: true }, { unchecked: true, keyrings: [] });
    expect(moved?.call.body).toEqual({ ArchiveURL: 'http://b/', DownloadSources: true, IgnoreSignatures: true });
    expect(moved?.command).toBe('aptly mirror edit -archive-url=http://b/ -with-sources=true -ignore-signatures m');
  });

  it('goes although snapshots were made of it only where that was said', () => {
    expect(dropMirror('m', false)).toEqual({ call: { method: 'DELETE', path: '/api/mirrors/m' }, command: 'aptly mirror drop m' });
    expect(dropMirror('m', true)).toEqual({ call: { method: 'DELETE', path: '/api/mirrors/m?force=1' }, command: 'aptly mirror drop -force m' });
  });
});

describe('a task of aptly’s API', () => {
  it('tells how far it is', () => {
    const task = readAptlyTask({ ID: 3, State: 1 }, { TotalNumberOfPackages: 10, RemainingNumberOfPackages: 4, TotalDownloadSize: 2000, RemainingDownloadSize: 500 }, 'Downloading:\n');
    expect(task).toEqual({ state: 'running', packages: { all: 10, done: 6 }, bytes: { all: 2000, done: 1500 }, last: 'Downloading:' });
  });

  it('tells why it failed', () => {
    expect(readAptlyTask({ State: 3 }, {}, 'a\nTask failed with error: unable to update: no')).toEqual({ state: 'failed', packages: undefined, bytes: undefined, last: 'unable to update: no' });
  });
});
