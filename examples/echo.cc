// Sends back what it gets: text as text, binary as binary.
#include <stormo/stormo.h>

int main(int argc, char** argv) {
  stormo::Worker worker("websocket://0.0.0.0:1235");
  worker.name = "echo";

  worker.onMessage = [](stormo::Connection& connection, stormo::Message message) {
    connection.send(message);
  };
  // Who sends faster than it reads is not read until it has caught up.
  worker.onBufferFull = [](stormo::Connection& connection) { connection.pauseRecv(); };
  worker.onBufferDrain = [](stormo::Connection& connection) { connection.resumeRecv(); };

  return stormo::Worker::runAll(argc, argv);
}
