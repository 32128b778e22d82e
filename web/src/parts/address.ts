// The link to a load balancer's address: only ever http, only to a plain host and port. Pure.

/** A link that opens `address` in the browser; nothing when the address is not plainly `host:port`. */
export function addressLink(address: string, pageHost: string): string | undefined {
  const found = /^(\[[0-9a-f:.]+\]|[a-z0-9][a-z0-9.-]*)(?::(\d{1,5}))?$/i.exec(address);
  if (found === null) return undefined;
  // "Every address of the machine" is reached where the page was reached.
  const host = found[1] === '0.0.0.0' || found[1] === '[::]' ? pageHost : found[1];
  return `http://${host}${found[2] === undefined ? '' : `:${found[2]}`}/`;
}
