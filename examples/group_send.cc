// PHP Workerman's group-send program: an event carries the messages to all processes, and each
// process has its own groups. groups.cc is the shorter way. PHP processes may join:
// Channel\Client::connect('127.0.0.1', 2206).
#include <stormo/stormo.h>

using namespace stormo;

int main(int argc, char** argv) {
  channel::Server channelServer("127.0.0.1", 2206);

  Worker worker("websocket://0.0.0.0:1234");
  worker.name = "group-send";
  worker.count = 4;

  Groups groups;  // of each worker process

  worker.onWorkerStart = [&](Worker&) {
    channel::Client::connect();
    channel::Client::on("send_to_group", [&](const Value& event) {
      groups.send(event["group_id"].asString(), event["message"].asString());
    });
  };

  worker.onMessage = [&](Connection& connection, Message message) {
    const auto command = parseJson(message);
    if (!command) return connection.close(CloseCode::PolicyViolation, "not JSON");
    const std::string_view group = (*command)["group_id"].asString();
    if ((*command)["cmd"].asString() == "add_group") {
      groups.join(connection, group);
    } else if ((*command)["cmd"].asString() == "send_to_group") {
      const auto status = channel::Client::publish(
          "send_to_group", Value::array({{"group_id", group}, {"message", (*command)["message"]}}));
      if (status != PublishStatus::Accepted) {
        connection.close(CloseCode::TryAgainLater, "the Channel does not accept it");
      }
    }
  };

  return Worker::runAll(argc, argv);
}
