// Short names of server groups and images: pure.

import type { ServerGroup } from '../../api/inventory';

/** `v004` of `app-stack-v004`; the whole name when it has no version. */
export function versionOf(group: Pick<ServerGroup, 'name' | 'sequence'>): string {
  const found = /-(v\d{3,})$/.exec(group.name);
  if (found?.[1] !== undefined) return found[1];
  return group.sequence === undefined ? group.name : `v${String(group.sequence).padStart(3, '0')}`;
}

/** The last part of a path or reference; a digest cut to twelve characters. */
export function shortImage(image: string | undefined): string | undefined {
  if (image === undefined) return undefined;
  const digest = /sha256:([0-9a-f]{12})[0-9a-f]*$/.exec(image);
  if (digest?.[1] !== undefined) {
    const name = image.slice(0, digest.index).replace(/[@:]$/, '').split('/').pop() ?? '';
    return name === '' ? digest[1] : `${name} ${digest[1]}`;
  }
  return image.replace(/\/+$/, '').split('/').pop();
}
