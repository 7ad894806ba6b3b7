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
      stormo::Timer::add(std::chrono::minutes(1), [this] { closeIdleConnections(); });
    };
    worker.onWebSocketConnect = [this](stormo::Connection& connection,
                                       stormo::WebSocketHandshake& handshake) {
      const std::string& room = handshake.request.path;
      if (room.size() < 2 || !stormo::Groups::isName(room)) {
        return handshake.refuse(404, "which room?");
      }
      connection.state<User>().room = room;
      rooms.join(connection, room);
    };
    worker.onMessage = [this](stormo::Connection& connection, stormo::Message message) {
      onMessage(connection, message);
    };
    worker.onClose = [this](stormo::Connection& connection) {
      const User* left = connection.stateOrNull<User>();
      if (left != nullptr && !left->name.empty()) (void)announce(*left, "left");
    };
  }

  /// Closes connections that sent nothing since the last call.
  void closeIdleConnections() {
    worker.forEachConnection([](stormo::Connection& connection) {
      if (!std::exchange(connection.state<User>().hasSent, false)) {
        connection.close(stormo::CloseCode::Normal, "idle for a minute");
      }
    });
  }

  stormo::Worker worker;

 private:
  struct User {
    std::string room;
    std::string name;  // empty until the client sends one
    bool hasSent = true;
  };

  /// {"name":"Ann"} comes first; then {"text":"ciao"}.
  void onMessage(stormo::Connection& connection, stormo::Message message) {
    const stormo::Value fields = stormo::parseJson(message).value_or(stormo::Value());
    User& user = connection.state<User>();
    user.hasSent = true;
    auto status = stormo::PublishStatus::Accepted;
    if (const std::string_view name = fields["name"].asString(); !name.empty()) {
      user.name = std::string(name.substr(0, 64));
      status = announce(user, "came in");
    } else if (const std::string_view text = fields["text"].asString(); !text.empty()) {
      status = announce(user, text);
    }
    if (status == stormo::PublishStatus::Accepted) return;
    connection.close(stormo::CloseCode::TryAgainLater, "too many messages wait for the Channel");
  }

  stormo::PublishStatus announce(const User& user, std::string_view text) {
    return rooms.publish(user.room,
                         toJson(stormo::Value::array({{"who", user.name}, {"text", text}})));
  }

  stormo::channel::Server server;
  stormo::Channel channel;
  stormo::Groups rooms{channel};
};
