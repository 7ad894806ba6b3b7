// The ready server's client protocols (docs/group-protocol.md, docs/v1-protocol.md) with custom
// rules: ws://127.0.0.1:1239/?name=ann may join `lobby` and `user.ann`.
#include <stormo/stormo.h>

#include <ctime>
#include <string>

using namespace stormo;

struct Member {
  std::string name;
};

int main(int argc, char** argv) {
  channel::Server channelServer;
  channelServer.history.groups = {"lobby"};  // clients that reconnect get the messages they missed

  Worker worker("websocket://0.0.0.0:1239");
  worker.name = "members";
  worker.count = 2;

  Channel channel;
  GroupServer server(worker, channel);
  worker.onWorkerStart = [&](Worker&) { channel.connect(); };

  worker.onWebSocketConnect = [&](Connection& client, WebSocketHandshake& handshake) {
    const std::string& query = handshake.request.query;
    if (!query.starts_with("name=")) return handshake.refuse(403, "who are you?");
    client.state<Member>().name = query.substr(5);
    server.onWebSocketConnect(client, handshake);  // the server has this handler, too
  };

  server.mayJoin = [](Connection& client, std::string_view group) {
    return group == "lobby" || group == "user." + client.state<Member>().name;
  };
  server.maySend = [](Connection&, std::string_view, std::string_view message) {
    return message.size() <= 1000;
  };
  server.onJoin = [&](Connection& client, std::string_view group) {
    if (group == "lobby") (void)server.send("lobby", client.state<Member>().name + " came in");
  };
  server.onCommand = [](Connection& client, const Value& command) {
    if (command["cmd"].asString() != "time") return false;
    const Value reply = Value::array({{"id", command["id"]}, {"time", std::time(nullptr)}});
    if (client.send(toJson(reply)) == SendStatus::Full) client.destroy();
    return true;
  };

  return Worker::runAll(argc, argv);
}
