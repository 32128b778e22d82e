import { count } from './count';

export const balancers = {
  balancers: {
    empty: 'This application has no load balancer yet.',
    address: 'Address',
    check: 'Health check',
    listeners: 'Listeners',
    members: 'Members',
    noMembers: 'No server group is registered here: requests are answered with 503.',
    protocol: 'Protocol',
    everySeconds: (s: number) => `every ${s} s`,
    withinSeconds: (s: number) => `within ${s} s`,
    rise: (n: number) => `up after ${n} good`,
    fall: (n: number) => `down after ${n} bad`,
    carrying: (n: number) => count(n, 'member carries traffic', 'members carry traffic'),
    noCheck: 'no health check',
    type: 'Type',
    open: 'Open the address',
    seconds: (s: number) => `${s} s`,
    interval: 'Interval',
    timeout: 'Time-out',
    healthy: 'Up after',
    unhealthy: 'Down after',
  },
};
