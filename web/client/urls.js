// The URLs of the nodes of a cluster, any of which serves a client.

// A copy of the caller's list, or a list of his one URL, which the first connection checks. In a list a later URL would be
// found to be invalid only when it is needed.
export function urlsOf(url) {
  if (!Array.isArray(url)) return [url];
  if (url.length === 0) throw new TypeError('the list of URLs is empty');
  for (const each of url) {
    if (!/^wss?:$/.test(new URL(each).protocol)) throw new TypeError(`'${each}' does not begin with ws:// or wss://`);
  }
  return url.map(String);
}

// In a random order: then the clients are spread over all nodes, and those of a node that is lost over the others.
export function shuffled(list) {
  const all = [...list];
  for (let left = all.length; left > 1; --left) {
    const chosen = Math.floor(Math.random() * left);
    [all[left - 1], all[chosen]] = [all[chosen], all[left - 1]];
  }
  return all;
}
