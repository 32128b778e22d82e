import { count } from './count';

export const balancers = {
  balancers: {
    empty: 'This application has no load balancer yet.',
    address: 'Address',
    check: 'Health check',
    members: 'Members',
    noMembers: 'No server group is registered here: requests are answered with 503.',
    everySeconds: (s: number) => `every ${s} s`,
    withinSeconds: (s: number) => `within ${s} s`,
    rise: (n: number) => `up after ${n} good`,
    fall: (n: number) => `down after ${n} bad`,
    carrying: (n: number) => count(n, 'member carries traffic', 'members carry traffic'),
    noCheck: 'no health check',
    open: 'Open the address',
  },
};
