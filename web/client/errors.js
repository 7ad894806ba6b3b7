export class StormoError extends Error {
  constructor(code, message, group) {
    super(message);
    this.name = 'StormoError';
    this.code = code;
    if (group !== undefined) this.group = group;
  }
}

export const errorOf = ({error}, group) => new StormoError(error.code, error.message ?? error.code, group);
export const closedError = () => new StormoError('closed', 'the client is closed');
export const leftError = group => new StormoError('left', 'the group was left before it was joined', group);
export const notJoinedError = group => new StormoError('not_joined', 'the group is not joined', group);
export const malformed = problem => new StormoError('protocol', problem);
