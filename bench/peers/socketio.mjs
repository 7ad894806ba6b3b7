// Socket.IO with its cluster adapter: the primary owns the port, one worker has the clients.
import cluster from 'node:cluster';
import {createServer} from 'node:http';
import {createAdapter, setupPrimary} from '@socket.io/cluster-adapter';
import {Server} from 'socket.io';

if (cluster.isPrimary) {
  setupPrimary();
  cluster.setupPrimary({serialization: 'advanced'});
  const worker = cluster.fork();
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      worker.kill('SIGKILL');
      process.exit(0);
    });
  }
} else {
  const http = createServer();
  const io = new Server(http, {transports: ['websocket'], adapter: createAdapter()});
  io.on('connection', (socket) => {
    socket.on('join', (group) => socket.join(group));
    socket.on('send', (group, message) => io.to(group).emit('message', message));
  });
  http.listen({port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096});
}
