// Sends each message back: text as text, binary as binary.
#include <stormo/stormo.h>

#include <optional>
#include <string>
#include <utility>

namespace {

/// The message that did not fit into the client's queue.
struct Unsent {
  std::string data;
  stormo::MessageType type = stormo::MessageType::Text;
};

}  // namespace

int main(int argc, char** argv) {
  stormo::Worker worker("websocket://0.0.0.0:1235");
  worker.name = "echo";
  worker.websocket.deflate.enabled = true;
  worker.maxPackageSize = 64 << 20;
  worker.maxSendBufferSize = (64 << 20) + 1024;  // the longest message, and its header

  // While a client reads too slowly, its input is not read, so nothing is lost.
  worker.onMessage = [](stormo::Connection& connection, stormo::Message message) {
    if (connection.send(message) != stormo::SendStatus::Full) return;
    connection.state<std::optional<Unsent>>() = {std::string(message.data), message.type};
    connection.pauseRecv();
  };
  worker.onBufferDrain = [](stormo::Connection& connection) {
    const auto unsent = std::exchange(connection.state<std::optional<Unsent>>(), {});
    if (unsent) (void)connection.send({unsent->data, unsent->type});  // nothing waits before it
    connection.resumeRecv();
  };

  return stormo::Worker::runAll(argc, argv);
}
