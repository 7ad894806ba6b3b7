#pragma once

#include <stormo/stormo.h>

#include <string>
#include <string_view>

#include "chat_page.h"

/// A chat with rooms. The path of a client is its room: ws://host:1236/kitchen. Rooms span all
/// workers. A separate class, so that a test can run it: see chat_test.cc.
class Chat {
 public:
  explicit Chat(const std::string& listen) : worker(listen) {
    worker.name = "chat";
    worker.count = 2;
    worker.maxPackageSize = 4096;
    worker.websocket.pages["/"].body = kChatPage;

    worker.onWorkerStart = [this](stormo::Worker&) {
      channel.connect();
      stormo::Timer::add(std::chrono::minutes(1), [this] { closeSilentVisitors(); });
    };
    worker.onWebSocketConnect = [this](stormo::Connection& visitor,
                                       stormo::WebSocketHandshake& handshake) {
      const std::string& room = handshake.request.path;
      if (room.size() < 2 || !stormo::Groups::isName(room)) {
        return handshake.refuse(404, "which room?");
      }
      visitor.state<Visitor>().room = room;
      rooms.join(visitor, room);
    };
    worker.onMessage = [this](stormo::Connection& visitor, stormo::Message message) {
      onMessage(visitor, message);
    };
    worker.onClose = [this](stormo::Connection& visitor) {
      const Visitor* left = visitor.stateOrNull<Visitor>();
      if (left != nullptr && !left->name.empty()) (void)announce(*left, "left");
    };
  }

  /// Closes visitors that sent nothing since the last call.
  void closeSilentVisitors() {
    worker.forEachConnection([](stormo::Connection& visitor) {
      if (!std::exchange(visitor.state<Visitor>().hasSpoken, false)) {
        visitor.close(stormo::CloseCode::Normal, "silent for a minute");
      }
    });
  }

  stormo::Worker worker;

 private:
  struct Visitor {
    std::string room;
    std::string name;  // empty until the visitor sends one
    bool hasSpoken = true;
  };

  /// {"name":"Ann"} comes first; then {"text":"ciao"}.
  void onMessage(stormo::Connection& connection, stormo::Message message) {
    const stormo::Value said = stormo::parseJson(message).value_or(stormo::Value());
    Visitor& visitor = connection.state<Visitor>();
    visitor.hasSpoken = true;
    auto status = stormo::PublishStatus::Accepted;
    if (const std::string_view name = said["name"].asString(); !name.empty()) {
      visitor.name = std::string(name.substr(0, 64));
      status = announce(visitor, "came in");
    } else if (const std::string_view text = said["text"].asString(); !text.empty()) {
      status = announce(visitor, text);
    }
    if (status == stormo::PublishStatus::Accepted) return;
    connection.close(stormo::CloseCode::TryAgainLater, "too many messages wait for the Channel");
  }

  stormo::PublishStatus announce(const Visitor& visitor, std::string_view text) {
    return rooms.publish(visitor.room,
                         toJson(stormo::Value::array({{"who", visitor.name}, {"text", text}})));
  }

  stormo::channel::Server server;
  stormo::Channel channel;
  stormo::Groups rooms{channel};
};
