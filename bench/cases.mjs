// The loads to compare. `args` are arguments of `stormo bench`. At best one send(2) carries everything that is in
// flight to its group: `batch` messages of `frame` bytes, including their WebSocket header.
export const cases = {
  A: {what: '100 members, 1 group, 4 × 4 in flight', args: '-m 100 -g 1 -p 4 -w 4', sockets: 100, batch: 16, frame: 66},
  B: {what: '1,000 members, 10 groups, 20 × 4', args: '-m 1000 -g 10 -p 20 -w 4', sockets: 1000, batch: 8, frame: 66},
  C: {what: '1,000 members, 1 group, 8 × 8', args: '-m 1000 -g 1 -p 8 -w 8', sockets: 1000, batch: 64, frame: 66},
  D: {what: '1,000 members, 1,000 groups, 1,000 × 1', args: '-m 1000 -g 1000 -p 1000 -w 1', sockets: 1000, batch: 1, frame: 66},
  E: {what: '10,000 members, 100 groups, 100 × 2', args: '-m 10000 -g 100 -p 100 -w 2', sockets: 10000, batch: 2, frame: 66},
  F: {what: '100 members, 1 group, 4 × 4, 4 KiB', args: '-m 100 -g 1 -p 4 -w 4 -b 4096', sockets: 100, batch: 16, frame: 4100},
  G: {what: '1,000 members, 10 groups, 1,000 messages/s', args: '-m 1000 -g 10 -p 20 -r 1000', latency: true},
};

/** The figure of a case: thousands of deliveries per second, or the p99 latency in ms. */
export function figureOf(name, result) {
  return cases[name].latency ? result.latency_us.p99 / 1000 : result.delivered_per_second / 1000;
}
