export class StormoError extends Error {
  constructor(code, message, {group, to} = {}) {
    super(message);
    this.name = 'StormoError';
    this.code = code;
    if (group !== undefined) this.group = group;
    if (to !== undefined) this.to = to;
  }
}

export const errorOf = ({error}, address) => new StormoError(error.code, error.message ?? error.code, address);
export const closedError = () => new StormoError('closed', 'the client is closed');
export const leftError = address => new StormoError('left', 'it was left before it was joined', address);
export const notJoinedError = address => new StormoError('not_joined', 'it is not joined', address);
export const malformed = problem => new StormoError('protocol', problem);
