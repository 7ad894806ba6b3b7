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

/// False if the Channel has no room for it now.
bool announce(const std::string& room, std::string_view who, std::string_view text) {
  return channel::Client::publish("chat",
                                  Value::array({{"room", room}, {"who", who}, {"text", text}})) ==
         PublishStatus::Accepted;
}

}  // namespace

int main(int argc, char** argv) {
  channel::Server channelServer("127.0.0.1", 2208);

  Worker worker("websocket://0.0.0.0:1236");
  worker.name = "chat";
  worker.count = 2;
  worker.maxPackageSize = 4096;
  worker.websocket.pages["/"].body = kChatPage;

  Groups rooms;

  worker.onWorkerStart = [&](Worker&) {
    channel::Client::connect("127.0.0.1", 2208);
    channel::Client::on("chat", [&](const Value& event) {
      rooms.send(event["room"].asString(),
                 toJson(Value::array({{"who", event["who"]}, {"text", event["text"]}})));
    });
  };

  worker.onWebSocketConnect = [&](Connection& connection, WebSocketHandshake& handshake) {
    if (handshake.request.path.size() < 2) return handshake.refuse(404, "which room?");
    Visitor& visitor = connection.state<Visitor>();
    visitor.room = handshake.request.path;
    rooms.join(connection, visitor.room);
  };

  worker.onMessage = [](Connection& connection, Message message) {
    Visitor& visitor = connection.state<Visitor>();
    const auto said = parseJson(message);
    if (!said) return;
    if (const std::string_view name = (*said)["name"].asString(); !name.empty()) {
      visitor.name = std::string(name.substr(0, 64));
      (void)announce(visitor.room, visitor.name, "came in");
    }
    if (const std::string_view text = (*said)["text"].asString(); !text.empty()) {
      if (announce(visitor.room, visitor.name, text)) return;
      connection.close(CloseCode::TryAgainLater, "too much is waiting for the Channel");
    }
  };

  worker.onClose = [](Connection& connection) {
    if (Visitor* visitor = connection.stateOrNull<Visitor>()) {
      (void)announce(visitor->room, visitor->name, "left");
    }
  };

  return Worker::runAll(argc, argv);
}
