// A chat with rooms and a page: ./chat start, then open http://127.0.0.1:1236/ in two windows.
//
// A client's path is its room: ws://host:1236/kitchen. Rooms span all workers through the Channel.
#include <stormo/stormo.h>

#include "chat_page.h"

using namespace stormo;

namespace {

struct Visitor {
  std::string room;
  std::string name = "somebody";
};

}  // namespace

int main(int argc, char** argv) {
  channel::Server channelServer;

  Worker worker("websocket://0.0.0.0:1236");
  worker.name = "chat";
  worker.count = 2;
  worker.maxPackageSize = 4096;
  worker.websocket.pages["/"].body = kChatPage;

  Channel channel;
  Groups rooms(channel);
  const auto announce = [&](const Visitor& visitor, std::string_view text) {
    return rooms.publish(visitor.room,
                         toJson(Value::array({{"who", visitor.name}, {"text", text}})));
  };

  worker.onWorkerStart = [&](Worker&) { channel.connect(); };

  worker.onWebSocketConnect = [&](Connection& connection, WebSocketHandshake& handshake) {
    const std::string& path = handshake.request.path;
    if (path.size() < 2 || !Groups::isName(path)) return handshake.refuse(404, "which room?");
    Visitor& visitor = connection.state<Visitor>();
    visitor.room = path;
    rooms.join(connection, visitor.room);
  };

  worker.onMessage = [&](Connection& connection, Message message) {
    Visitor& visitor = connection.state<Visitor>();
    const auto said = parseJson(message);
    if (!said) return;
    if (const std::string_view name = (*said)["name"].asString(); !name.empty()) {
      visitor.name = std::string(name.substr(0, 64));
      (void)announce(visitor, "came in");
    }
    if (const std::string_view text = (*said)["text"].asString(); !text.empty()) {
      if (announce(visitor, text) == PublishStatus::Accepted) return;
      connection.close(CloseCode::TryAgainLater, "too many messages wait for the Channel");
    }
  };

  worker.onClose = [&](Connection& connection) {
    if (Visitor* visitor = connection.stateOrNull<Visitor>()) {
      (void)announce(*visitor, "left");
    }
  };

  return Worker::runAll(argc, argv);
}
