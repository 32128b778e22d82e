import { describe, expect, it } from 'vitest';
import { newNotification } from '../../parts/notifications';
import { en } from '../../texts/en';
import { entriesOf, keyOf, replaced, unseenOf, withLine, wrongIn } from './notifying';

const one = { type: 'email', address: 'a@example.org', when: ['pipeline.failed'], own: 1 };
const two = { type: 'email', address: 'b@example.org', when: ['pipeline.complete'] };
const document = { application: 'shop', lastModified: 7, email: ['odd', one, two], slack: [{ address: '#ops' }] };

describe('the notifications of an application', () => {
  it('are read leniently, each with its place', () => {
    expect(entriesOf(document).map(keyOf)).toEqual(['email.1', 'email.2', 'slack.0']);
    expect(entriesOf({ application: 'shop' })).toEqual([]);
  });

  it('are added, changed and removed, and all else stays', () => {
    expect(replaced(document, 'sms', undefined, two)).toEqual({ ...document, sms: [two] });
    expect(replaced(document, 'email', one, { ...one, address: 'c@example.org' })).toEqual({ ...document, email: ['odd', { ...one, address: 'c@example.org' }, two] });
    expect(replaced(document, 'email', two, undefined)).toEqual({ ...document, email: ['odd', one] });
    expect(replaced(document, 'slack', { address: '#ops' }, undefined)).toEqual({ application: 'shop', lastModified: 7, email: document.email });
  });

  it('are not overwritten when somebody else changed one', () => expect(replaced(document, 'email', { ...one, own: 2 }, one)).toBeUndefined());

  it('lose an emptied field, but not the address', () => {
    expect(withLine({ address: 'a', cc: 'b' }, 'cc', '')).toEqual({ address: 'a' });
    expect(withLine({ address: 'a' }, 'address', '')).toEqual({ address: '' });
    expect(unseenOf('email', one, en)).toEqual(['own']);
  });
});

describe('a notification', () => {
  const wrong = (kind: string, part: object) => Object.keys(wrongIn(kind, { ...newNotification(kind, 'application'), ...part }, en));

  it('that is new lacks an address alone, and nobody is blamed yet', () => expect(wrongIn('email', newNotification('email', 'application'), en)).toMatchObject({ address: { missing: true } }));

  it.each([
    ['email', { address: 'a@example.org, b@example.org' }, []],
    ['email', { address: '${trigger.user}' }, []],
    ['email', { address: 'nobody' }, ['address']],
    ['email', { address: 'a@example.org', cc: 'nobody', when: [] }, ['cc', 'when']],
    ['webhook', { address: 'example.org/hook' }, ['address']],
    ['webhook', { address: 'https://example.org/hook' }, []],
    ['slack', { address: '#ops' }, []],
    ['pubsub', { publisherName: 'mine' }, []],
  ])('%s %j is wrong in %j', (kind, part, keys) => expect(wrong(kind, part)).toEqual(keys));
});
