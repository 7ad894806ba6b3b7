// Compiles if the types of the package are as a user expects; lines after @ts-expect-error must not compile.
import {connect, StormoError} from 'stormo';
import type {Joined, Position, Stormo} from 'stormo';

async function use(): Promise<void> {
  const client: Stormo = connect('wss://chat.example', {retryMax: 1000});
  const off: () => void = client.on('message', ({group, to, message, offset}) => {
    const text: string | Uint8Array = message;
    console.log(group === undefined ? to : group.length, text.length, offset + 1);
  });
  client.on('close', ({code, retryIn}) => console.log(code, retryIn ?? 0));
  client.on('error', error => console.log(error instanceof StormoError, error.code === 'forbidden'));
  const joined: Joined = await client.join('news', {epoch: 'a', offset: 1});
  const position: Position | undefined = client.position('news');
  await client.send(7, {text: 'hello', at: joined.offset});
  const closed = connect('wss://chat.example', {getToken: async () => (await fetch('/token')).text(), shared: {name: 'ada'}});
  closed.on('welcome', ({user, groups, expires}) => console.log(user.length, groups.length, expires ?? 0, closed.info?.name));
  closed.on('expiring', ({seconds}) => console.log(seconds + 1));
  connect('wss://chat.example', {token: 'x', shared: true});
  console.log(connect(['wss://h1.example', 'wss://h2.example'], {inOrder: true}).url.length);
  client.on('joined', ({group, offset}) => console.log(group.length, offset + 1));
  client.on('info', ({info}) => console.log(info?.name));
  connect('wss://chat.example', {user: client.position({to: 'user'}), all: false});
  await client.join({to: 'all'});
  console.log((await client.refresh()).user.length, (await client.whoami()).id.length, client.id?.length);
  off();
  client.close();
  console.log(position, client.state === 'closed');

  // @ts-expect-error: there is no such event
  client.on('mesage', () => {});
  // @ts-expect-error: a message is no function
  await client.send('news', undefined);
  // @ts-expect-error: the state cannot be set
  client.state = 'open';
  // @ts-expect-error: messages to a client need no join
  await client.join({to: 'client'});
  // @ts-expect-error: a user is no group to send to
  await client.send({to: 'user'}, 'x');
  // @ts-expect-error: no such option
  connect('wss://chat.example', {retry: 5});
  // @ts-expect-error: a token is text
  connect('wss://chat.example', {getToken: () => 5});
}

void use;
