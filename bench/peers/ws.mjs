// The library ws in one process, with minimal groups.
import {WebSocketServer} from 'ws';

const groups = new Map();
const server = new WebSocketServer({
  port: Number(process.argv[2]),
  host: '127.0.0.1',
  backlog: 4096,
  perMessageDeflate: false,
});

server.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (text) => {
    const {cmd, group_id: name, message} = JSON.parse(text);
    if (cmd === 'add_group') {
      if (!groups.has(name)) groups.set(name, new Set());
      groups.get(name).add(socket);
      socket.once('close', () => groups.get(name).delete(socket));
    } else if (cmd === 'send_to_group') {
      for (const member of groups.get(name) ?? []) member.send(message);
    }
  });
});
