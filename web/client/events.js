const kEvents = ['open', 'welcome', 'message', 'missed', 'gap', 'joined', 'left', 'info', 'expiring', 'close', 'error'];

// The handlers of a client's events.
export class Events {
  #handlers = new Map(kEvents.map(name => [name, new Set()]));

  on(name, handler) {
    const handlers = this.#handlers.get(name);
    if (!handlers) throw new TypeError(`there is no event '${name}', only ${kEvents.join(', ')}`);
    handlers.add(handler);
    return () => void handlers.delete(handler);
  }

  emit(name, event) {
    for (const handler of [...this.#handlers.get(name)]) {
      try {
        handler(event);
      } catch (error) {
        queueMicrotask(() => { throw error; });  // reported as uncaught, without disturbing this client
      }
    }
  }
}
