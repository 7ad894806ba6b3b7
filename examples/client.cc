// A WebSocket client: sends its arguments to a server, and prints what it receives.
//   client ws://127.0.0.1:1235/ hello world
// It connects again when the connection is lost, and ends with Ctrl-C.
#include <stormo/stormo.h>

#include <iostream>
#include <stdexcept>

int main(int argc, char** argv) try {
  stormo::EventLoop loop;
  stormo::Connector connector(argc > 1 ? argv[1] : "ws://127.0.0.1:1235/");
  connector.websocket.deflate.enabled = true;

  connector.onConnect = [&](stormo::Connection& connection) {
    for (int i = 2; i < argc; ++i) (void)connection.send(argv[i]);
  };
  connector.onMessage = [](stormo::Connection&, stormo::Message message) {
    std::cout << message.data << std::endl;
  };
  connector.onClose = [](stormo::Connection& connection) {
    std::cerr << "closed with " << static_cast<int>(connection.closeCode()) << ' '
              << connection.closeReason() << std::endl;
  };
  connector.onError = [](const stormo::Error& error) { std::cerr << error.message() << std::endl; };
  connector.connect();
  loop.run();
} catch (const std::invalid_argument& wrong) {
  std::cerr << wrong.what() << std::endl;
  return 2;
}
