// The loads that are compared: arguments of `stormo bench`. `figure` is what a case is judged by.
export const cases = {
  A: {what: '100 members, 1 group, 4 × 4 in flight', members: 100, args: '-m 100 -g 1 -p 4 -w 4'},
  B: {what: '1,000 members, 10 groups, 20 × 4', members: 1000, args: '-m 1000 -g 10 -p 20 -w 4'},
  C: {what: '1,000 members, 1 group, 8 × 8', members: 1000, args: '-m 1000 -g 1 -p 8 -w 8'},
  D: {what: '1,000 members, 1,000 groups, 1,000 × 1', members: 1000, args: '-m 1000 -g 1000 -p 1000 -w 1'},
  E: {what: '10,000 members, 100 groups, 100 × 2', members: 10000, args: '-m 10000 -g 100 -p 100 -w 2'},
  F: {what: '100 members, 1 group, 4 × 4, 4 KiB', members: 100, args: '-m 100 -g 1 -p 4 -w 4 -b 4096'},
  G: {
    what: '1,000 members, 10 groups, 1,000 messages/s',
    members: 1000,
    args: '-m 1000 -g 10 -p 20 -r 1000',
    latency: true,
  },
};

/** What a case is judged by: thousand deliveries a second, or, for latency, p99 in ms. */
export function figureOf(name, result) {
  return cases[name].latency ? result.latency_us.p99 / 1000 : result.delivered_per_second / 1000;
}
