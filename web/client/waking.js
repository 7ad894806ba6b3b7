// Calls `wake` when the network is available again or the page visible: the machine may have slept, and the connection be
// dead. Returns a function that ends this. Without a page, as in Node, nothing wakes up.
export function onWaking(wake) {
  const {document} = globalThis;
  const sources = [[globalThis, 'online'], [globalThis, 'pageshow'], [document, 'visibilitychange']]
    .filter(([target]) => target?.addEventListener);
  const listener = ({type}) => {
    if (type !== 'visibilitychange' || document.visibilityState === 'visible') wake();
  };
  for (const [target, name] of sources) target.addEventListener(name, listener);
  return () => {
    for (const [target, name] of sources) target.removeEventListener(name, listener);
  };
}
