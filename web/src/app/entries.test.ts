import { describe, expect, it } from 'vitest';
import { askedWord, looksLikeId, readSearch } from '../api/search';
import { en } from '../texts/en';
import { ko } from '../texts/ko';
import { address, arranged, atFirst, distance, ofFound, ofPackages, type Entry } from './entries';
import { readRecent, withRecent } from './recent';
import { ownEntries } from './screens';

const found = readSearch([
  {
    results: [
      { type: 'applications', name: 'shop' },
      { type: 'applications', name: 'workshop' },
      { type: 'pipelines', name: 'Shop it', application: 'work', id: '1' },
      { type: 'loadBalancers', loadBalancer: 'shop', account: 'local', region: 'here', application: 'shop' },
      { type: 'instances', instanceId: 'shop-v000-1', serverGroup: 'shop-v000', application: 'shop', account: 'local', region: 'here' },
      { type: 'news', name: 'of another kind' },
      { type: 'clusters' },
    ],
  },
]);

describe('the palette', () => {
  it('reads what the server found, and leaves out what it does not know', () => expect(found.map((one) => one.kind)).toEqual(['application', 'application', 'pipeline', 'loadBalancer', 'instance']));

  it('puts the best group first, and in a group the best fit', () => {
    const groups = arranged(found.map(ofFound), 'shop');
    expect(groups.map(({ group }) => group)).toEqual(['applications', 'loadBalancers', 'pipelines', 'instances']);
    expect(groups[0]?.entries.map((one) => one.title)).toEqual(['shop', 'workshop']);
  });

  it('leads to addresses that the screens understand', () => {
    expect(found.map(ofFound).map((one) => one.to)).toEqual([
      '/applications/shop/pipelines',
      '/applications/workshop/pipelines',
      '/applications/work/pipelines?pipeline=Shop+it',
      '/applications/shop/load-balancers?balancer=shop&account=local&region=here',
      '/applications/shop/clusters?group=shop-v000&account=local&region=here&instance=shop-v000-1',
    ]);
    // A text that would be read as a number stays a text.
    expect(address('/repositories', { q: '1.0' })).toBe('/repositories?q=%221.0%22');
  });

  it('names a package once for each repository', () => {
    const one = (version: string) => ({ name: 'hello', version, architecture: 'all', description: undefined });
    const entries = ofPackages([{ name: 'a', packages: [one('1.0'), one('2.0')] }, { name: 'b', packages: [one('2.0')] }]);
    expect(entries.map((entry) => entry.detail)).toEqual(['a · 1.0, 2.0', 'b · 2.0']);
    expect(arranged(entries, 'hello 2.0')[0]?.entries).toHaveLength(2);
  });

  it('shows few of many, and says how many more', () => {
    const many = Array.from({ length: 20 }, (_, n) => ofFound({ kind: 'application', name: `app${n}`, application: '', place: '', account: '', region: '', group: '' }));
    expect(arranged(many, 'app')[0]).toMatchObject({ more: 14 });
  });

  it('knows its own screens by Korean and English words', () => {
    const own = ownEntries(ko, 'shop');
    for (const typed of ['ㅋㄹㅅㅌ', '클러ㅅ', 'clusters']) expect(arranged(own, typed)[0]?.entries[0]?.to).toBe('/applications/shop/clusters');
    expect(ownEntries(en, undefined).every((one) => one.to !== undefined || one.act !== '')).toBe(true);
  });

  it('begins with where one was', () => {
    const before = [ofFound(found[0]!)];
    expect(atFirst(before, ownEntries(en, undefined)).map(({ group }) => group)).toEqual(['recent', 'screens', 'actions']);
    expect(atFirst([], ownEntries(en, undefined))[0]?.group).toBe('screens');
  });
});

it.each([
  ['shop', 'shop', 0],
  ['shopping', 'shop', 1],
  ['my-shop', 'shop', 2],
  ['workshop', 'shop', 3],
  ['work', 'shop', 4],
])('%s is %s from afar: %d', (title, typed, expected) => expect(distance(title, typed)).toBe(expected));

describe('what is remembered', () => {
  const [shop, work] = found.map(ofFound) as [Entry, Entry];
  it('is the last first, once', () => expect(withRecent([shop, work], { ...work, key: `recent ${work.key}` }).map((one) => one.title)).toEqual(['workshop', 'shop']));
  it('is no screen of the page', () => expect(withRecent([shop], ownEntries(en, undefined)[0]!)).toEqual([shop]));
  it('is only read where it leads into the page', () => {
    expect(readRecent(JSON.stringify([shop]))).toMatchObject([{ to: shop.to, title: 'shop' }]);
    for (const bad of ['{', 'null', '[{"title":"x","to":"//evil"}]', '[{"title":"x","to":"javascript:1"}]', '[3]']) expect(readRecent(bad)).toEqual([]);
  });
});

it('asks the server for the longest word', () => {
  expect(askedWord(' to hello x')).toBe('hello');
  expect(askedWord('  ')).toBe('');
});

it('knows the id of a run', () => {
  expect(looksLikeId('01JDVQ8Y3R6Z5K2M4N7P9Q1S3T')).toBe(true);
  expect(looksLikeId('123e4567-e89b-12d3-a456-426614174000')).toBe(true);
  expect(looksLikeId('hello')).toBe(false);
});
